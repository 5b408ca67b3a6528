#include "server/request_attributes.h"

#include <algorithm>
#include <cmath>

#include "engine/attribute_layout.h"
#include "engine/errors.h"
#include "engine/nearest_name.h"
#include "server/attribute_values.h"
#include "server/bad_request.h"

namespace bouquet::server {
namespace {

absl::Status wrong_field(const char* field, const absl::Status& why) {
  FieldViolations violations;
  violations.add(field, std::string(message_of(why)));
  return violations.status();
}

// What check_value() takes, of the types that come by the thousand.
bool is_usual(AttributeType type, const AttributeValue& value) {
  if (value.kind == AttributeValue::Kind::kNumber) return type == AttributeType::kNumber && std::isfinite(value.number);
  return value.kind == AttributeValue::Kind::kFlag && type == AttributeType::kFlag;
}

}  // namespace

RequestAttributes::RequestAttributes(const EncodedAttributes& attributes)
    : attributes_(attributes),
      layout_(layout_version(attributes.schema)),
      encoder_(attributes.schema),
      is_missing_column_(static_cast<size_t>(attributes.schema.column_count())) {
  const AttributeSchema& schema = attributes_.schema;
  const size_t count = schema.attributes().size();
  for (size_t a = 0; a < count; ++a) {
    names_.push_back(schema.attributes()[a].name);
    types_.push_back(schema.attributes()[a].type());
    is_missing_column_[static_cast<size_t>(schema.place(a).missing())] = 1;
  }
  values_.resize(count);
  sent_.resize(count);
  texts_.resize(count);
  vectors_.resize(count);
  nothing_known_.dense.resize(static_cast<size_t>(schema.dense_count()));
  nothing_known_.columns = schema.missing_columns();
  nothing_known_.values.assign(count, 1);
}

int32_t RequestAttributes::known_count(std::span<const int32_t> columns) const {
  const auto missing = std::ranges::count_if(columns, [&](int32_t c) { return is_missing_column_[static_cast<size_t>(c)] != 0; });
  return static_cast<int32_t>(names_.size()) - static_cast<int32_t>(missing);
}

AttributeValue RequestAttributes::value_of(size_t a, const v1::AttributeValue& sent) { return attribute_value(sent, texts_[a]); }

AttributeValue RequestAttributes::value_of(size_t a, const WireAttribute& sent) {
  switch (sent.kind) {
    case AttributeValue::Kind::kMissing: break;
    case AttributeValue::Kind::kNumber: return AttributeValue::of_number(sent.number);
    case AttributeValue::Kind::kFlag: return AttributeValue::of_flag(sent.number != 0);
    case AttributeValue::Kind::kText: return AttributeValue::of_text(sent.bytes);
    case AttributeValue::Kind::kTexts: read_texts(sent.bytes, texts_[a]); return AttributeValue::of_texts(texts_[a]);
    case AttributeValue::Kind::kVector: read_vector(sent.bytes, vectors_[a]); return AttributeValue::of_vector(vectors_[a]);
  }
  return {};
}

absl::Status RequestAttributes::read(const SentAttributes& sent) {
  named_.clear();
  std::ranges::fill(sent_, uint8_t{0});
  FieldViolations violations;
  const auto add = [&](std::string_view name, std::string problem) {
    violations.add("attributes[\"" + std::string(name.substr(0, 512)) + "\"]", std::move(problem));  // cut further there
  };
  const auto read_one = [&](std::string_view name, const auto& value) {
    const int32_t attribute = attributes_.schema.find(name);
    if (attribute == kNone) {
      if (is_left_out(name)) return;
      if (!violations.full()) add(name, "is no attribute that this model was trained with" + did_you_mean(name, names_));
      return;
    }
    const auto a = static_cast<size_t>(attribute);
    named_.push_back(a);
    sent_[a] = 1;
    values_[a] = value_of(a, value);
  };
  if (sent.wire() != nullptr) {
    WireAttributes::Cursor cursor(*sent.wire());
    for (WireAttribute one; cursor.next(one);) read_one(one.name, one);
  } else {
    for (const auto& [name, value] : sent.message()) read_one(name, value);
  }
  // From the first to the last, because memory is read forwards at a fraction of the cost.
  for (size_t a = 0; a < values_.size(); ++a) {
    if (sent_[a] == 0 || values_[a].is_missing() || is_usual(types_[a], values_[a])) continue;
    if (const absl::Status s = check_value(names_[a], types_[a], values_[a]); !s.ok()) add(names_[a], std::string(message_of(s)));
  }
  return violations.status();
}

bool RequestAttributes::concerns(const SentAttributes& sent) const {
  if (sent.empty() || attributes_.left_out.empty()) return !sent.empty();
  if (sent.wire() == nullptr) return !std::ranges::all_of(sent.message(), [&](const auto& one) { return is_left_out(one.first); });
  WireAttributes::Cursor cursor(*sent.wire());
  for (WireAttribute one; cursor.next(one);)
    if (!is_left_out(one.name)) return true;
  return false;
}

absl::Status RequestAttributes::encode_named(const SentAttributes& sent, EncodedRow& row) {
  if (absl::Status s = read(sent); !s.ok()) return s;
  row.dense.resize(static_cast<size_t>(attributes_.schema.dense_count()));
  row.columns.clear();
  row.values.clear();
  if (absl::Status s = encoder_.encode(values_, sent_, row.dense, row.columns, row.values); !s.ok()) return wrong_field("attributes", s);
  return absl::OkStatus();
}

absl::Status RequestAttributes::encode_packed(const v1::PackedAttributes& packed, EncodedRow& row) {
  if (packed.attribute_schema() != layout_)
    return absl::FailedPreconditionError("packed_attributes.attribute_schema: '" + packed.attribute_schema() +
                                         "' is not the version that the model has, which is '" + layout_ +
                                         "': ask Models.GetModel what its columns are and pack again");
  row.dense.resize(static_cast<size_t>(attributes_.schema.dense_count()));
  row.columns.clear();
  row.values.clear();
  const PackedValues values{{packed.columns().data(), static_cast<size_t>(packed.columns_size())},
                            {packed.numbers().data(), static_cast<size_t>(packed.numbers_size())}};
  if (absl::Status s = encoder_.encode_packed(values, sent_, row.dense, row.columns, row.values); !s.ok())
    return wrong_field("packed_attributes", s);
  return absl::OkStatus();
}

void RequestAttributes::start_from(CustomerIndex stored, EncodedRow& row) {
  const AttributeRows rows = attributes_.table.rows();
  const auto dense = rows.dense_row(stored);
  row.dense.assign(dense.begin(), dense.end());
  const auto columns = rows.row_columns(stored);
  const auto values = rows.row_values(stored);
  row.columns.assign(columns.begin(), columns.end());
  row.values.assign(values.begin(), values.end());
}

void RequestAttributes::overlay(const EncodedRow& own, EncodedRow& row) {
  const AttributeSchema& schema = attributes_.schema;
  for (size_t a = 0; a < sent_.size(); ++a) {
    if (sent_[a] == 0) continue;
    const AttributeSchema::Place& place = schema.place(a);
    std::copy_n(own.dense.begin() + place.dense, place.dense_count, row.dense.begin() + place.dense);
  }
  before_.columns.swap(row.columns);
  before_.values.swap(row.values);
  row.columns.clear();
  row.values.clear();
  // Columns ascend with the attributes; all those of one come from the side
  // that it comes from.
  size_t taken = 0, kept = 0;
  const auto move = [&](const EncodedRow& from, size_t& at, int32_t end, bool wanted) {
    for (; at < from.columns.size() && from.columns[at] < end; ++at) {
      if (!wanted) continue;
      row.columns.push_back(from.columns[at]);
      row.values.push_back(from.values[at]);
    }
  };
  for (size_t a = 0; a < sent_.size(); ++a) {
    const int32_t end = schema.place(a).missing() + 1;
    move(own, taken, end, sent_[a] != 0);
    move(before_, kept, end, sent_[a] == 0);
  }
}

AttributeMap RequestAttributes::usable(const AttributeMap& live) {
  AttributeMap out;
  for (const auto& [name, value] : live)
    if (const int32_t attribute = attributes_.schema.find(name); attribute != kNone) {
      const auto a = static_cast<size_t>(attribute);
      if (encoder_.check(a, value_of(a, value)).ok()) out[name] = value;
    }
  return out;
}

void RequestAttributes::overlay_row(CustomerIndex stored, EncodedRow& row) {
  start_from(stored, own_);
  std::ranges::fill(sent_, uint8_t{1});
  for (size_t a = 0; a < sent_.size(); ++a)
    if (std::ranges::binary_search(own_.columns, attributes_.schema.place(a).missing())) sent_[a] = 0;
  overlay(own_, row);
}

// Whoever has the last word is laid over the others: rows first, then what is live. A row may be of several of the ids, and what was said
// since by one of them is newer than what it has of another.
absl::StatusOr<bool> RequestAttributes::encode_known(std::span<const KnownAttributes> known, EncodedRow& row) {
  bool any = false;
  for (size_t i = known.size(); i-- > 0;) {
    if (known[i].row == kNone) continue;
    if (any)
      overlay_row(known[i].row, row);
    else
      start_from(known[i].row, row);
    any = true;
  }
  for (size_t i = known.size(); i-- > 0;) {
    if (known[i].live.empty()) continue;
    if (absl::Status s = encode_named(usable(known[i].live), any ? own_ : row); !s.ok()) return s;
    if (any) overlay(own_, row);
    any = true;
  }
  return any;
}

absl::Status RequestAttributes::encode(std::span<const KnownAttributes> known, const SentAttributes& sent,
                                       const v1::PackedAttributes* packed, EncodedRow& row) {
  // The first of what is known, what came by name and what came packed is taken as it is; the others are laid over it.
  const auto encoded = encode_known(known, row);
  if (!encoded.ok()) return encoded.status();
  const bool from_store = *encoded;
  if (!from_store && sent.empty() && packed == nullptr) {
    row = nothing_known_;
    return absl::OkStatus();
  }
  const bool by_name = !sent.empty();
  if (by_name) {
    if (absl::Status s = encode_named(sent, from_store ? own_ : row); !s.ok()) return s;
    if (from_store) overlay(own_, row);
  }
  if (packed == nullptr) return absl::OkStatus();
  const bool alone = !from_store && !by_name;
  if (absl::Status s = encode_packed(*packed, alone ? row : own_); !s.ok()) return s;
  if (by_name)
    for (const size_t a : named_)
      if (sent_[a] != 0) {
        FieldViolations violations;
        violations.add("packed_attributes", "holds attribute '" + names_[a] + "', which `attributes` has too");
        return violations.status();
      }
  if (!alone) overlay(own_, row);
  return absl::OkStatus();
}

}  // namespace bouquet::server
