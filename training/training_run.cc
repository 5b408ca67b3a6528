#include "training/training_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "training/artifact_assembly.h"
#include "training/customer_figures.h"
#include "training/empty_history.h"
#include "training/fingerprint.h"
#include "training/interactions_builder.h"
#include "training/set_attributes.h"
#include "training/uncertainty.h"
#include "training/unobserved_weight.h"

namespace bouquet::training {
namespace {

// A fit's data with what an evaluation on a later part needs. The view points into the set, so it stays where it was made.
class FittedPart {
 public:
  static absl::StatusOr<std::unique_ptr<FittedPart>> build(const Dataset& dataset, const std::vector<uint8_t>& fitted,
                                                           const std::vector<uint8_t>& judged, uint64_t seed, bool attributes) {
    auto part = std::make_unique<FittedPart>();
    auto set = training_set(dataset, fitted, attributes);
    if (!set.ok()) return set.status();
    part->set = *std::move(set);
    auto tests = build_test_set(dataset, judged, part->set.rules, RowMaps::of(dataset, part->set), kMaxTestCustomers, seed);
    if (!tests.ok()) return tests.status();
    part->tests = *std::move(tests);
    part->counts = purchase_counts(dataset, fitted, part->set.rules);
    part->known.histories = HistoriesView::of(part->set, part->counts);
    part->popularity = Popularity::of(count_item_customers(part->known.histories, part->set.interactions.item_count()));
    part->known.popularity = &part->popularity;
    return part;
  }

  TrainingSet set;
  std::vector<int32_t> counts;
  TestSet tests;
  Popularity popularity;
  Knowledge known;
};

// Of what decides the figure of an epoch beside its model.
std::string selection_mark(const FittedPart& part, Repeats repeats) {
  Fingerprint mark;
  mark.add(part.tests.customers);
  mark.add(part.tests.offsets);
  mark.add(part.tests.relevant);
  mark.add(part.known.histories.consumed);
  mark.add(part.known.histories.repurchase);
  mark.add(repeats_name(repeats));
  return mark.text();
}

class TrainingRun {
 public:
  TrainingRun(Dataset& dataset, const TrainingRequest& request, Backend& backend, Progress& progress, const FitCheckpoints* checkpoints)
      : dataset_(dataset),
        request_(request),
        backend_(backend),
        progress_(progress),
        checkpoints_(checkpoints),
        options_(request.options),
        empty_history_share_(request.empty_history_share.value_or(kUnchosenEmptyShare)),
        attributes_(has_attributes(dataset) && request.attributes != UseAttributes::kOff) {}

  absl::StatusOr<TrainingOutcome> run() {
    dataset_.rules.repurchase_half_life_days = 0;
    auto split = split_events(dataset_.events, request_.validation, request_.options.seed);
    if (!split.ok()) return split.status();
    split_ = *std::move(split);
    epochs_ = request_.epochs > 0 ? request_.epochs : kFixedEpochs;
    if (request_.validation.kind != ValidationKind::kNone) {
      if (absl::Status status = choose(); !status.ok()) return status;
      if (absl::Status status = judge_once(); !status.ok()) return status;
    }
    if (!outcome_.repurchase && dataset_.events.has_times()) dataset_.rules.repurchase_half_life_days = kUnchosenHalfLife;
    if (absl::Status status = refit(); !status.ok()) return status;
    return std::move(outcome_);
  }

 private:
  void balance(const TrainingSet& set) {
    if (!request_.balance_unobserved) return;
    options_.unobserved_weight = balanced_unobserved_weight(set.interactions.by_customer);
    progress_.note(absl::StrFormat("weight of the unobserved (alpha0), by the balance of the data: %.4g", options_.unobserved_weight));
  }

  // What attributes say is asked once, of the first set that is fitted with them.
  absl::Status use_relevance(TrainingSet& set) {
    if (!request_.attribute_relevance || (set.customer_schema.empty() && set.item_schema.empty())) return absl::OkStatus();
    if (outcome_.relevance.customers.empty() && outcome_.relevance.items.empty()) {
      auto found = find_relevance(backend_, options_, request_.workers, progress_, set, checkpoints_);
      if (!found.ok()) return found.status();
      outcome_.relevance = *std::move(found);
      progress_.note("of what attributes seem to say this share is more than chance: " + relevance_text(outcome_.relevance));
    }
    set_ridges(outcome_.relevance, options_, set);
    return absl::OkStatus();
  }

  // A fit on the fit part, with the epochs and the figure that the select part chose.
  struct Choice {
    std::unique_ptr<FittedPart> part;
    Fit fit;
    double unobserved_weight = 0;  // that was fitted with: the two sets may balance differently
    double figure = 0;             // of the select metric over everybody and every item, unknown ones missed; 0 if nothing is compared
    std::optional<std::optional<EmptyHistoryChoice>> strangers = {};  // what strangers_of() has found, once it was asked
  };

  // On the select part: whether attributes are used, the number of epochs and the repurchase head.
  absl::Status choose() {
    const bool compare = has_attributes(dataset_) && request_.attributes == UseAttributes::kAuto;
    auto chosen = attributes_ ? fit_with_regularizations(compare) : fit_and_select(false, compare);
    if (!chosen.ok()) return chosen.status();
    if (compare) {
      auto plain = fit_and_select(false, compare);
      if (!plain.ok()) return plain.status();
      attributes_ = chosen->figure > plain->figure;
      progress_.note(absl::StrFormat("attributes: %s over all customers and items of the select part %.5f with them, %.5f without: %s",
                                     metric_name(recall() ? kRecall : kNdcg, 20), chosen->figure, plain->figure,
                                     attributes_ ? "used" : "they do not help, so they are switched off"));
      if (!attributes_) chosen = std::move(plain);
    }
    options_.unobserved_weight = chosen->unobserved_weight;
    epochs_ = chosen->fit.epochs;
    outcome_.epochs = chosen->fit.reports;
    const auto loaded = backend_.load(chosen->fit.model);
    if (!loaded.ok()) return loaded.status();
    if (absl::Status s = choose_head(*chosen->part, split_.events_in(kFit), **loaded); !s.ok()) return s;
    if (absl::Status s = choose_empty_history(*chosen, **loaded); !s.ok()) return s;
    return fit_noise(*chosen->part, chosen->fit.model, **loaded);
  }

  // The fit with attributes, and the best lambda_A and lambda_B where they are to be chosen: up from the smallest for as long as it helps,
  // first for customers, then for items.
  absl::StatusOr<Choice> fit_with_regularizations(bool compare) {
    double& of_customers = options_.customer_attribute_regularization;
    double& of_items = options_.item_attribute_regularization;
    if (request_.choose_customer_attribute_regularization) of_customers = kAttributeRegularizations.front();
    if (request_.choose_item_attribute_regularization) of_items = kAttributeRegularizations.front();
    const bool any = request_.choose_customer_attribute_regularization || request_.choose_item_attribute_regularization;
    auto chosen = fit_and_select(true, compare || any);
    if (!chosen.ok()) return chosen;
    const auto climb = [&](const char* name, double& regularization) -> absl::Status {
      progress_.note(absl::StrFormat("%s %g: %.5f over all customers and items of the select part", name, regularization, chosen->figure));
      for (size_t i = 1; i < kAttributeRegularizations.size(); ++i) {
        const double before = std::exchange(regularization, kAttributeRegularizations[i]);
        auto next = fit_and_select(true, true);
        if (!next.ok()) return next.status();
        progress_.note(absl::StrFormat("%s %g: %.5f", name, regularization, next->figure));
        if (next->figure <= chosen->figure) {
          regularization = before;
          break;
        }
        chosen = std::move(next);
      }
      return absl::OkStatus();
    };
    if (request_.choose_customer_attribute_regularization && !chosen->part->set.customer_schema.empty())
      if (absl::Status s = climb("lambda_A", of_customers); !s.ok()) return s;
    if (request_.choose_item_attribute_regularization && !chosen->part->set.item_schema.empty())
      if (absl::Status s = climb("lambda_B", of_items); !s.ok()) return s;
    return chosen;
  }

  // Asked once of a fit. Nothing where it has no prior for customers, or there are too few without events.
  absl::StatusOr<std::optional<EmptyHistoryChoice>> strangers_of(Choice& fitted, const LoadedModel& loaded) {
    if (fitted.fit.model.customer_prior.map.empty()) return std::nullopt;
    if (!fitted.strangers) {
      const FittedPart& p = *fitted.part;
      auto asked =
          choose_empty_share(dataset_, p.set, p.tests, p.known, fitted.fit.model, loaded, recall() ? kRecall : kNdcg, request_.workers);
      if (!asked.ok()) return asked.status();
      fitted.strangers = *asked;
    }
    return *fitted.strangers;
  }

  // What is taken for known of customers without events.
  absl::Status choose_empty_history(Choice& fitted, const LoadedModel& loaded) {
    if (request_.empty_history_share) return absl::OkStatus();
    const auto choice = strangers_of(fitted, loaded);
    if (!choice.ok()) return choice.status();
    if (!*choice) return absl::OkStatus();
    empty_history_share_ = (*choice)->share;
    progress_.note(absl::StrFormat(
        "customers without events: %g of alpha0 counts, %s %.5f over %d of them in the select part (all of it: %.5f)", (*choice)->share,
        metric_name(recall() ? kRecall : kNdcg, 20), (*choice)->figure, (*choice)->customers, (*choice)->with_all));
    return absl::OkStatus();
  }

  // What customers without events gain by their attributes over what is popular, which they get without: of the mean over everybody.
  absl::StatusOr<double> gain_of_strangers(Choice& fitted, const LoadedModel& loaded, Repeats repeats) {
    const auto choice = strangers_of(fitted, loaded);
    if (!choice.ok()) return choice.status();
    if (!*choice) return 0.0;
    const FittedPart& p = *fitted.part;
    const auto everybody = static_cast<double>(judged_customers(p.tests, p.known.histories, repeats, true).tests.size());
    progress_.note(absl::StrFormat(
        "customers without events: %s %.5f by their attributes, %.5f by what is popular, over %d of them in the select part",
        metric_name(recall() ? kRecall : kNdcg, 20), (*choice)->figure, (*choice)->popular, (*choice)->customers));
    return ((*choice)->figure - (*choice)->popular) * (*choice)->customers / everybody;
  }

  // Into a model of a later fit.
  void take_over(Model& model) const {
    if (!model.customer_prior.map.empty()) model.constants.empty_history_share = empty_history_share_;
  }

  // How far scores of the select part are from what happened, next to what the model expects.
  absl::Status fit_noise(const FittedPart& p, const Model& model, const LoadedModel& loaded) {
    const Uncertainty uncertainty = uncertainty_of(p.set.interactions.by_item, model);
    const SparseRows later = later_pairs(dataset_, split_.events_in(kSelect), p.set, RowMaps::of(dataset_, p.set));
    const auto noise = fit_noise_variance(loaded, model, uncertainty, p.set.interactions, later, request_.options.seed);
    if (!noise.ok()) return noise.status();
    noise_variance_ = *noise;
    progress_.note(noise_variance_ > 0 ? absl::StrFormat("noise variance %.4g on the select part", noise_variance_)
                                       : std::string("noise variance: too few new pairs in the select part, so scores have no deviations"));
    return absl::OkStatus();
  }

  // The content path of a fit on `set`.
  ContentLinks links(const TrainingSet& set, const Model& model) {
    const AttributeRows attributes = set.interactions.item_attributes.rows();
    const int64_t work = content_link_work(attributes, set.interactions.by_item);
    if (work > kMostLinkWork && request_.content_weight > 0) {
      progress_.note(
          absl::StrFormat("content path: not made, it would take %.2g multiply-adds (at most %.2g); items without events are placed "
                          "by their attributes alone",
                          static_cast<double>(work), static_cast<double>(kMostLinkWork)));
      return {};
    }
    return link_content(attributes, set.interactions.by_item, model, request_.content_weight, request_.workers);
  }

  bool recall() const { return request_.select_metric == SelectMetric::kRecall; }

  absl::StatusOr<Choice> fit_and_select(bool attributes, bool compare) {
    const std::vector<uint8_t> fitted = split_.events_in(kFit);
    auto part = FittedPart::build(dataset_, fitted, split_.events_in(kSelect), request_.options.seed, attributes);
    if (!part.ok()) return part.status();
    const FittedPart& p = **part;
    balance(p.set);
    if (absl::Status s = use_relevance((*part)->set); !s.ok()) return s;
    const ListMetric metric = recall() ? kRecall : kNdcg;
    Repeats repeats = Repeats::kExclude;
    if (judged_customers(p.tests, p.known.histories, repeats, false).tests.empty()) {
      // Nobody took anything new: what the model gives between the repeats is all there is to look at.
      repeats = Repeats::kInclude;
      progress_.note("nobody has a known new item in the select part: epochs are chosen with repeats included");
    }
    const AnswerOptions answering = selecting_answers(request_, repeats);
    const auto figure = [&](const LoadedModel& model) -> absl::StatusOr<double> {
      const auto answers = answers_of_model(model, p.tests, p.known, answering);
      if (!answers.ok()) return answers.status();
      return mean_metric(*answers, 0, metric, p.tests, p.known, repeats);
    };
    const int32_t max_epochs = request_.epochs > 0 ? request_.epochs : kMaxEpochs;
    // Within the warm-up attributes are not used at all.
    const FitPlan plan{.stage = attributes ? "choosing on the select part, with attributes" : "choosing on the select part",
                       .max_epochs = max_epochs,
                       .min_epochs = attributes ? std::min(options_.attribute_warmup + 1, max_epochs) : 1,
                       .patience = request_.patience,
                       .metric = metric_name(metric, answering.lengths.back()),
                       .judging = judging_shape(p.set.interactions, options_.dimension, answering),
                       .selects_on = checkpoints_ == nullptr ? std::string() : selection_mark(p, repeats)};
    auto fit = fit_model(backend_, p.set.interactions, options_, plan, figure, progress_, checkpoints_);
    if (!fit.ok()) return fit.status();
    Choice choice{*std::move(part), *std::move(fit), options_.unobserved_weight};
    if (compare) {
      const auto loaded = backend_.load(choice.fit.model);
      if (!loaded.ok()) return loaded.status();
      const auto answers = answers_of_model(**loaded, p.tests, p.known, answering);
      if (!answers.ok()) return answers.status();
      choice.figure = mean_metric(*answers, 0, metric, p.tests, p.known, repeats, true);
      const auto gain = gain_of_strangers(choice, **loaded, repeats);
      if (!gain.ok()) return gain.status();
      choice.figure += *gain;
    }
    return choice;
  }

  absl::Status choose_head(const FittedPart& p, const std::vector<uint8_t>& fitted, const LoadedModel& loaded) {
    const auto fresh = answers_of_model(loaded, p.tests, p.known,
                                        {.repeats = Repeats::kExclude, .lengths = {kRepurchaseLength}, .workers = request_.workers});
    if (!fresh.ok()) return fresh.status();
    const RepurchaseChoice choice = choose_repurchase(dataset_, fitted, p.set.rules, p.tests, p.known, *fresh);
    progress_.note(absl::StrFormat("repurchase head: half-life %s, share %.1f, recall@%d %.5f on the select part",
                                   choice.half_life_days > 0 ? absl::StrFormat("%g days", choice.half_life_days) : std::string("none"),
                                   choice.share, kRepurchaseLength, choice.recall));
    outcome_.repurchase = choice;
    dataset_.rules.repurchase_half_life_days = choice.half_life_days;
    return absl::OkStatus();
  }

  // Everything up to the judge part, with what was chosen; then the one look at the judge part.
  absl::Status judge_once() {
    auto part = FittedPart::build(dataset_, split_.events_in(kFit | kSelect), split_.events_in(kJudge), request_.options.seed, attributes_);
    if (!part.ok()) return part.status();
    FittedPart& p = **part;
    p.known.repurchase_share = outcome_.repurchase->share;
    if (absl::Status s = use_relevance(p.set); !s.ok()) return s;
    const FitPlan plan{.stage = "fitting up to the judge part", .max_epochs = epochs_, .patience = 0, .metric = ""};
    auto fit = fit_model(backend_, p.set.interactions, options_, plan, {}, progress_, checkpoints_);
    if (!fit.ok()) return fit.status();
    take_over(fit->model);
    const auto loaded = backend_.load(fit->model);
    if (!loaded.ok()) return loaded.status();
    const ContentLinks content = links(p.set, fit->model);
    p.known.model = &fit->model;
    p.known.content = &content;
    progress_.begin("judging", 2);
    for (const Repeats repeats : {Repeats::kExclude, Repeats::kInclude}) {
      auto evaluation = evaluate(**loaded, p.tests, p.known, {.repeats = repeats, .lengths = request_.lengths, .workers = request_.workers},
                                 {.resamples = request_.resamples, .seed = request_.options.seed, .threads = request_.workers});
      if (evaluation.ok())
        outcome_.evaluations.push_back(*std::move(evaluation));
      else if (evaluation.status().code() != absl::StatusCode::kFailedPrecondition)
        return evaluation.status();
      else
        progress_.note(std::string(evaluation.status().message()));
      progress_.step(repeats == Repeats::kExclude ? 1 : 2, "");
    }
    if (outcome_.evaluations.empty())
      return absl::FailedPreconditionError("nobody is left to judge the model on; choose another --validation");
    progress_.end(absl::StrFormat("%d customers", outcome_.evaluations.back().tables[0].customers));
    return calibrate(p, **loaded);
  }

  // From scores to probabilities, on the judge part.
  absl::Status calibrate(const FittedPart& p, const LoadedModel& loaded) {
    const auto tests = build_test_set(dataset_, split_.events_in(kJudge), p.set.rules, RowMaps::of(dataset_, p.set),
                                      kMaxCalibrationCustomers, request_.options.seed);
    if (!tests.ok()) return tests.status();
    calibration_.horizon_days = horizon_days();
    calibration_.length = request_.lengths.back();
    for (const AnswerSource source : {AnswerSource::kModel, AnswerSource::kRepurchase})
      for (int kind = 0; kind < kItemKindCount; ++kind)
        if (absl::Status s = calibrate(p, loaded, *tests, source, static_cast<ItemKind>(kind)); !s.ok()) return s;
    return absl::OkStatus();
  }

  // On answers of one kind alone: a handful of actions would never be among the best of thousands of products.
  absl::Status calibrate(const FittedPart& p, const LoadedModel& loaded, const TestSet& tests, AnswerSource source, ItemKind kind) {
    std::vector<uint64_t> of_kind(static_cast<size_t>(bitmap_word_count(static_cast<int64_t>(p.set.items.size()))), 0);
    size_t count = 0;
    for (size_t i = 0; i < p.set.items.size(); ++i)
      if (dataset_.catalog.kind(p.set.items[i]) == kind) of_kind[i >> 6] |= uint64_t{1} << (i & 63), ++count;
    if (count == 0) return absl::OkStatus();
    Knowledge known = p.known;
    if (count < p.set.items.size()) known.among = {of_kind};
    const Repeats repeats = source == AnswerSource::kModel ? Repeats::kExclude : Repeats::kOnly;
    const auto answers = answers_of_model(
        loaded, tests, known, {.repeats = repeats, .lengths = {calibration_.length}, .workers = request_.workers, .keep_longest = true});
    if (!answers.ok()) return answers.status();
    std::vector<OfferedRow> rows;
    const auto length = static_cast<size_t>(calibration_.length);
    for (int32_t t = 0; t < tests.size(); ++t) {
      const auto relevant = tests.relevant_of(t);
      for (const AnswerRow& row : std::span(answers->longest).subspan(static_cast<size_t>(t) * length, length))
        if (row.item != kNone) rows.push_back({t, row.score, std::binary_search(relevant.begin(), relevant.end(), row.item)});
    }
    const BootstrapOptions bootstrap{.resamples = request_.resamples, .seed = request_.options.seed, .threads = request_.workers};
    CalibrationMap map = fit_calibration(rows, bootstrap);
    if (map.scores.empty()) return absl::OkStatus();
    map.source = source;
    map.kind = kind;
    outcome_.reliability.push_back(reliability(map, rows, bootstrap.seed, kReliabilityBins));
    calibration_.maps.push_back(std::move(map));
    return absl::OkStatus();
  }

  double horizon_days() const {
    if (!request_.validation.cuts_by_time()) return 0;
    const int64_t newest = *std::ranges::max_element(dataset_.events.times);
    return static_cast<double>(newest - split_.judge_time) / 86400e6;
  }

  absl::Status refit() {
    auto set = training_set(dataset_, {}, attributes_);
    if (!set.ok()) return set.status();
    if (request_.validation.kind == ValidationKind::kNone) balance(*set);
    if (absl::Status s = use_relevance(*set); !s.ok()) return s;
    const FitPlan plan{.stage = "fitting on everything", .max_epochs = epochs_, .patience = 0, .metric = ""};
    auto fit = fit_model(backend_, set->interactions, options_, plan, {}, progress_, checkpoints_);
    if (!fit.ok()) return fit.status();
    take_over(fit->model);
    if (outcome_.epochs.empty()) outcome_.epochs = fit->reports;
    AssemblyParts parts;
    parts.recipe.options = options_;
    parts.recipe.epochs = epochs_;
    parts.recipe.validation = to_string(request_.validation);
    parts.recipe.select_time = split_.select_time;
    parts.recipe.judge_time = split_.judge_time;
    parts.recipe.backend = backend_.description();
    parts.recipe.sources = dataset_.sources;
    parts.recipe.store = dataset_.store;
    parts.repurchase.share = outcome_.repurchase ? outcome_.repurchase->share : kUnchosenShare;
    for (const Evaluation& evaluation : outcome_.evaluations) {
      parts.metrics.insert(parts.metrics.end(), evaluation.tables.begin(), evaluation.tables.end());
      for (MetricTable difference : evaluation.differences) {
        difference.subject = "model minus " + difference.subject;
        parts.metrics.push_back(std::move(difference));
      }
    }
    parts.content_links = links(*set, fit->model);
    parts.uncertainty = uncertainty_of(set->interactions.by_item, fit->model);
    parts.uncertainty.noise_variance = noise_variance_;
    parts.calibration = std::move(calibration_);
    outcome_.artifact = assemble_artifact(dataset_, *std::move(set), std::move(fit->model), std::move(parts));
    return absl::OkStatus();
  }

  Dataset& dataset_;
  const TrainingRequest& request_;
  Backend& backend_;
  Progress& progress_;
  const FitCheckpoints* const checkpoints_;
  TrainingOptions options_;  // the request's, with what is chosen
  Split split_;
  int32_t epochs_ = 0;
  double noise_variance_ = 0;
  double empty_history_share_;
  Calibration calibration_;
  bool attributes_;
  TrainingOutcome outcome_;
};

}  // namespace

AnswerOptions selecting_answers(const TrainingRequest& request, Repeats repeats) {
  return {.repeats = repeats, .lengths = {20}, .workers = request.workers};
}

absl::StatusOr<TrainingOutcome> run_training(Dataset& dataset, const TrainingRequest& request, Backend& backend, Progress& progress,
                                             const FitCheckpoints* checkpoints) {
  return TrainingRun(dataset, request, backend, progress, checkpoints).run();
}

}  // namespace bouquet::training
