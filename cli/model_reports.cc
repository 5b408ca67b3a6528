#include "cli/model_reports.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "absl/strings/str_format.h"
#include "engine/errors.h"
#include "training/evaluation_report.h"

namespace bouquet::cli {
namespace {

using Json = nlohmann::ordered_json;

const MetricTable* model_metrics(const Manifest& manifest) {
  for (const MetricTable& table : manifest.artifact.metrics)
    if (table.subject == "model") return &table;
  return manifest.artifact.metrics.empty() ? nullptr : &manifest.artifact.metrics.front();
}

bool ends_with_k(const Metric& metric, std::string_view k) { return metric.name.ends_with(k); }

// Figures are shown at one k: 20 where it was measured, else the first. The others are in the JSON.
std::string shown_k(const MetricTable& table) {
  for (const Metric& m : table.metrics)
    if (ends_with_k(m, "@20")) return "@20";
  const std::string& first = table.metrics.front().name;
  return first.substr(std::min(first.find('@'), first.size()));
}

// The first two figures of the model itself, as they fit on a line.
std::string short_metrics(const Manifest& manifest) {
  const MetricTable* table = model_metrics(manifest);
  if (table == nullptr || table->metrics.empty()) return "not evaluated";
  std::string text;
  int shown = 0;
  for (const Metric& m : table->metrics)
    if (shown < 2 && ends_with_k(m, shown_k(*table))) text += absl::StrFormat("%s%s %.4f", shown++ == 0 ? "" : "  ", m.name, m.value);
  return text;
}

Json metrics_json(const Manifest& manifest) {
  Json all = Json::array();
  for (const MetricTable& table : manifest.artifact.metrics) {
    Json metrics = Json::object();
    for (const Metric& m : table.metrics) metrics[m.name] = {{"value", m.value}, {"low", m.low}, {"high", m.high}};
    all.push_back({{"subject", table.subject}, {"repeats", table.repeats}, {"customers", table.customers}, {"metrics", metrics}});
  }
  return all;
}

Json replaces_json(const Manifest& m) {
  Json all = Json::array();
  for (const ReplacedVersion& one : m.artifact.replaces) all.push_back({{"version", one.version}, {"time", utc_text(one.time)}});
  return all;
}

Json summary_json(const ListedModel& model) {
  Json json = {{"version", model.version}, {"current", model.current}};
  if (!model.manifest.ok()) {
    json["damaged"] = std::string(message_of(model.manifest.status()));
    return json;
  }
  const Manifest& m = *model.manifest;
  json.update(Json{{"created_at", utc_text(m.artifact.created_at)},
                   {"parent", m.artifact.parent},
                   {"replaces", replaces_json(m)},
                   {"bytes", bytes_of(m)},
                   {"customers", m.customer_count},
                   {"items", m.item_count},
                   {"pairs", m.pair_count},
                   {"dimension", m.artifact.model.dimension},
                   {"metrics", metrics_json(m)}});
  return json;
}

std::string recipe_text(const Recipe& recipe) {
  const TrainingOptions& o = recipe.options;
  std::string sources;
  for (const std::string& source : recipe.sources) sources += (sources.empty() ? "" : ", ") + source;
  return absl::StrFormat(
      "trained by     bouquet %s on %s\n"
      "from           %s%s\n"
      "settings       solver %s, %d epochs, unobserved weight %g, regularization %g, exponent %g, seed %d\n"
      "validation     %s; select from %s, judge from %s\n",
      recipe.program_version, recipe.backend, sources.empty() ? "-" : sources, recipe.distinct ? " (distinct rows)" : "",
      std::string(solver_name(o.solver)), recipe.epochs, o.unobserved_weight, o.regularization, o.regularization_exponent, o.seed,
      recipe.validation, utc_text(recipe.select_time), utc_text(recipe.judge_time));
}

std::string rules_text(const EventRules& rules) {
  std::string text =
      absl::StrFormat("events up to   %s; the newest %d pairs of a customer\n", utc_text(rules.reference_time), rules.max_history);
  for (const EventType& t : rules.types)
    text +=
        absl::StrFormat("  %-12s weight %g%s%s, %s%s%s\n", t.name, t.weight, t.consumes ? ", consumes" : "", t.returns ? ", returns" : "",
                        std::string(transform_name(t.transform)), t.value_cap > 0 ? absl::StrFormat(" up to %g", t.value_cap) : "",
                        t.half_life_days > 0 ? absl::StrFormat(", half-life %g days", t.half_life_days) : "");
  return text;
}

// Model and baselines side by side, for one way to treat repeats. Their differences are left to the JSON.
std::string metrics_text(const std::vector<const MetricTable*>& beside) {
  std::string text = absl::StrFormat("repeats %s, %d customers\n  %-16s", beside[0]->repeats, beside[0]->customers, "");
  for (const MetricTable* table : beside) text += absl::StrFormat("%-26s", table->subject);
  text += "\n";
  if (beside[0]->metrics.empty()) return text;
  const std::string k = shown_k(*beside[0]);
  for (size_t i = 0; i < beside[0]->metrics.size(); ++i) {
    if (!ends_with_k(beside[0]->metrics[i], k)) continue;
    text += absl::StrFormat("  %-16s", beside[0]->metrics[i].name);
    for (const MetricTable* table : beside) {
      const bool measured = i < table->metrics.size() && table->metrics[i].name == beside[0]->metrics[i].name;
      const Metric m = measured ? table->metrics[i] : Metric{};
      text += measured ? absl::StrFormat("%.4f [%.4f, %.4f]   ", m.value, m.low, m.high) : absl::StrFormat("%-26s", "-");
    }
    text += "\n";
  }
  return text;
}

std::string metrics_text(const Manifest& manifest) {
  std::string text;
  std::set<std::string> ways;
  for (const MetricTable& table : manifest.artifact.metrics) {
    if (!ways.insert(table.repeats).second) continue;
    std::vector<const MetricTable*> beside;
    for (const MetricTable& other : manifest.artifact.metrics)
      if (other.repeats == table.repeats && other.subject.find(" minus ") == std::string::npos) beside.push_back(&other);
    if (!beside.empty()) text += metrics_text(beside);
  }
  return text;
}

// The figures of the model itself in both versions, by name.
struct MetricPair {
  std::string name;
  double before, after;
};
std::vector<MetricPair> common_metrics(const Manifest& first, const Manifest& second) {
  std::vector<MetricPair> pairs;
  const MetricTable *a = model_metrics(first), *b = model_metrics(second);
  if (a == nullptr || b == nullptr || a->repeats != b->repeats) return pairs;
  for (const Metric& before : a->metrics)
    for (const Metric& after : b->metrics)
      if (before.name == after.name) pairs.push_back({before.name, before.value, after.value});
  return pairs;
}

Json overlap_json(const Overlap& o) { return {{"both", o.both}, {"only_first", o.only_first}, {"only_second", o.only_second}}; }

}  // namespace

std::string utc_text(int64_t microseconds) {
  if (microseconds == 0) return "-";
  using namespace std::chrono;
  const auto time = floor<seconds>(sys_time<std::chrono::microseconds>(std::chrono::microseconds(microseconds)));
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss<seconds> clock(time - midnight);
  return absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                         static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

std::string size_text(int64_t bytes) {
  if (bytes < 1000) return absl::StrFormat("%d B", bytes);
  const char* units[] = {"kB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  for (; size >= 1000 && unit + 1 < std::size(units); ++unit) size /= 1000;
  return absl::StrFormat("%.1f %s", size, units[unit]);
}

int64_t bytes_of(const Manifest& manifest) {
  int64_t bytes = 0;
  for (const Section& section : manifest.sections) bytes += section.bytes;
  return bytes;
}

std::string list_text(const std::vector<ListedModel>& models) {
  if (models.empty()) return "no models\n";
  std::string text = absl::StrFormat("  %-25s  %-20s  %10s  %10s  %10s  %5s  %s\n", "version", "trained", "size", "customers", "items", "d",
                                     "figures of the model");
  for (const ListedModel& model : models) {
    text += absl::StrFormat("%s %-25s  ", model.current ? "*" : " ", model.version);
    if (!model.manifest.ok()) {
      text += "damaged: " + std::string(message_of(model.manifest.status())) + "\n";
      continue;
    }
    const Manifest& m = *model.manifest;
    text += absl::StrFormat("%-20s  %10s  %10d  %10d  %5d  %s\n", utc_text(m.artifact.created_at), size_text(bytes_of(m)), m.customer_count,
                            m.item_count, m.artifact.model.dimension, short_metrics(m));
  }
  return text;
}

std::string show_text(const ListedModel& model) {
  if (!model.manifest.ok()) return model.version + ": damaged: " + std::string(message_of(model.manifest.status())) + "\n";
  const Manifest& m = *model.manifest;
  std::string text = absl::StrFormat(
      "version        %s%s\n"
      "trained        %s, after %s\n"
      "size           %s in %d sections, format %d.%d\n"
      "counts         %d customers, %d items, %d pairs, %d baskets, dimension %d\n",
      model.version, model.current ? " (current)" : "", utc_text(m.artifact.created_at),
      m.artifact.parent.empty() ? "none" : m.artifact.parent, size_text(bytes_of(m)), m.sections.size(), m.major, m.minor, m.customer_count,
      m.item_count, m.pair_count, m.artifact.co_purchases.basket_count, m.artifact.model.dimension);
  for (const ReplacedVersion& one : m.artifact.replaces)
    text += absl::StrFormat("replaces       %s since %s, without the rows of erased customers\n", one.version, utc_text(one.time));
  text += recipe_text(m.artifact.recipe) + rules_text(m.artifact.rules);
  text += absl::StrFormat("repurchase     up to %g of an answer, half-life %g days\n", m.artifact.repurchase.share,
                          m.artifact.rules.repurchase_half_life_days);
  return text + metrics_text(m) + training::calibration_text(m.artifact.calibration);
}

std::string diff_text(const Manifest& first, const Manifest& second, const ModelDifference& d) {
  std::string text = absl::StrFormat("%s -> %s\n", first.artifact.version, second.artifact.version);
  const auto count = [&](const char* name, int64_t before, int64_t after, const Overlap* o) {
    text += absl::StrFormat("%-14s %d -> %d", name, before, after);
    if (o != nullptr) text += absl::StrFormat("  (%d in both, %d gone, %d new)", o->both, o->only_first, o->only_second);
    text += "\n";
  };
  count("customers", first.customer_count, second.customer_count, &d.customers);
  count("items", first.item_count, second.item_count, &d.items);
  count("pairs", first.pair_count, second.pair_count, nullptr);
  for (const ChangedSetting& s : d.settings)
    text += absl::StrFormat("%-32s %s -> %s\n", s.name, s.before.empty() ? "-" : s.before, s.after.empty() ? "-" : s.after);
  for (const MetricPair& m : common_metrics(first, second))
    text += absl::StrFormat("%-14s %.4f -> %.4f  (%+.4f)\n", m.name, m.before, m.after, m.after - m.before);
  if (d.neighbours.items_compared > 0)
    text += absl::StrFormat("neighbours     %.0f %% of the %d nearest items stayed; %d of %d items compared have others now\n",
                            100 * d.neighbours.kept, d.neighbours.per_item, d.neighbours.items_changed, d.neighbours.items_compared);
  return text;
}

Json list_json(const std::vector<ListedModel>& models) {
  Json all = Json::array(), current = nullptr;
  for (const ListedModel& model : models) {
    all.push_back(summary_json(model));
    if (model.current) current = model.version;
  }
  return {{"current", current}, {"versions", all}};
}

Json show_json(const ListedModel& model) {
  Json json = summary_json(model);
  if (model.manifest.ok()) json["manifest"] = Json::parse(manifest_text(*model.manifest), nullptr, false);
  return json;
}

Json diff_json(const Manifest& first, const Manifest& second, const ModelDifference& d) {
  Json settings = Json::object(), metrics = Json::object();
  const auto value = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json::parse(text, nullptr, false); };
  for (const ChangedSetting& s : d.settings) settings[s.name] = {{"before", value(s.before)}, {"after", value(s.after)}};
  for (const MetricPair& m : common_metrics(first, second)) metrics[m.name] = {{"before", m.before}, {"after", m.after}};
  return {{"first", first.artifact.version},
          {"second", second.artifact.version},
          {"customers", overlap_json(d.customers)},
          {"items", overlap_json(d.items)},
          {"pairs", {{"before", first.pair_count}, {"after", second.pair_count}}},
          {"settings", settings},
          {"metrics", metrics},
          {"neighbours",
           {{"per_item", d.neighbours.per_item},
            {"items_compared", d.neighbours.items_compared},
            {"items_changed", d.neighbours.items_changed},
            {"kept", d.neighbours.kept}}}};
}

std::string json_text(const Json& document) { return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace bouquet::cli
