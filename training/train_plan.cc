#include "training/train_plan.h"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "engine/errors.h"
#include "training/attribute_config.h"
#include "training/event_types_config.h"

namespace bouquet::training {
namespace {

absl::StatusOr<Publish> parse_publish(const std::string& name) {
  if (name == "always") return Publish::kAlways;
  if (name == "never") return Publish::kNever;
  if (name == "if-better") return absl::UnimplementedError("--publish if-better is not built yet; use always or never");
  return wrong_usage("--publish '" + name + "' is unknown; it takes always, if-better or never");
}

absl::StatusOr<UseAttributes> parse_use_attributes(const std::string& name) {
  if (name == "auto") return UseAttributes::kAuto;
  if (name == "on") return UseAttributes::kOn;
  if (name == "off") return UseAttributes::kOff;
  return wrong_usage("--attributes '" + name + "' is unknown; it takes auto, on or off");
}

// True: auto. Else `number` is what it says.
absl::StatusOr<bool> number_or_auto(std::string_view flag, const std::string& text, double& number) {
  if (text == "auto") return true;
  if (absl::SimpleAtod(text, &number)) return false;
  return wrong_usage("--" + std::string(flag) + " '" + text + "' is not a number; it takes one, or auto");
}

absl::Status read_learning_options(const TrainFlags& flags, TrainingRequest& request) {
  const auto solver = parse_solver(flags.solver);
  if (!solver.ok()) return solver.status();
  request.options = flags.options;
  request.options.solver = *solver;
  TrainingOptions& o = request.options;
  const auto balance = number_or_auto("unobserved-weight", flags.unobserved_weight, o.unobserved_weight);
  if (!balance.ok()) return balance.status();
  request.balance_unobserved = *balance;
  const auto customers =
      number_or_auto("customer-attribute-regularization", flags.customer_attribute_regularization, o.customer_attribute_regularization);
  if (!customers.ok()) return customers.status();
  request.choose_customer_attribute_regularization = *customers;
  const auto items = number_or_auto("item-attribute-regularization", flags.item_attribute_regularization, o.item_attribute_regularization);
  if (!items.ok()) return items.status();
  request.choose_item_attribute_regularization = *items;
  return validate(o);
}

// Reads the tables of the file that say what the data mean.
absl::Status read_data_tables(const std::string& path, ReadOptions& reading) {
  std::ifstream file(path);
  if (!file) return missing_input("--config " + path + ": cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  try {
    const toml::table config = toml::parse(text.str());
    auto types = event_types_from(config);
    if (!types.ok()) return types.status();
    reading.event_types = *std::move(types);
    auto attributes = attribute_settings_from(config);
    if (!attributes.ok()) return attributes.status();
    reading.attribute_settings = *std::move(attributes);
    return absl::OkStatus();
  } catch (const toml::parse_error& error) {
    return wrong_usage(path + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
}

}  // namespace

absl::StatusOr<TrainPlan> plan_of(const TrainFlags& flags) {
  TrainPlan plan;
  auto reading = read_options(flags.read);
  if (!reading.ok()) return reading.status();
  plan.reading = *std::move(reading);
  if (!flags.config.empty())
    if (absl::Status status = read_data_tables(flags.config, plan.reading); !status.ok()) return status;
  plan.reading.customer_files = flags.customer_files;
  const auto use = parse_use_attributes(flags.attributes);
  if (!use.ok()) return use.status();
  plan.request.attributes = *use;
  if (flags.attribute_relevance != "on" && flags.attribute_relevance != "off")
    return wrong_usage("--attribute-relevance '" + flags.attribute_relevance + "' is unknown; it takes on or off");
  plan.request.attribute_relevance = flags.attribute_relevance == "on";
  const bool any =
      !flags.customer_files.empty() || !flags.store.empty() || !plan.reading.item_files.empty() || !plan.reading.attribute_settings.empty();
  plan.reading.attributes = any && *use != UseAttributes::kOff;
  if (*use == UseAttributes::kOff && !flags.customer_files.empty())
    return wrong_usage("--customers names attributes, and --attributes off says not to use any; leave one out");
  const auto publish = parse_publish(flags.publish);
  if (!publish.ok()) return publish.status();
  plan.publish = *publish;
  if (flags.models.empty() && plan.publish != Publish::kNever && !flags.dry_run)
    return wrong_usage("--models DIR says where to publish; without it use --publish never or --dry-run");
  if (absl::Status status = read_learning_options(flags, plan.request); !status.ok()) return status;
  if (!(flags.content_weight >= 0 && flags.content_weight <= 100))
    return wrong_usage("--content-weight is " + std::to_string(flags.content_weight) + "; it must be from 0 to 100");
  plan.request.content_weight = flags.content_weight;
  if (flags.empty_history_share != "auto") {
    double share = -1;
    if (!absl::SimpleAtod(flags.empty_history_share, &share) || !(share >= 0 && share <= 1))
      return wrong_usage("--empty-history-share '" + flags.empty_history_share + "' is no number from 0 to 1; or auto");
    plan.request.empty_history_share = share;
  }
  if (flags.epochs < 0 || flags.epochs > 1000)
    return wrong_usage("--epochs is " + std::to_string(flags.epochs) + "; it must be from 1 to 1000, or 0 for the default");
  plan.request.epochs = flags.epochs;
  if (flags.select_metric != "ndcg" && flags.select_metric != "recall")
    return wrong_usage("--select-metric '" + flags.select_metric + "' is unknown; it takes ndcg or recall");
  plan.request.select_metric = flags.select_metric == "recall" ? SelectMetric::kRecall : SelectMetric::kNdcg;
  plan.validation_by_data = flags.validation == "auto";
  if (!plan.validation_by_data) {
    const auto validation = parse_validation(flags.validation);
    if (!validation.ok()) return validation.status();
    plan.request.validation = *validation;
    if (validation->kind == ValidationKind::kNone &&
        (plan.request.choose_customer_attribute_regularization || plan.request.choose_item_attribute_regularization))
      return wrong_usage("--validation none leaves nothing that attribute regularization 'auto' could be chosen on: say a number");
  }
  const auto threads = static_cast<int32_t>(std::max(1u, std::thread::hardware_concurrency()));
  plan.request.workers = flags.backend.threads > 0 ? flags.backend.threads : threads;
  return plan;
}

}  // namespace bouquet::training
