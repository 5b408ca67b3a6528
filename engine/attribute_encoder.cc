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

absl::Status AttributeEncoder::encode(std::span<const AttributeValue> row, std::span<float> dense, std::vector<int32_t>& columns,
                                      std::vector<float>& values) {
  entries_.clear();
  if (absl::Status s = encode_row(row, dense); !s.ok()) return s;
  for (const Entry& entry : entries_) {
    columns.push_back(entry.column);
    values.push_back(entry.value);
  }
  return absl::OkStatus();
}

absl::Status AttributeEncoder::encode_row(std::span<const AttributeValue> row, std::span<float> dense) {
  if (row.size() != schema_.attributes().size() || static_cast<int64_t>(dense.size()) != schema_.dense_count())
    return wrong_usage("a row has " + std::to_string(row.size()) + " attributes where the schema has " +
                       std::to_string(schema_.attributes().size()));
  std::fill(dense.begin(), dense.end(), 0.0f);  // what is missing stands at the mean
  for (size_t a = 0; a < row.size(); ++a) {
    if (row[a].is_missing()) {
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
  return absl::OkStatus();
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

}  // namespace bouquet
