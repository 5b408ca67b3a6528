#include "server/recommend_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "engine/errors.h"
#include "server/answer_everybody.h"
#include "server/answer_options.h"
#include "server/answer_text.h"
#include "server/answerer.h"
#include "server/local_model.h"
#include "server/local_store.h"
#include "server/timestamps.h"

namespace bouquet::server {
namespace {

struct RecommendOptions {
  AnswerOptions answer;
  std::vector<std::string> customers;
  std::vector<std::string> context;
  std::vector<std::string> attributes;  // NAME=VALUE
  std::string explain = "none";
  std::string explore = "none";
  uint64_t seed = 0;
  bool stddev = false;
  bool include_purchased = false;
  bool all = false;
  std::string out;
  std::vector<std::string> group;
  std::string rule = "mean";
  std::string gift_for;
  std::string as_of_time;
  std::optional<int64_t> as_of_version;
  std::optional<int32_t> as_of_events;
};

absl::Status recommend_to_all(const RecommendOptions& options, const v1::RecommendRequest& request, const BackendFactory& backends) {
  const AnswerPlace& place = options.answer.place;
  if (!options.customers.empty()) return wrong_usage("give --customer or --all, not both");
  if (options.out.empty()) return wrong_usage("--all writes a file: give --out FILE (or - for stdout)");
  if (!place.server.empty() || place.models.empty()) return wrong_usage("--all answers from --models DIR, not from a server");
  auto model = open_model(place.models, {}, place.backend, backends);
  if (!model.ok()) return model.status();
  if (place.store.empty()) return answer_everybody(*model->served, {}, request, options.out);
  const auto store = LocalStore::open(place.store);
  if (!store.ok()) return store.status();
  const auto settings = (*store)->settings(*model->served);
  if (!settings.ok()) return settings.status();
  return answer_everybody(*model->served, *settings, request, options.out);
}

// A number, true or false, else text; "42" in double quotes is text.
v1::AttributeValue attribute_value(std::string_view text) {
  v1::AttributeValue value;
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    value.set_text(std::string(text.substr(1, text.size() - 2)));
  else if (text == "true" || text == "false")
    value.set_flag(text == "true");
  else if (double number = 0; absl::SimpleAtod(absl::string_view(text.data(), text.size()), &number))
    value.set_number(number);
  else if (!text.empty())
    value.set_text(std::string(text));
  return value;
}

absl::Status fill_asker(const RecommendOptions& options, v1::RecommendRequest* request) {
  for (const std::string& attribute : options.attributes) {
    const size_t sign = attribute.find('=');
    if (sign == std::string::npos || sign == 0) return wrong_usage("--attribute '" + attribute + "' is not NAME=VALUE");
    (*request->mutable_attributes())[attribute.substr(0, sign)] = attribute_value(std::string_view(attribute).substr(sign + 1));
  }
  if (options.explain == "top")
    request->set_explain(v1::EXPLAIN_TOP);
  else if (options.explain == "full")
    request->set_explain(v1::EXPLAIN_FULL);
  else if (options.explain != "none")
    return wrong_usage("--explain '" + options.explain + "' is unknown; it takes top or full");
  return absl::OkStatus();
}

// Microseconds since 1970. None: it is no time.
std::optional<int64_t> parse_time(const std::string& text) {
  absl::Time time;
  std::string unused;
  for (const char* format : {absl::RFC3339_full, "%Y-%m-%d"})
    if (absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &unused)) return absl::ToUnixMicros(time);
  return std::nullopt;
}

absl::Status fill_moment(const RecommendOptions& options, v1::RecommendRequest* request) {
  v1::AsOf as_of;
  int moments = 0;
  if (!options.as_of_time.empty()) {
    ++moments;
    const auto time = parse_time(options.as_of_time);
    if (!time) return wrong_usage("--as-of '" + options.as_of_time + "' is no time; write it as 2026-11-24T18:00:00Z or 2026-11-24");
    *as_of.mutable_time() = timestamp(*time);
  }
  if (options.as_of_version) ++moments, as_of.set_profile_version(*options.as_of_version);
  if (options.as_of_events) ++moments, as_of.set_event_count(*options.as_of_events);
  if (!options.answer.place.answer.empty()) ++moments, as_of.set_recommendation_id(options.answer.place.answer);
  if (moments > 1) return wrong_usage("give one of --as-of, --as-of-version, --as-of-events and --as-of-answer");
  if (moments == 1) *request->mutable_as_of() = as_of;
  return absl::OkStatus();
}

absl::Status fill_group(const RecommendOptions& options, v1::RecommendRequest* request) {
  request->set_recipient_id(options.gift_for);
  if (options.group.empty()) return absl::OkStatus();
  if (!options.customers.empty()) return wrong_usage("give --customer or --group, not both");
  if (options.rule != "mean" && options.rule != "least-misery")
    return wrong_usage("--rule '" + options.rule + "' is unknown; it takes mean or least-misery");
  for (const std::string& id : options.group) request->mutable_group()->add_customer_ids(id);
  request->mutable_group()->set_rule(options.rule == "mean" ? v1::GROUP_RULE_MEAN : v1::GROUP_RULE_LEAST_MISERY);
  return absl::OkStatus();
}

absl::Status fill_exploration(const RecommendOptions& options, v1::RecommendRequest* request) {
  request->set_include_stddev(options.stddev);
  if (options.explore == "none") return absl::OkStatus();
  if (options.explore != "thompson" && options.explore != "ucb")
    return wrong_usage("--explore '" + options.explore + "' is unknown; it takes thompson or ucb");
  request->mutable_exploration()->set_method(options.explore == "ucb" ? v1::EXPLORATION_METHOD_UCB : v1::EXPLORATION_METHOD_THOMPSON);
  request->mutable_exploration()->set_seed(options.seed);
  return absl::OkStatus();
}

std::string shown(const RecommendOptions& options, const std::string& customer, const v1::RecommendResponse& response) {
  if (options.answer.json) return as_json(response, "customer_id", customer);
  std::string known;
  if (response.events_used() > 0) known = std::to_string(response.events_used()) + " items in the history";
  if (response.attributes_used() > 0) known += (known.empty() ? "" : ", ") + std::to_string(response.attributes_used()) + " attributes";
  return (!options.group.empty() ? "group " + customer
          : customer.empty()     ? "visitor"
                                 : "customer " + customer) +
         ": " + (known.empty() ? "unknown, so what most customers bought" : known) + "\n" + as_table(response);
}

absl::Status recommend(const RecommendOptions& options, const BackendFactory& backends) {
  v1::RecommendRequest request;
  if (absl::Status s = options.answer.fill(&request); !s.ok()) return s;
  for (const std::string& id : options.context) request.add_context_item_ids(id);
  request.set_include_purchased(options.include_purchased);
  if (absl::Status s = fill_asker(options, &request); !s.ok()) return s;
  if (absl::Status s = fill_exploration(options, &request); !s.ok()) return s;
  if (absl::Status s = fill_moment(options, &request); !s.ok()) return s;
  if (absl::Status s = fill_group(options, &request); !s.ok()) return s;
  if (options.all) return recommend_to_all(options, request, backends);
  if (!options.out.empty()) return wrong_usage("--out belongs to --all; without it answers go to stdout");
  const bool of_visitor = options.customers.empty() && options.group.empty() && request.as_of().has_recommendation_id();
  if (options.customers.empty() && options.group.empty() && !of_visitor)
    return wrong_usage("give --customer ID..., --group ID..., or --all --out FILE for every customer of the model");
  auto answerer = make_answerer(options.answer.place, backends);
  if (!answerer.ok()) return answerer.status();
  std::string text;
  std::vector<std::string> asked = options.group.empty() ? options.customers : std::vector{absl::StrJoin(options.group, "+")};
  if (of_visitor) {
    request.mutable_visitor();
    asked.emplace_back();
  }
  for (const std::string& customer : asked) {
    if (options.group.empty() && !of_visitor) request.set_customer_id(customer);
    v1::RecommendResponse response;
    if (absl::Status s = (*answerer)->recommend(request, &response); !s.ok()) return s;
    if (!text.empty()) text += options.answer.json ? "," : "\n";
    text += shown(options, customer, response);
  }
  if (options.answer.json) text = "{\"answers\":[" + text + "]}\n";
  std::fputs(text.c_str(), stdout);
  return absl::OkStatus();
}

}  // namespace

void add_recommend_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  auto options = std::make_shared<RecommendOptions>();
  CLI::App* command = app.add_subcommand("recommend", "What to offer to customers next");
  command->footer(
      "Examples:\n"
      "  bouquet recommend --models models --customer 1204 -k 5\n"
      "  bouquet recommend --server 127.0.0.1:50051 --customer 1204 77 --include-purchased --json\n"
      "  bouquet recommend --models models --customer new --attribute country=DE age=34 --explain\n"
      "  bouquet recommend --server 127.0.0.1:50051 --group 1204 77 --rule least-misery\n"
      "  bouquet recommend --models models --store store --customer 1204 --as-of 2026-11-24\n"
      "  bouquet recommend --models models --store store --all --out offers.jsonl");
  command->add_option("--customer", options->customers, "Who is asked for; unknown customers get what most bought")->type_name("ID...");
  command->add_option("--group", options->group, "Customers who are asked for together, such as a household")->type_name("ID...");
  command->add_option("--rule", options->rule, "How a group agrees: mean, or least-misery (the least score of any member)")
      ->type_name("HOW")
      ->capture_default_str();
  command->add_option("--gift-for", options->gift_for, "Whom it is a gift for: their profile ranks; nothing that anybody of them has")
      ->type_name("ID");
  command
      ->add_option("--store", options->answer.place.store, "With --models: a server's store (it may go on writing), what it has counts too")
      ->type_name("DIR");
  command->add_option("--as-of", options->as_of_time, "Answer with what had happened up to then: 2026-11-24T18:00:00Z")->type_name("TIME");
  command->add_option("--as-of-version", options->as_of_version, "Answer with what had arrived up to this profile_version")->type_name("N");
  command->add_option("--as-of-events", options->as_of_events, "Answer with the first N events of the customer")->type_name("N");
  command
      ->add_option(
          "--as-of-answer", options->answer.place.answer,
          "Make the answer with this recommendation_id again, from the model version that made it with --models and --store; without "
          "--customer: one for a visitor, where the server has kept the events")
      ->type_name("ID");
  command->add_option("--context", options->context, "Items looked at right now: they count as views, for this answer alone")
      ->type_name("ITEM...");
  command->add_option("--attribute", options->attributes, "What is known of the asker, in place of what the model has stored")
      ->type_name("NAME=VALUE...");
  command->add_option("--explore", options->explore, "Offer what is to be learnt from: thompson (a profile drawn by --seed) or ucb")
      ->type_name("HOW");
  command->add_option("--seed", options->seed, "Of --explore thompson; 0: another one for each answer")->capture_default_str();
  command->add_flag("--stddev", options->stddev, "Say how sure the model is of each score");
  command->add_option("--explain", options->explain, "Say why: what each past event and attribute adds to a score; top (five) or full")
      ->type_name("HOW")
      ->expected(0, 1)
      ->default_str("top");
  command->add_flag("--include-purchased", options->include_purchased, "Also offer what the customer buys again (REPURCHASE rows, first)");
  command->add_flag("--all", options->all,
                    "Answer for every customer of the model, one JSON line each; with --store without those who were erased since, else "
                    "they have lines too");
  command->add_option("--out", options->out, "Where --all writes; - is stdout")->type_name("FILE");
  options->answer.add_to(*command);
  command->callback([options, backends, &exit_code] { exit_code = report(recommend(*options, backends)); });
}

}  // namespace bouquet::server
