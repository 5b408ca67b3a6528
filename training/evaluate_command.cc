#include "training/evaluate_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/errors.h"
#include "engine/models_directory.h"
#include "training/customer_figures_file.h"
#include "training/evaluated_model.h"
#include "training/evaluation_report.h"

namespace bouquet::training {
namespace {

absl::StatusOr<AnswerOptions> answer_options(const EvaluateFlags& flags) {
  AnswerOptions out{.repeats = Repeats::kExclude, .lengths = flags.lengths};
  const auto repeats = parse_repeats(flags.repeats);
  if (!repeats.ok()) return repeats.status();
  out.repeats = *repeats;
  std::sort(out.lengths.begin(), out.lengths.end());
  out.lengths.erase(std::unique(out.lengths.begin(), out.lengths.end()), out.lengths.end());
  if (out.lengths.empty() || out.lengths.front() < 1 || out.lengths.back() > kMaxK)
    return wrong_usage("--k takes lengths of answers from 1 to " + std::to_string(kMaxK) + ", such as --k 10,20,100");
  if (!flags.customers.empty() && out.repeats == Repeats::kOnly)
    return wrong_usage("--customers judges customers without events, who have nothing to repeat; leave --repeats only out");
  if (flags.resamples < 1) return wrong_usage("--resamples is " + std::to_string(flags.resamples) + "; it must be at least 1");
  return out;
}

absl::StatusOr<std::shared_ptr<const Artifact>> open_model(const EvaluateFlags& flags) {
  auto directory = ModelsDirectory::open_existing(flags.models);
  if (!directory.ok()) return directory.status();
  return flags.version.empty() ? directory->load_current() : directory->load(flags.version);
}

// One group of customers, answered and judged.
struct Judged {
  std::vector<Subject> subjects;
  absl::StatusOr<Evaluation> evaluation = absl::FailedPreconditionError("nobody was asked");
};

absl::StatusOr<Judged> judged(absl::StatusOr<std::vector<Subject>> subjects, const TestSet& tests, const Knowledge& known, Repeats repeats,
                              const BootstrapOptions& bootstrap) {
  if (!subjects.ok()) return subjects.status();
  Judged out{.subjects = *std::move(subjects)};
  out.evaluation = judge(out.subjects, tests, known, repeats, bootstrap);
  if (!out.evaluation.ok() && out.evaluation.status().code() != absl::StatusCode::kFailedPrecondition) return out.evaluation.status();
  return out;
}

nlohmann::ordered_json protocol_of(const EvaluateFlags& flags, const AnswerOptions& options, const Artifact& artifact,
                                   const EvaluatedModel& evaluated) {
  nlohmann::ordered_json protocol = {{"repeats", flags.repeats}, {"k", options.lengths}};
  protocol["model"] = artifact.version;
  protocol["test"] = evaluated.test_sources();
  protocol["seen"] = flags.seen.empty() ? nlohmann::ordered_json("the model's histories") : nlohmann::ordered_json(flags.seen);
  protocol["test_customers"] = evaluated.tests().size();
  if (!flags.among.empty()) protocol["among"] = std::filesystem::path(flags.among).filename().string();
  protocol["resamples"] = flags.resamples;
  protocol["repurchase_share"] = artifact.repurchase.share;
  return protocol;
}

void print_json(const nlohmann::ordered_json& protocol, const Judged& main, const Judged* cold) {
  nlohmann::ordered_json json;
  if (main.evaluation.ok())
    json = evaluation_json(*main.evaluation);
  else
    json["customers"] = 0;
  json["protocol"] = protocol;
  if (cold != nullptr) {
    nlohmann::ordered_json& group = json["cold_customers"];
    group["customers"] = 0;
    if (cold->evaluation.ok()) {
      const nlohmann::ordered_json all = evaluation_json(*cold->evaluation);
      for (const char* key : {"customers", "metrics", "baselines", "differences"}) group[key] = all[key];
    }
  }
  std::printf("%s\n", json.dump(2).c_str());
}

void print_main(const Evaluation& evaluation) {
  for (const int32_t length : evaluation.lengths) std::printf("\n%s", evaluation_table(evaluation, length).c_str());
  const MetricTable& main = evaluation.tables[0];
  const std::string name = metric_name(kRecall, evaluation.lengths.back());
  std::printf("\nwith customers and items that the model does not know: %lld customers, %s %.4f\n",
              static_cast<long long>(evaluation.with_unknown[0].customers), name.c_str(),
              find_metric(evaluation.with_unknown[0], name)->value);
  std::printf("%s by items in the history:", name.c_str());
  for (const Segment& segment : evaluation.segments)
    std::printf("  %d%s: %.4f (%lld)", segment.least, segment.most == INT32_MAX ? "+" : ("-" + std::to_string(segment.most)).c_str(),
                find_metric(segment.tables[0], name)->value, static_cast<long long>(segment.tables[0].customers));
  std::printf("  of %lld customers\n", static_cast<long long>(main.customers));
}

void print_cold(const Judged& cold) {
  if (!cold.evaluation.ok()) {
    std::printf("\nno customer of the test is without events and has attributes in --customers and a known item\n");
    return;
  }
  std::printf("\ncustomers without events, by their attributes alone\n");
  for (const int32_t length : cold.evaluation->lengths) std::printf("\n%s", evaluation_table(*cold.evaluation, length).c_str());
}

absl::Status judge_and_print(const EvaluateFlags& flags, const AnswerOptions& options, const Artifact& artifact, const LoadedModel& model,
                             const EvaluatedModel& evaluated) {
  const BootstrapOptions bootstrap{.resamples = flags.resamples, .seed = 1, .threads = options.workers};
  const auto main = judged(answered(model, evaluated.tests(), evaluated.known(), options, artifact.item_attributes.table.rows()),
                           evaluated.tests(), evaluated.known(), options.repeats, bootstrap);
  if (!main.ok()) return main.status();
  absl::StatusOr<Judged> cold = Judged{};
  const ColdCustomers* asked = evaluated.cold();
  if (asked != nullptr && asked->tests.size() > 0)
    cold = judged(cold_subjects(model, *asked, options), asked->tests, asked->known, options.repeats, bootstrap);
  if (!cold.ok()) return cold.status();
  if (!main->evaluation.ok() && !cold->evaluation.ok()) return main->evaluation.status();
  if (!flags.per_customer.empty()) {
    std::vector<JudgedGroup> groups = {{"known", &main->subjects, &evaluated.tests(), &evaluated.known(), false},
                                       {"everybody", &main->subjects, &evaluated.tests(), &evaluated.known(), true}};
    if (cold->evaluation.ok()) groups.push_back({"cold", &cold->subjects, &asked->tests, &asked->known, false});
    const auto id = [&](CustomerIndex c) { return evaluated.customer_id(c); };
    if (absl::Status s = write_customer_figures(flags.per_customer, groups, options.repeats, id); !s.ok()) return s;
  }
  if (flags.json) {
    print_json(protocol_of(flags, options, artifact, evaluated), *main, asked == nullptr ? nullptr : &*cold);
    return absl::OkStatus();
  }
  std::printf("model %s\n", artifact.version.c_str());
  if (main->evaluation.ok())
    print_main(*main->evaluation);
  else
    std::printf("\n%s\n", std::string(message_of(main->evaluation.status())).c_str());
  if (asked != nullptr) print_cold(*cold);
  return absl::OkStatus();
}

absl::Status run(const EvaluateFlags& flags, const BackendFactory& backends) {
  auto options = answer_options(flags);
  if (!options.ok()) return options.status();
  const auto backend = backends(flags.backend);
  if (!backend.ok()) return backend.status();
  const auto artifact = open_model(flags);
  if (!artifact.ok()) return artifact.status();
  const auto model = (*backend)->load((*artifact)->model);
  if (!model.ok()) return model.status();
  EvaluatedModel evaluated;
  if (absl::Status status = evaluated.prepare(flags, **artifact, **model); !status.ok()) return status;
  const auto threads = static_cast<int32_t>(std::max(1u, std::thread::hardware_concurrency()));
  options->workers = flags.backend.threads > 0 ? flags.backend.threads : threads;
  return judge_and_print(flags, *options, **artifact, **model, evaluated);
}

}  // namespace

void add_evaluate_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  auto flags = std::make_shared<EvaluateFlags>();
  CLI::App* command = app.add_subcommand("evaluate", "Judge a published model on events that it has not seen, beside both baselines");
  command->footer(
      "Examples:\n"
      "  bouquet evaluate --models models --test week.csv\n"
      "  bouquet evaluate --models models --test test.csv --k 20 --repeats include --json\n"
      "  bouquet evaluate --models models --seen new_customers.csv --test their_next_week.csv\n"
      "  bouquet evaluate --models models --customers households.csv --test first_baskets.csv");
  command->add_option("--models", flags->models, "The models directory")->required()->type_name("DIR");
  command->add_option("--version", flags->version, "The model to judge; the current one if not given")->type_name("V");
  add_read_flags(*command, flags->read, "--test");
  command
      ->add_option("--seen", flags->seen,
                   "What the customers did before: they are folded in from it. Without it, what the model was trained on")
      ->type_name("FILE...");
  command
      ->add_option(
          "--customers", flags->customers,
          "Attribute files: customers of the test of whom no event is known are judged by their rows there, in a table of their own")
      ->type_name("FILE...");
  command->add_option("--among", flags->among, "Offer, and count, only the items of this file: an id on each line")->type_name("FILE");
  command->add_option("--k", flags->lengths, "Lengths of the answers")->delimiter(',')->capture_default_str();
  command
      ->add_option("--repeats", flags->repeats,
                   "exclude: new items alone; include: as the product answers with repeats; only: repeats alone")
      ->capture_default_str();
  command->add_option("--resamples", flags->resamples, "Of the bootstrap behind the intervals")->capture_default_str();
  command->add_option("--backend", flags->backend.name, "auto, cpu or cuda")->capture_default_str();
  command->add_option("--device", flags->backend.device, "Which GPU of the cuda backend, from 0")->capture_default_str();
  command->add_option("--threads", flags->backend.threads, "Of the cpu backend; 0: as many as the machine has")->capture_default_str();
  command
      ->add_option("--per-customer", flags->per_customer,
                   "Write every customer's figures there, as CSV: of the main row (known), of the one with unknown ones (everybody), of "
                   "cold customers (cold)")
      ->type_name("FILE");
  command->add_flag("--json", flags->json, "Print one JSON document");
  command->callback([flags, backends, &exit_code] { exit_code = report(run(*flags, backends)); });
}

}  // namespace bouquet::training
