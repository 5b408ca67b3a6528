#include "training/evaluate_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/errors.h"
#include "engine/models_directory.h"
#include "training/evaluation_report.h"
#include "training/event_reader.h"
#include "training/read_flags.h"
#include "training/seen_events.h"

namespace bouquet::training {
namespace {

struct EvaluateFlags {
  ReadFlags read;  // --test and how to read it; --seen is read alike
  std::vector<std::string> seen;
  std::string models, version, among;
  std::vector<int32_t> lengths{10, 20, 100};
  std::string repeats = "exclude";
  BackendChoice backend;
  int32_t resamples = 2000;
  bool json = false;
};

absl::StatusOr<AnswerOptions> answer_options(const EvaluateFlags& flags) {
  AnswerOptions out{.repeats = Repeats::kExclude, .lengths = flags.lengths};
  const auto repeats = parse_repeats(flags.repeats);
  if (!repeats.ok()) return repeats.status();
  out.repeats = *repeats;
  std::sort(out.lengths.begin(), out.lengths.end());
  out.lengths.erase(std::unique(out.lengths.begin(), out.lengths.end()), out.lengths.end());
  if (out.lengths.empty() || out.lengths.front() < 1 || out.lengths.back() > kMaxK)
    return wrong_usage("--k takes lengths of answers from 1 to " + std::to_string(kMaxK) + ", such as --k 10,20,100");
  if (flags.resamples < 1) return wrong_usage("--resamples is " + std::to_string(flags.resamples) + "; it must be at least 1");
  return out;
}

absl::StatusOr<std::shared_ptr<const Artifact>> open_model(const EvaluateFlags& flags) {
  auto directory = ModelsDirectory::open_existing(flags.models);
  if (!directory.ok()) return directory.status();
  return flags.version.empty() ? directory->load_current() : directory->load(flags.version);
}

absl::StatusOr<Dataset> read_events(ReadOptions options, const std::vector<std::string>& files, const Artifact& artifact) {
  options.event_files = files;
  options.event_types = artifact.rules.types;
  options.max_history = artifact.rules.max_history;
  return read_dataset(options);
}

// What is known of the customers: the model's own histories, or those of the --seen files.
class Evaluated {
 public:
  absl::Status prepare(const EvaluateFlags& flags, const Artifact& artifact, const LoadedModel& model) {
    const auto options = read_options(flags.read);
    if (!options.ok()) return options.status();
    auto test = read_events(*options, options->event_files, artifact);
    if (!test.ok()) return test.status();
    RowMaps rows = rows_in(*test, artifact.customer_ids, artifact.item_ids);
    known_.histories = HistoriesView::of(artifact.histories);
    if (!flags.seen.empty()) {
      const auto seen = read_events(*options, flags.seen, artifact);
      if (!seen.ok()) return seen.status();
      auto folded = fold_in_seen(*seen, artifact, model);
      if (!folded.ok()) return folded.status();
      seen_ = *std::move(folded);
      for (int32_t c = 0; c < test->customers.size(); ++c) {
        const int32_t at = seen->customers.find(test->customers.id(c));
        rows.customers[static_cast<size_t>(c)] = at == kNone ? kNone : seen_.row_of[static_cast<size_t>(at)];
      }
      known_.histories = HistoriesView::of(seen_.histories);
      known_.profiles = {seen_.profiles.data(), known_.histories.rows(), artifact.model.dimension};
    }
    if (known_.histories.counts.empty() && !known_.histories.items.empty())
      return absl::FailedPreconditionError("model " + artifact.version +
                                           " does not keep how often its customers bought; give --seen FILE...");
    popularity_ = Popularity::of({artifact.item_customers.begin(), artifact.item_customers.end()});
    known_.popularity = &popularity_;
    known_.repurchase_share = artifact.repurchase.share;
    known_.model = &artifact.model;
    known_.content = &artifact.content_links;
    auto tests = build_test_set(*test, {}, artifact.rules, rows);
    if (!tests.ok()) return tests.status();
    tests_ = *std::move(tests);
    if (!flags.among.empty())
      if (absl::Status s = restrict_to(flags.among, artifact.item_ids); !s.ok()) return s;
    test_sources_ = test->sources;
    return absl::OkStatus();
  }

  const TestSet& tests() const { return tests_; }
  const Knowledge& known() const { return known_; }
  const std::vector<std::string>& test_sources() const { return test_sources_; }

 private:
  absl::Status restrict_to(const std::string& path, const IdTable& items) {
    std::ifstream file(path);
    if (!file) return missing_input("--among " + path + ": cannot be read");
    among_.assign(static_cast<size_t>(bitmap_word_count(items.size())), 0);
    int64_t known = 0, lines = 0;
    for (std::string id; std::getline(file, id); ++lines) {
      if (!id.empty() && id.back() == '\r') id.pop_back();
      const int32_t item = items.find(id);
      if (item == kNone) continue;
      ++known;
      among_[static_cast<size_t>(item >> 6)] |= uint64_t{1} << (item & 63);
    }
    if (known == 0)
      return bad_input("--among " + path + ": the model knows none of its " + std::to_string(lines) + " ids (one on each line)");
    known_.among = {among_};
    tests_ = restricted(tests_, known_.among);
    if (tests_.size() == 0) return bad_input("--among " + path + ": no customer of the test took any of these items");
    return absl::OkStatus();
  }

  SeenCustomers seen_;
  std::vector<uint64_t> among_;
  Popularity popularity_;
  Knowledge known_;
  TestSet tests_;
  std::vector<std::string> test_sources_;
};

void print(const EvaluateFlags& flags, const Artifact& artifact, const Evaluated& evaluated, const Evaluation& evaluation) {
  if (flags.json) {
    auto json = evaluation_json(evaluation);
    auto& protocol = json["protocol"];
    protocol["model"] = artifact.version;
    protocol["test"] = evaluated.test_sources();
    protocol["seen"] = flags.seen.empty() ? nlohmann::ordered_json("the model's histories") : nlohmann::ordered_json(flags.seen);
    protocol["test_customers"] = evaluated.tests().size();
    if (!flags.among.empty()) protocol["among"] = std::filesystem::path(flags.among).filename().string();
    protocol["resamples"] = flags.resamples;
    protocol["repurchase_share"] = artifact.repurchase.share;
    std::printf("%s\n", json.dump(2).c_str());
    return;
  }
  std::printf("model %s\n", artifact.version.c_str());
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

absl::Status run(const EvaluateFlags& flags, const BackendFactory& backends) {
  auto options = answer_options(flags);
  if (!options.ok()) return options.status();
  const auto backend = backends(flags.backend);
  if (!backend.ok()) return backend.status();
  const auto artifact = open_model(flags);
  if (!artifact.ok()) return artifact.status();
  const auto model = (*backend)->load((*artifact)->model);
  if (!model.ok()) return model.status();
  Evaluated evaluated;
  if (absl::Status status = evaluated.prepare(flags, **artifact, **model); !status.ok()) return status;
  const auto threads = static_cast<int32_t>(std::max(1u, std::thread::hardware_concurrency()));
  options->workers = flags.backend.threads > 0 ? flags.backend.threads : threads;
  const auto evaluation =
      evaluate(**model, evaluated.tests(), evaluated.known(), *options,
               {.resamples = flags.resamples, .seed = 1, .threads = options->workers}, (*artifact)->item_attributes.table.rows());
  if (!evaluation.ok()) return evaluation.status();
  print(flags, **artifact, evaluated, *evaluation);
  return absl::OkStatus();
}

}  // namespace

void add_evaluate_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  auto flags = std::make_shared<EvaluateFlags>();
  CLI::App* command = app.add_subcommand("evaluate", "Judge a published model on events that it has not seen, beside both baselines");
  command->footer(
      "Examples:\n"
      "  bouquet evaluate --models models --test week.csv\n"
      "  bouquet evaluate --models models --test test.csv --k 20 --repeats include --json\n"
      "  bouquet evaluate --models models --seen new_customers.csv --test their_next_week.csv");
  command->add_option("--models", flags->models, "The models directory")->required()->type_name("DIR");
  command->add_option("--version", flags->version, "The model to judge; the current one if not given")->type_name("V");
  add_read_flags(*command, flags->read, "--test");
  command
      ->add_option("--seen", flags->seen,
                   "What the customers did before: they are folded in from it. Without it, what the model was trained on")
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
  command->add_flag("--json", flags->json, "Print one JSON document");
  command->callback([flags, backends, &exit_code] { exit_code = report(run(*flags, backends)); });
}

}  // namespace bouquet::training
