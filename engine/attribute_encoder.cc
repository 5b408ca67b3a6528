#include "engine/attribute_encoder.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/errors.h"

namespace bouquet {
namespace {

using Kind = AttributeValue::Kind;

absl::Status wrong(std::string_view name, const std::string& what) { return wrong_usage("attribute " + std::string(name) + ": " + what); }

bool can_be(AttributeType type, Kind kind) {
  switch (type) {
    case AttributeType::kNumber: return kind == Kind::kNumber;
    case AttributeType::kCategory: return kind == Kind::kText || kind == Kind::kNumber || kind == Kind::kFlag;
    case AttributeType::kSet: return kind == Kind::kText || kind == Kind::kTexts;
    case AttributeType::kFlag: return kind == Kind::kFlag;
    case AttributeType::kText: return kind == Kind::kText;
    case AttributeType::kVector: return kind == Kind::kVector;
  }
  return false;
}

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::kMissing: return "missing";
    case Kind::kNumber: return "a number";
    case Kind::kFlag: return "true or false";
    case Kind::kText: return "text";
    case Kind::kTexts: return "a list of texts";
    case Kind::kVector: return "a vector";
  }
  return "unknown";
}

float standardised(const NumberTransform& t, double x) {
  const double y = t.log1p ? std::copysign(std::log1p(std::fabs(x)), x) : x;
  return static_cast<float>((std::clamp(y, t.low, t.high) - t.mean) / t.deviation);
}

}  // namespace

absl::Status check_value(std::string_view name, AttributeType type, const AttributeValue& value) {
  if (value.is_missing()) return absl::OkStatus();
  if (!can_be(type, value.kind))
    return wrong(name, std::string(kind_name(value.kind)) + " is no value of type " + std::string(attribute_type_name(type)));
  if (value.kind == Kind::kNumber && !std::isfinite(value.number)) return wrong(name, "the number is not finite");
  const size_t most = type == AttributeType::kCategory ? kMaxCategoryBytes : kMaxAttributeTextBytes;
  if (value.kind == Kind::kText && value.text.size() > most)
    return wrong(name, "the " + std::string(attribute_type_name(type)) + " has " + std::to_string(value.text.size()) + " bytes; " +
                           std::to_string(most >> 10) + " KiB are the most");
  for (size_t i = 0; i < value.vector.size(); ++i)
    if (!std::isfinite(value.vector[i])) return wrong(name, "number " + std::to_string(i) + " of the vector is not finite");
  return absl::OkStatus();
}

AttributeEncoder::AttributeEncoder(const AttributeSchema& schema) : schema_(schema), all_there_(schema.attributes().size(), 1) {
  for (const Attribute& attribute : schema.attributes()) is_flag_.push_back(attribute.type() == AttributeType::kFlag ? 1 : 0);
}

absl::Status AttributeEncoder::check(size_t a, const AttributeValue& value) {
  if (value.is_missing()) return absl::OkStatus();
  const Attribute& attribute = schema_.attributes()[a];
  if (absl::Status s = check_value(attribute.name, attribute.type(), value); !s.ok()) return s;
  if (attribute.type() != AttributeType::kSet && attribute.type() != AttributeType::kVector) return absl::OkStatus();
  entries_.clear();
  unused_.resize(static_cast<size_t>(schema_.dense_count()));
  return encode_present(a, value, unused_);
}

absl::Status AttributeEncoder::encode(std::span<const AttributeValue> row, std::span<float> dense, std::vector<int32_t>& columns,
                                      std::vector<float>& values) {
  return encode(row, all_there_, dense, columns, values);
}

absl::Status AttributeEncoder::encode(std::span<const AttributeValue> row, std::span<const uint8_t> there, std::span<float> dense,
                                      std::vector<int32_t>& columns, std::vector<float>& values) {
  entries_.clear();
  if (absl::Status s = encode_row(row, there, dense); !s.ok()) return s;
  append_entries(columns, values);
  return absl::OkStatus();
}

void AttributeEncoder::append_entries(std::vector<int32_t>& columns, std::vector<float>& values) const {
  const size_t before = columns.size();
  columns.resize(before + entries_.size());
  values.resize(before + entries_.size());
  for (size_t e = 0; e < entries_.size(); ++e) {
    columns[before + e] = entries_[e].column;
    values[before + e] = entries_[e].value;
  }
}

absl::Status AttributeEncoder::encode_row(std::span<const AttributeValue> row, std::span<const uint8_t> there, std::span<float> dense) {
  if (row.size() != schema_.attributes().size() || static_cast<int64_t>(dense.size()) != schema_.dense_count())
    return wrong_usage("a row has " + std::to_string(row.size()) + " attributes where the schema has " +
                       std::to_string(schema_.attributes().size()));
  std::fill(dense.begin(), dense.end(), 0.0f);  // what is missing stands at the mean
  for (size_t a = 0; a < row.size(); ++a) {
    if (there[a] == 0 || row[a].is_missing()) {
      entries_.push_back({schema_.place(a).missing(), 1});
      continue;
    }
    const Attribute& attribute = schema_.attributes()[a];
    if (absl::Status s = check_value(attribute.name, attribute.type(), row[a]); !s.ok()) return s;
    if (absl::Status s = encode_present(a, row[a], dense); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status AttributeEncoder::encode_present(size_t a, const AttributeValue& value, std::span<float> dense) {
  const Attribute& attribute = schema_.attributes()[a];
  const AttributeSchema::Place& place = schema_.place(a);
  switch (attribute.type()) {
    case AttributeType::kNumber:
      dense[static_cast<size_t>(place.dense)] = standardised(std::get<NumberTransform>(attribute.transform), value.number);
      break;
    case AttributeType::kCategory: entries_.push_back({schema_.value_column(a, category_text(value, digits_)), 1}); break;
    case AttributeType::kSet: return encode_set(a, std::get<SetTransform>(attribute.transform), value);
    case AttributeType::kFlag:
      if (value.number != 0) entries_.push_back({place.sparse, 1});
      break;
    case AttributeType::kText: encode_text(a, std::get<TextTransform>(attribute.transform), value); break;
    case AttributeType::kVector: {
      const auto& vector = std::get<VectorTransform>(attribute.transform);
      if (value.vector.size() != static_cast<size_t>(vector.length))
        return wrong(attribute.name, "the vector has " + std::to_string(value.vector.size()) + " numbers where " +
                                         std::to_string(vector.length) + " belong");
      for (size_t i = 0; i < value.vector.size(); ++i) {
        const float scaled = value.vector[i] * vector.scale;
        if (!std::isfinite(scaled)) return wrong(attribute.name, "number " + std::to_string(i) + " of the vector is too large");
        dense[static_cast<size_t>(place.dense) + i] = scaled;
      }
    }
  }
  return absl::OkStatus();
}

absl::Status AttributeEncoder::encode_set(size_t a, const SetTransform& set, const AttributeValue& value) {
  if (absl::Status s = elements_.read(value, set.weighted); !s.ok()) return wrong(schema_.attributes()[a].name, std::string(s.message()));
  const size_t begin = entries_.size();
  for (const SetElements::Element& element : elements_.elements())
    entries_.push_back({schema_.value_column(a, element.text), element.weight});
  finish_set(a, set, begin);
  return absl::OkStatus();
}

// Of the entries from `begin` on, in any order: columns and weights.
void AttributeEncoder::finish_set(size_t a, const SetTransform& set, size_t begin) {
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(begin);
  // By weight too, so that the order in which a set is written changes no bit of the sums.
  std::sort(first, entries_.end(),
            [](const Entry& x, const Entry& y) { return x.column != y.column ? x.column < y.column : x.value < y.value; });
  size_t kept = begin;
  for (size_t e = begin; e < entries_.size(); ++e) {
    if (kept > begin && entries_[kept - 1].column == entries_[e].column)
      entries_[kept - 1].value += entries_[e].value;
    else
      entries_[kept++] = entries_[e];
  }
  entries_.resize(kept);
  const int32_t sparse = schema_.place(a).sparse;
  for (size_t e = begin; e < kept; ++e) {
    Entry& entry = entries_[e];
    entry.value = set.weighted ? std::log1p(entry.value) * set.idf[static_cast<size_t>(entry.column - sparse)] : 1.0f;
  }
  scale_to_length_1(begin);
}

void AttributeEncoder::encode_text(size_t a, const TextTransform& text, const AttributeValue& value) {
  const size_t begin = entries_.size();
  const int32_t sparse = schema_.place(a).sparse;
  for (const HashedWords::Entry& entry : words_.count(value.text, text.bits))
    entries_.push_back({sparse + entry.bucket, std::log1p(entry.count) * text.idf[static_cast<size_t>(entry.bucket)]});
  scale_to_length_1(begin);
}

// Of the entries from `begin` on; what is 0, or becomes it, is taken out.
void AttributeEncoder::scale_to_length_1(size_t begin) {
  double squares = 0;
  for (size_t e = begin; e < entries_.size(); ++e) squares += double{entries_[e].value} * entries_[e].value;
  const double length = std::sqrt(squares);
  size_t kept = begin;
  for (size_t e = begin; e < entries_.size(); ++e) {
    const auto value = static_cast<float>(entries_[e].value / length);
    if (entries_[e].value != 0 && value != 0) entries_[kept++] = {entries_[e].column, value};
  }
  entries_.resize(kept);
}

absl::Status AttributeEncoder::wrong_packed(const PackedValues& packed, size_t i, size_t a, const std::string& what) const {
  return wrong_usage("columns[" + std::to_string(i) + "] is " + std::to_string(packed.columns[i]) + ", of attribute " +
                     schema_.attributes()[a].name + ": " + what);
}

absl::Status AttributeEncoder::encode_packed(const PackedValues& packed, std::span<uint8_t> there, std::span<float> dense,
                                             std::vector<int32_t>& columns, std::vector<float>& values) {
  entries_.clear();
  std::ranges::fill(there, uint8_t{0});
  std::ranges::fill(dense, 0.0f);
  for (size_t i = 0; i < packed.columns.size(); ++i) {
    if (packed.columns[i] >= static_cast<uint32_t>(schema_.column_count()))
      return wrong_usage("columns[" + std::to_string(i) + "] is " + std::to_string(packed.columns[i]) + "; the schema has " +
                         std::to_string(schema_.column_count()) + " columns");
    if (i > 0 && packed.columns[i] <= packed.columns[i - 1])
      return wrong_usage("columns[" + std::to_string(i) + "] is not above the one before it");
    if (!std::isfinite(packed.numbers[i])) return wrong_usage("numbers[" + std::to_string(i) + "] is not finite");
  }
  const auto dense_end = encode_packed_dense(packed, there, dense);
  if (!dense_end.ok()) return dense_end.status();
  size_t next = *dense_end;
  for (size_t a = 0; a < there.size(); ++a) {
    const auto end_column = static_cast<uint32_t>(schema_.place(a).missing()) + 1;
    const size_t begin = next;
    while (next < packed.columns.size() && packed.columns[next] < end_column) ++next;
    if (begin == next) {
      if (there[a] == 0) entries_.push_back({schema_.place(a).missing(), 1});
      continue;
    }
    if (next == begin + 1 && is_flag(a, packed.columns[begin], packed.numbers[begin])) {
      if (packed.numbers[begin] != 0) entries_.push_back({static_cast<int32_t>(packed.columns[begin]), 1});
      there[a] = 1;
      continue;
    }
    if (absl::Status s = encode_packed_sparse(packed, a, begin, next, there[a] != 0); !s.ok()) return s;
    there[a] = 1;
  }
  append_entries(columns, values);
  return absl::OkStatus();
}

bool AttributeEncoder::is_flag(size_t a, uint32_t column, double number) const {
  return is_flag_[a] != 0 && column + 1 == static_cast<uint32_t>(schema_.place(a).missing()) && (number == 0 || number == 1);
}

// Where the sparse columns begin.
absl::StatusOr<size_t> AttributeEncoder::encode_packed_dense(const PackedValues& packed, std::span<uint8_t> there, std::span<float> dense) {
  const auto dense_count = static_cast<uint32_t>(schema_.dense_count());
  size_t i = 0, a = 0;
  while (i < packed.columns.size() && packed.columns[i] < dense_count) {
    const uint32_t column = packed.columns[i];
    while (column >= static_cast<uint32_t>(schema_.place(a).dense + schema_.place(a).dense_count)) ++a;
    const AttributeSchema::Place& place = schema_.place(a);
    there[a] = 1;
    if (const auto* number = std::get_if<NumberTransform>(&schema_.attributes()[a].transform)) {
      dense[column] = standardised(*number, packed.numbers[i++]);
      continue;
    }
    const auto& vector = std::get<VectorTransform>(schema_.attributes()[a].transform);
    for (int32_t j = 0; j < vector.length; ++j, ++i) {
      const auto wanted = static_cast<uint32_t>(place.dense + j);
      if (i == packed.columns.size() || packed.columns[i] != wanted)
        return wrong_packed(packed, std::min(i, packed.columns.size() - 1), a,
                            "column " + std::to_string(wanted) + " is missing; a vector comes with all its numbers");
      const float scaled = static_cast<float>(packed.numbers[i]) * vector.scale;
      if (!std::isfinite(scaled)) return wrong_packed(packed, i, a, "its number is too large");
      dense[wanted] = scaled;
    }
  }
  return i;
}

// The values in [begin, end), at least one, all of them sparse columns of `a`.
absl::Status AttributeEncoder::encode_packed_sparse(const PackedValues& packed, size_t a, size_t begin, size_t end, bool has_dense) {
  const AttributeSchema::Place& place = schema_.place(a);
  const AttributeTransform& transform = schema_.attributes()[a].transform;
  if (packed.columns[end - 1] == static_cast<uint32_t>(place.missing())) {
    if (has_dense || end - begin > 1)
      return wrong_packed(packed, end - 1, a, "it says that the attribute is missing, and others say what it is");
    if (packed.numbers[begin] != 1) return wrong_packed(packed, begin, a, "its number must be 1: the attribute is missing");
    entries_.push_back({place.missing(), 1});
    return absl::OkStatus();
  }
  if (std::holds_alternative<TextTransform>(transform)) return wrong_packed(packed, begin, a, "a text cannot be packed; send it by name");
  const auto* set = std::get_if<SetTransform>(&transform);
  const bool weighted = set != nullptr && set->weighted;
  const size_t first = entries_.size();
  for (size_t i = begin; i < end; ++i) {
    const double number = packed.numbers[i];
    if (weighted ? !(number >= 0 && number <= kMaxSetWeight) : number != 0 && number != 1)
      return wrong_packed(packed, i, a, weighted ? "its number must be a weight of 0 to 1e30" : "its number must be 0 or 1");
    if (number != 0) entries_.push_back({static_cast<int32_t>(packed.columns[i]), static_cast<float>(number)});
  }
  if (std::holds_alternative<CategoryTransform>(transform) && entries_.size() != first + 1)
    return wrong_packed(packed, begin, a, "a category has one value: 1 at one column");
  if (set != nullptr) finish_set(a, *set, first);
  return absl::OkStatus();
}

}  // namespace bouquet
