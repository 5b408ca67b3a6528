#include "engine/attribute_schema.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/attribute_rows.h"
#include "engine/errors.h"
#include "engine/views.h"

namespace bouquet {
namespace {

constexpr std::array<std::string_view, kAttributeTypeCount> kTypeNames = {"number", "category", "set", "flag", "text", "vector"};
constexpr size_t kMaxNameBytes = 1024;

const std::vector<std::string>* values_of(const Attribute& attribute) {
  if (const auto* category = std::get_if<CategoryTransform>(&attribute.transform)) return &category->values;
  if (const auto* set = std::get_if<SetTransform>(&attribute.transform)) return &set->values;
  return nullptr;
}

// Bounds that keep whatever the encoder makes of them finite.
constexpr double kMostIdf = 1e6, kMostDeviations = 1e30;

bool are_idfs(std::span<const float> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](float x) { return x >= 0 && x <= kMostIdf; });
}

// What is wrong with a transform, or nullptr.
const char* problem_of(const NumberTransform& t) {
  const bool finite = std::isfinite(t.low) && std::isfinite(t.high) && std::isfinite(t.mean) && std::isfinite(t.deviation);
  if (!finite || t.low > t.high) return "its limits, mean and deviation are not finite and in order";
  const double most = std::max(std::fabs(t.low - t.mean), std::fabs(t.high - t.mean));
  return t.deviation > 0 && most / t.deviation <= kMostDeviations ? nullptr : "its deviation is not more than 0, or too small";
}
const char* problem_of(const CategoryTransform&) { return nullptr; }
const char* problem_of(const SetTransform& t) {
  if (t.idf.size() != (t.weighted ? t.values.size() + 1 : 0)) return "it does not have an idf for each column of a weighted set";
  return are_idfs(t.idf) ? nullptr : "an idf is no number from 0 to a million";
}
const char* problem_of(const FlagTransform&) { return nullptr; }
const char* problem_of(const TextTransform& t) {
  if (t.bits < kMinTextBits || t.bits > kMaxTextBits) return "its bits are not from 4 to 17";
  const size_t buckets = size_t{1} << t.bits;
  if (t.idf.size() != buckets || t.words.size() != buckets) return "it does not have an idf and a word for each bucket";
  return are_idfs(t.idf) ? nullptr : "an idf is no number from 0 to a million";
}
const char* problem_of(const VectorTransform& t) {
  if (t.length < 1 || t.length > kMaxDenseAttributeColumns) return "its vectors do not have from 1 to 5000 numbers";
  return std::isfinite(t.scale) && t.scale > 0 ? nullptr : "its scale is not a number of more than 0";
}

// `sparse` is left to be numbered.
AttributeSchema::Place widths(const Attribute& attribute) {
  AttributeSchema::Place place;
  switch (attribute.type()) {
    case AttributeType::kNumber: place.dense_count = 1, place.sparse_count = 1; break;
    case AttributeType::kCategory:
    case AttributeType::kSet: place.sparse_count = static_cast<int32_t>(values_of(attribute)->size()) + 2; break;
    case AttributeType::kFlag: place.sparse_count = 2; break;
    case AttributeType::kText: place.sparse_count = (1 << std::get<TextTransform>(attribute.transform).bits) + 1; break;
    case AttributeType::kVector:
      place.dense_count = std::get<VectorTransform>(attribute.transform).length;
      place.sparse_count = 1;
      break;
  }
  return place;
}

absl::Status wrong(const std::string& name, const std::string& what) { return wrong_usage("attribute " + name + ": " + what); }

}  // namespace

std::string_view attribute_type_name(AttributeType type) { return kTypeNames[static_cast<size_t>(type)]; }

absl::StatusOr<AttributeSchema> AttributeSchema::make(std::vector<Attribute> attributes) {
  AttributeSchema schema;
  for (const Attribute& a : attributes) {
    if (a.name.empty() || a.name.size() > kMaxNameBytes) return wrong_usage("the name of an attribute has 1 to 1024 bytes");
    if (!schema.names_.add(a.name)) return wrong(a.name, "is there twice");
    if (const char* problem = std::visit([](const auto& t) { return problem_of(t); }, a.transform)) return wrong(a.name, problem);
    auto& columns = schema.columns_by_value_.emplace_back();
    if (const auto* values = values_of(a); values != nullptr) {
      if (values->size() > static_cast<size_t>(kMaxAttributeColumns))
        return wrong(a.name, "has " + std::to_string(values->size()) + " values; all attributes together may have 200000 columns");
      for (const std::string& value : *values)
        if (value.empty() || !columns.try_emplace(value, static_cast<int32_t>(columns.size())).second)
          return wrong(a.name, "its values are not distinct and not empty");
    }
    Place place = widths(a);
    place.dense = schema.dense_count_;
    schema.dense_count_ += place.dense_count;
    schema.column_count_ += place.dense_count + place.sparse_count;
    if (schema.dense_count_ > kMaxDenseAttributeColumns)
      return wrong(a.name, "up to this one the attributes have " + std::to_string(schema.dense_count_) +
                               " dense columns (numbers and vectors); " + std::to_string(kMaxDenseAttributeColumns) + " are the most");
    if (schema.column_count_ > kMaxAttributeColumns)
      return wrong(a.name, "up to this one the attributes have " + std::to_string(schema.column_count_) + " columns; " +
                               std::to_string(kMaxAttributeColumns) + " are the most");
    schema.places_.push_back(place);
  }
  int32_t next = schema.dense_count_;
  for (Place& place : schema.places_) place.sparse = std::exchange(next, next + place.sparse_count);
  schema.attributes_by_column_.resize(static_cast<size_t>(schema.column_count_));
  for (size_t a = 0; a < schema.places_.size(); ++a) {
    const Place& place = schema.places_[a];
    const auto columns = schema.attributes_by_column_.begin();
    std::fill_n(columns + place.dense, place.dense_count, static_cast<int32_t>(a));
    std::fill_n(columns + place.sparse, place.sparse_count, static_cast<int32_t>(a));
  }
  schema.attributes_ = std::move(attributes);
  return schema;
}

int32_t AttributeSchema::value_column(size_t attribute, std::string_view value) const {
  const auto& columns = columns_by_value_[attribute];
  const auto found = columns.find(absl::string_view(value.data(), value.size()));
  return found == columns.end() ? places_[attribute].rare() : places_[attribute].sparse + found->second;
}

std::vector<int32_t> AttributeSchema::missing_columns() const {
  std::vector<int32_t> columns;
  columns.reserve(places_.size());
  for (const Place& place : places_) columns.push_back(place.missing());
  return columns;
}

std::string AttributeSchema::column_name(int32_t column) const {
  const bool dense = column < dense_count_;
  const size_t a = attribute_of(column);
  const Attribute& attribute = attributes_[a];
  const Place& place = places_[a];
  if (dense && attribute.type() == AttributeType::kNumber) return attribute.name;
  if (dense) return attribute.name + "[" + std::to_string(column - place.dense) + "]";
  if (column == place.missing()) return attribute.name + " missing";
  if (attribute.type() == AttributeType::kFlag) return attribute.name + " = true";
  const auto at = static_cast<size_t>(column - place.sparse);
  if (const auto* text = std::get_if<TextTransform>(&attribute.transform))
    return attribute.name + " ~ " + (text->words[at].empty() ? "(bucket " + std::to_string(at) + ")" : text->words[at]);
  return attribute.name + " = " + (column == place.rare() ? "(rare)" : (*values_of(attribute))[at]);
}

}  // namespace bouquet
