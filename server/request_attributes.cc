#include "server/request_attributes.h"

#include <algorithm>

#include "engine/errors.h"
#include "engine/nearest_name.h"
#include "server/bad_request.h"

namespace bouquet::server {

RequestAttributes::RequestAttributes(const EncodedAttributes& attributes)
    : attributes_(attributes), encoder_(attributes.schema), is_missing_column_(static_cast<size_t>(attributes.schema.column_count())) {
  const AttributeSchema& schema = attributes_.schema;
  const size_t count = schema.attributes().size();
  for (size_t a = 0; a < count; ++a) {
    names_.push_back(schema.attributes()[a].name);
    is_missing_column_[static_cast<size_t>(schema.place(a).missing())] = 1;
  }
  values_.resize(count);
  named_.resize(count);
  texts_.resize(count);
}

int32_t RequestAttributes::known_count(std::span<const int32_t> columns) const {
  const auto missing = std::ranges::count_if(columns, [&](int32_t c) { return is_missing_column_[static_cast<size_t>(c)] != 0; });
  return static_cast<int32_t>(names_.size()) - static_cast<int32_t>(missing);
}

bool RequestAttributes::is_sent(int32_t column) const { return named_[attributes_.schema.attribute_of(column)] != 0; }

absl::Status RequestAttributes::read(const AttributeMap& sent, const char* field) {
  std::fill(values_.begin(), values_.end(), AttributeValue{});
  std::fill(named_.begin(), named_.end(), uint8_t{0});
  FieldViolations violations;
  for (const auto& [name, value] : sent) {
    const std::string at = std::string(field) + "[\"" + name.substr(0, 64) + "\"]";
    const int32_t attribute = attributes_.schema.find(name);
    if (attribute == kNone) {
      violations.add(at, "is no attribute that this model was trained with" + did_you_mean(name, names_));
      continue;
    }
    const auto a = static_cast<size_t>(attribute);
    named_[a] = 1;
    switch (value.value_case()) {
      case v1::AttributeValue::kNumber: values_[a] = AttributeValue::of_number(value.number()); break;
      case v1::AttributeValue::kFlag: values_[a] = AttributeValue::of_flag(value.flag()); break;
      case v1::AttributeValue::kText: values_[a] = AttributeValue::of_text(value.text()); break;
      case v1::AttributeValue::kTexts:
        texts_[a].assign(value.texts().values().begin(), value.texts().values().end());
        values_[a] = AttributeValue::of_texts(texts_[a]);
        break;
      case v1::AttributeValue::kVector:
        values_[a] = AttributeValue::of_vector({value.vector().values().data(), static_cast<size_t>(value.vector().values_size())});
        break;
      case v1::AttributeValue::VALUE_NOT_SET: break;  // sent as missing
    }
    if (const absl::Status s = check_value(name, attributes_.schema.attributes()[a].type(), values_[a]); !s.ok())
      violations.add(at, std::string(message_of(s)));
  }
  return violations.status();
}

absl::Status RequestAttributes::encode(CustomerIndex stored, const AttributeMap& sent, const char* field, EncodedRow& row) {
  if (absl::Status s = read(sent, field); !s.ok()) return s;
  const AttributeSchema& schema = attributes_.schema;
  own_.dense.resize(static_cast<size_t>(schema.dense_count()));
  own_.columns.clear();
  own_.values.clear();
  if (absl::Status s = encoder_.encode(values_, own_.dense, own_.columns, own_.values); !s.ok()) {
    FieldViolations violations;
    violations.add(field, std::string(message_of(s)));
    return violations.status();
  }
  if (stored == kNone) {
    row = own_;
    return absl::OkStatus();
  }
  const AttributeRows rows = attributes_.table.rows();
  const auto dense = rows.dense_row(stored);
  row.dense.assign(dense.begin(), dense.end());
  for (size_t f = 0; f < row.dense.size(); ++f)
    if (is_sent(static_cast<int32_t>(f))) row.dense[f] = own_.dense[f];
  row.columns.clear();
  row.values.clear();
  // Both ascend; each column comes from the side that its attribute comes from.
  const auto columns = rows.row_columns(stored);
  const auto values = rows.row_values(stored);
  size_t own = 0, kept = 0;
  while (own < own_.columns.size() || kept < columns.size()) {
    const bool take_own = kept == columns.size() || (own < own_.columns.size() && own_.columns[own] < columns[kept]);
    const int32_t column = take_own ? own_.columns[own] : columns[kept];
    const float value = take_own ? own_.values[own] : values[kept];
    (take_own ? own : kept) += 1;
    if (is_sent(column) != take_own) continue;
    row.columns.push_back(column);
    row.values.push_back(value);
  }
  return absl::OkStatus();
}

}  // namespace bouquet::server
