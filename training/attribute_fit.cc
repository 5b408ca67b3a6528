#include "training/attribute_fit.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "engine/attribute_encoder.h"
#include "engine/errors.h"

namespace bouquet::training {
namespace {

// So that 5,000 numbers keep 330 MB of samples at most, and 300 have 55,924 rows each.
constexpr size_t kSampledNumbers = size_t{1} << 24;
constexpr size_t kLeastSampledRows = 4096, kMostSampledRows = 131072;

size_t sample_rows(const std::vector<TypedAttribute>& attributes) {
  const auto numbers = static_cast<size_t>(
      std::count_if(attributes.begin(), attributes.end(), [](const auto& a) { return a.type == AttributeType::kNumber; }));
  return std::clamp(kSampledNumbers / std::max<size_t>(1, numbers), kLeastSampledRows, kMostSampledRows);
}

uint64_t hash_of(const AttributeValue& value) {
  uint64_t hash = XXH3_64bits_withSeed(value.text.data(), value.text.size(), static_cast<uint64_t>(value.kind));
  for (const std::string_view text : value.texts) hash = XXH3_64bits_withSeed(text.data(), text.size(), hash);
  hash = XXH3_64bits_withSeed(value.vector.data(), value.vector.size_bytes(), hash);
  return XXH3_64bits_withSeed(&value.number, sizeof value.number, hash);
}

absl::Status named(const std::string& name, const absl::Status& status) {
  return {status.code(), "attribute " + name + ": " + std::string(message_of(status))};
}

}  // namespace

AttributeFitter::AttributeFitter(const std::vector<TypedAttribute>& attributes) : attributes_(attributes) {
  const size_t rows = sample_rows(attributes);
  for (const TypedAttribute& a : attributes) seen_.push_back({make_collector(a.type, a.setting, rows)});
}

absl::Status AttributeFitter::add(uint64_t key, std::span<const AttributeValue> row) {
  for (size_t a = 0; a < row.size(); ++a)
    if (absl::Status s = check_value(attributes_[a].name, attributes_[a].type, row[a]); !s.ok()) return s;
  ++rows_;
  for (size_t a = 0; a < row.size(); ++a) {
    if (row[a].is_missing()) continue;
    Seen& seen = seen_[a];
    if (absl::Status s = seen.collector->add(key, row[a]); !s.ok()) return named(attributes_[a].name, s);
    const uint64_t hash = hash_of(row[a]);
    if (seen.present++ == 0) seen.first = hash;
    seen.constant = seen.constant && hash == seen.first;
  }
  return absl::OkStatus();
}

absl::Status AttributeFitter::check(size_t a, const AttributeValue& value) const {
  if (value.is_missing()) return absl::OkStatus();
  if (absl::Status s = check_value(attributes_[a].name, attributes_[a].type, value); !s.ok()) return s;
  const absl::Status s = seen_[a].collector->check(value);
  return s.ok() ? s : named(attributes_[a].name, s);
}

bool AttributeFitter::leaves_out(size_t a, std::vector<AttributeFinding>& findings) const {
  const Seen& seen = seen_[a];
  const TypedAttribute& attribute = attributes_[a];
  const auto find = [&](AttributeFinding::Kind kind, std::string what) { findings.push_back({kind, attribute.name, std::move(what)}); };
  if (seen.present == 0) return find(AttributeFinding::Kind::kAllMissing, "is missing in every row; it is left out"), true;
  if (seen.constant && seen.present == rows_ && rows_ > 1)
    return find(AttributeFinding::Kind::kConstant, "has the same value in every row; it is left out"), true;
  if (!seen.collector->is_id_like(seen.present)) return false;
  const bool given = attribute.setting.type.has_value();
  find(AttributeFinding::Kind::kIdLike, std::string("has nearly as many values as rows, like an id; ") +
                                            (given ? "it is kept because its type is given" : "it is left out (give its type to keep it)"));
  return !given;
}

absl::StatusOr<FittedAttributes> AttributeFitter::finish() const {
  FittedAttributes fitted;
  std::vector<Attribute> all;
  for (size_t a = 0; a < attributes_.size(); ++a) {
    if (leaves_out(a, fitted.findings)) continue;
    fitted.kept.push_back(a);
    all.push_back({attributes_[a].name, seen_[a].collector->finish(seen_[a].present)});
  }
  auto schema = AttributeSchema::make(std::move(all));
  if (!schema.ok()) return schema.status();
  fitted.schema = *std::move(schema);
  return fitted;
}

}  // namespace bouquet::training
