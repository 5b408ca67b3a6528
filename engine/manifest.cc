#include "engine/manifest.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "engine/errors.h"
#include "engine/json_fields.h"
#include "engine/model_constants_json.h"
#include "engine/version_name.h"

namespace bouquet {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kMaxInt32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMaxInt64 = std::numeric_limits<int64_t>::max();
constexpr int64_t kMinInt64 = std::numeric_limits<int64_t>::min();
constexpr std::array<std::string_view, 2> kSources = {"MODEL", "REPURCHASE"};  // by AnswerSource
constexpr std::array<std::string_view, 3> kTransforms = {"constant", "identity", "log1p"};

// ---- writing

Json recipe_json(const Recipe& recipe) {
  const TrainingOptions& o = recipe.options;
  return {{"dimension", o.dimension},
          {"seed", o.seed},
          {"unobserved_weight", o.unobserved_weight},
          {"regularization", o.regularization},
          {"regularization_exponent", o.regularization_exponent},
          {"solver", solver_name(o.solver)},
          {"customer_attribute_regularization", o.customer_attribute_regularization},
          {"item_attribute_regularization", o.item_attribute_regularization},
          {"attribute_warmup", o.attribute_warmup},
          {"attribute_period", o.attribute_period},
          {"epochs", recipe.epochs},
          {"validation", recipe.validation},
          {"select_time", recipe.select_time},
          {"judge_time", recipe.judge_time},
          {"distinct", recipe.distinct},
          {"backend", recipe.backend},
          {"program_version", recipe.program_version},
          {"sources", recipe.sources},
          {"store", recipe.store.identity},
          {"store_sequence", recipe.store.sequence}};
}

Json rules_json(const EventRules& rules) {
  Json types = Json::array();
  for (const EventType& t : rules.types)
    types.push_back({{"name", t.name},
                     {"weight", t.weight},
                     {"consumes", t.consumes},
                     {"returns", t.returns},
                     {"transform", transform_name(t.transform)},
                     {"half_life_days", t.half_life_days},
                     {"value_cap", t.value_cap}});
  return {{"reference_time", rules.reference_time},
          {"max_history", rules.max_history},
          {"repurchase_half_life_days", rules.repurchase_half_life_days},
          {"types", std::move(types)}};
}

Json replaces_json(const std::vector<ReplacedVersion>& replaced) {
  Json all = Json::array();
  for (const ReplacedVersion& one : replaced) all.push_back({{"version", one.version}, {"time", one.time}});
  return all;
}

Json metrics_json(const std::vector<MetricTable>& tables) {
  Json all = Json::array();
  for (const MetricTable& table : tables) {
    Json metrics = Json::array();
    for (const Metric& m : table.metrics) metrics.push_back({{"name", m.name}, {"value", m.value}, {"low", m.low}, {"high", m.high}});
    all.push_back(
        {{"subject", table.subject}, {"repeats", table.repeats}, {"customers", table.customers}, {"metrics", std::move(metrics)}});
  }
  return all;
}

Json calibration_json(const Calibration& calibration) {
  Json maps = Json::array();
  for (const CalibrationMap& map : calibration.maps)
    maps.push_back({{"source", kSources[static_cast<size_t>(map.source)]},
                    {"kind", item_kind_name(map.kind)},
                    {"scores", map.scores},
                    {"probabilities", map.probabilities},
                    {"rows", map.rows},
                    {"taken", map.taken},
                    {"log_loss", map.log_loss},
                    {"base_log_loss", map.base_log_loss},
                    {"skill_low", map.skill_low},
                    {"skill_high", map.skill_high},
                    {"slope", map.slope}});
  return {{"horizon_days", calibration.horizon_days}, {"length", calibration.length}, {"maps", std::move(maps)}};
}

Json sections_json(const std::vector<Section>& sections) {
  Json all = Json::array();
  for (const Section& s : sections)
    all.push_back({{"name", s.name},
                   {"file", s.file},
                   {"sha256", s.sha256},
                   {"bytes", s.bytes},
                   {"type", s.type},
                   {"shape", s.shape},
                   {"required", s.required},
                   {"personal", s.personal}});
  return all;
}

// ---- reading

Recipe read_recipe(const JsonFields& f, int32_t minor) {
  Recipe recipe;
  TrainingOptions& o = recipe.options;
  o.dimension = static_cast<int32_t>(f.integer("dimension", 1, kMaxDimension));
  o.seed = f.unsigned_integer("seed");
  o.unobserved_weight = f.number("unobserved_weight");
  o.regularization = f.number("regularization");
  o.regularization_exponent = f.number("regularization_exponent");
  if (minor >= 1) {  // 1.0 had no attributes
    o.customer_attribute_regularization = f.number("customer_attribute_regularization");
    o.item_attribute_regularization = f.number("item_attribute_regularization");
    o.attribute_warmup = static_cast<int32_t>(f.integer("attribute_warmup", 1, kMaxInt32));
    o.attribute_period = static_cast<int32_t>(f.integer("attribute_period", 1, kMaxInt32));
  }
  const std::string solver = f.text("solver");
  if (const auto parsed = parse_solver(solver); parsed.ok())
    o.solver = *parsed;
  else
    f.complain("solver", "is '" + solver + "', which this program does not know");
  recipe.epochs = static_cast<int32_t>(f.integer("epochs", 0, kMaxInt32));
  recipe.validation = f.text("validation");
  recipe.select_time = f.integer("select_time", kMinInt64, kMaxInt64);
  recipe.judge_time = f.integer("judge_time", kMinInt64, kMaxInt64);
  recipe.distinct = f.boolean("distinct");
  recipe.backend = f.text("backend");
  recipe.program_version = f.text("program_version");
  recipe.sources = f.texts("sources");
  if (minor >= 5) {
    recipe.store.identity = f.text("store");
    recipe.store.sequence = f.unsigned_integer("store_sequence");
  }
  return recipe;
}

EventType read_event_type(const JsonFields& f) {
  EventType type;
  type.name = f.text("name");
  type.weight = static_cast<float>(f.number("weight"));
  type.consumes = f.boolean("consumes");
  type.returns = f.boolean("returns");
  const std::string transform = f.text("transform");
  size_t position = 0;
  while (position < kTransforms.size() && kTransforms[position] != transform) ++position;
  if (position == kTransforms.size()) f.complain("transform", "is '" + transform + "'; it takes constant, identity or log1p");
  type.transform = static_cast<ValueTransform>(position % kTransforms.size());
  type.half_life_days = f.number("half_life_days");
  type.value_cap = f.number("value_cap");
  return type;
}

EventRules read_rules(const JsonFields& f) {
  EventRules rules;
  rules.reference_time = f.integer("reference_time", kMinInt64, kMaxInt64);
  rules.max_history = static_cast<int32_t>(f.integer("max_history", 1, kMaxInt32));
  rules.repurchase_half_life_days = f.number("repurchase_half_life_days");
  const size_t count = f.array("types").size();
  for (size_t i = 0; i < count && f.ok(); ++i) rules.types.push_back(read_event_type(f.element("types", i)));
  return rules;
}

std::vector<ReplacedVersion> read_replaces(const JsonFields& root) {
  std::vector<ReplacedVersion> replaced;
  const size_t count = root.array("replaces").size();
  for (size_t i = 0; i < count && root.ok(); ++i) {
    const JsonFields f = root.element("replaces", i);
    replaced.push_back({f.text("version"), f.integer("time", 0, kMaxInt64)});
    if (!is_version_name(replaced.back().version)) f.complain("version", "is '" + replaced.back().version + "', not the name of a version");
  }
  return replaced;
}

std::vector<MetricTable> read_metrics(const JsonFields& root) {
  std::vector<MetricTable> tables;
  const size_t count = root.array("metrics").size();
  for (size_t i = 0; i < count && root.ok(); ++i) {
    const JsonFields f = root.element("metrics", i);
    MetricTable table;
    table.subject = f.text("subject");
    table.repeats = f.text("repeats");
    table.customers = f.integer("customers", 0, kMaxInt64);
    const size_t metric_count = f.array("metrics").size();
    for (size_t m = 0; m < metric_count && f.ok(); ++m) {
      const JsonFields metric = f.element("metrics", m);
      table.metrics.push_back({metric.text("name"), metric.number("value", true), metric.number("low", true), metric.number("high", true)});
    }
    tables.push_back(std::move(table));
  }
  return tables;
}

std::vector<double> read_numbers(const JsonFields& f, const char* name) {
  std::vector<double> numbers;
  for (const Json& element : f.array(name)) {
    if (!element.is_number()) f.complain(name, "holds something that is not a number");
    numbers.push_back(element.is_number() ? element.get<double>() : 0);
  }
  return numbers;
}

CalibrationMap read_calibration_map(const JsonFields& f) {
  CalibrationMap map;
  const std::string source = f.text("source"), kind = f.text("kind");
  const auto at = std::ranges::find(kSources, source);
  if (at == kSources.end()) f.complain("source", "is '" + source + "'; it takes MODEL or REPURCHASE");
  map.source = static_cast<AnswerSource>((at - kSources.begin()) % static_cast<std::ptrdiff_t>(kSources.size()));
  int k = 0;
  while (k < kItemKindCount && item_kind_name(static_cast<ItemKind>(k)) != kind) ++k;
  if (k == kItemKindCount) f.complain("kind", "is '" + kind + "'; it takes PRODUCT, CONTENT or ACTION");
  map.kind = static_cast<ItemKind>(k % kItemKindCount);
  map.scores = read_numbers(f, "scores");
  map.probabilities = read_numbers(f, "probabilities");
  map.rows = f.integer("rows", 0, kMaxInt64);
  map.taken = f.integer("taken", 0, kMaxInt64);
  map.log_loss = f.number("log_loss");
  map.base_log_loss = f.number("base_log_loss");
  map.skill_low = f.number("skill_low");
  map.skill_high = f.number("skill_high");
  map.slope = f.number("slope");
  return map;
}

Calibration read_calibration(const JsonFields& f) {
  Calibration calibration;
  calibration.horizon_days = f.number("horizon_days");
  calibration.length = static_cast<int32_t>(f.integer("length", 0, kMaxInt32));
  const size_t count = f.array("maps").size();
  for (size_t i = 0; i < count && f.ok(); ++i) calibration.maps.push_back(read_calibration_map(f.element("maps", i)));
  return calibration;
}

// A name that can only mean a file of this directory: letters, digits, '_', '-' and '.', not starting with a dot.
bool is_plain_file_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '.') return false;
  for (const char c : name)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.')) return false;
  return true;
}

bool is_sha256(std::string_view text) { return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

Section read_section(const JsonFields& f) {
  Section section;
  section.name = f.text("name");
  section.file = f.text("file");
  if (!is_plain_file_name(section.file)) f.complain("file", "is '" + section.file + "', not the name of a file in this directory");
  section.sha256 = f.text("sha256");
  if (!is_sha256(section.sha256)) f.complain("sha256", "is not 64 hexadecimal digits");
  section.bytes = f.integer("bytes", 0, kMaxInt64);
  section.type = f.text("type");
  for (const Json& extent : f.array("shape")) {
    const bool fits = extent.is_number_unsigned() && extent.get<uint64_t>() <= static_cast<uint64_t>(kMaxInt64);
    if (!fits) f.complain("shape", "holds something that is not a count");
    section.shape.push_back(fits ? extent.get<int64_t>() : 0);
  }
  section.required = f.boolean("required");
  section.personal = f.boolean("personal");
  return section;
}

std::vector<Section> read_sections(const JsonFields& root) {
  std::vector<Section> sections;
  std::set<std::string> names, files;
  const size_t count = root.array("sections").size();
  for (size_t i = 0; i < count && root.ok(); ++i) {
    const JsonFields f = root.element("sections", i);
    sections.push_back(read_section(f));
    if (!names.insert(sections.back().name).second) f.complain("name", "is '" + sections.back().name + "', which stands there twice");
    if (!files.insert(sections.back().file).second) f.complain("file", "is '" + sections.back().file + "', which stands there twice");
  }
  return sections;
}

}  // namespace

std::string_view transform_name(ValueTransform transform) { return kTransforms[static_cast<size_t>(transform) % kTransforms.size()]; }

std::string manifest_text(const Manifest& m) {
  const Json root = {
      {"format", {{"major", m.major}, {"minor", m.minor}}},
      {"created_at", m.artifact.created_at},
      {"parent", m.artifact.parent},
      {"replaces", replaces_json(m.artifact.replaces)},
      {"customers", m.customer_count},
      {"items", m.item_count},
      {"pairs", m.pair_count},
      {"dimension", m.artifact.model.dimension},
      {"constants", model_constants_json(m.artifact.model.constants)},
      {"recipe", recipe_json(m.artifact.recipe)},
      {"events", rules_json(m.artifact.rules)},
      {"repurchase", {{"share", m.artifact.repurchase.share}}},
      {"baskets", m.artifact.co_purchases.basket_count},
      {"metrics", metrics_json(m.artifact.metrics)},
      {"calibration", calibration_json(m.artifact.calibration)},
      {"noise_variance", m.artifact.uncertainty.noise_variance},
      {"content_weight", m.artifact.content_links.weight},
      {"left_out_attributes", m.artifact.customer_attributes.left_out},
      {"sections", sections_json(m.sections)},
  };
  // File names of sources may hold bytes that are no UTF-8; a manifest is always valid JSON.
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<Manifest> parse_manifest(std::string_view text) {
  const Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded()) return bad_input("is not valid JSON");
  absl::Status status;
  const JsonFields f(root, "", status);
  Manifest m;
  const JsonFields format = f.object("format");
  m.major = static_cast<int32_t>(format.integer("major", 0, kMaxInt32));
  m.minor = static_cast<int32_t>(format.integer("minor", 0, kMaxInt32));
  // Before anything else: the rest of another major means what it likes.
  if (status.ok() && m.major != kFormatMajor)
    return bad_input("format major " + std::to_string(m.major) + " is unknown; this program reads major " + std::to_string(kFormatMajor));
  m.artifact.created_at = f.integer("created_at", 0, kMaxInt64);
  m.artifact.parent = f.text("parent");
  if (m.minor >= 7) m.artifact.replaces = read_replaces(f);
  m.customer_count = f.integer("customers", 0, kMaxInt32);
  m.item_count = f.integer("items", 0, kMaxInt32);
  m.pair_count = f.integer("pairs", 0, kMaxInt64);
  m.artifact.model.dimension = static_cast<int32_t>(f.integer("dimension", 1, kMaxDimension));
  m.artifact.model.constants = read_model_constants(f.object("constants"), m.minor);
  m.artifact.recipe = read_recipe(f.object("recipe"), m.minor);
  m.artifact.rules = read_rules(f.object("events"));
  m.artifact.repurchase.share = f.object("repurchase").number("share");
  m.artifact.co_purchases.basket_count = f.integer("baskets", 0, kMaxInt64);
  m.artifact.metrics = read_metrics(f);
  if (m.minor >= 4) {  // before, scores were not calibrated
    m.artifact.calibration = read_calibration(f.object("calibration"));
    m.artifact.uncertainty.noise_variance = f.number("noise_variance");
  }
  if (m.minor >= 6) m.artifact.content_links.weight = f.number("content_weight");  // before, nobody came later who could have links
  if (m.minor >= 8) {
    m.artifact.customer_attributes.left_out = f.texts("left_out_attributes");
    std::ranges::sort(m.artifact.customer_attributes.left_out);
  }
  m.sections = read_sections(f);
  if (!status.ok()) return status;
  return m;
}

}  // namespace bouquet
