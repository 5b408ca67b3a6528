#include "training/attribute_collectors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "engine/attribute_elements.h"
#include "engine/errors.h"
#include "engine/text_beginning.h"
#include "engine/words.h"
#include "training/file_profile.h"
#include "training/number_sample.h"

namespace bouquet::training {
namespace {

bool nearly_all_different(int64_t different, int64_t present) {
  return present >= 100 && static_cast<double>(different) >= 0.95 * static_cast<double>(present);
}

float idf(int64_t rows, int64_t with) {
  return static_cast<float>(std::log((1.0 + static_cast<double>(rows)) / (1.0 + static_cast<double>(with))) + 1.0);
}

class NumberCollector : public AttributeCollector {
 public:
  NumberCollector(bool log1p, size_t sample_rows) : log1p_(log1p), sample_(sample_rows) {}
  absl::Status add(uint64_t key, const AttributeValue& value) override {
    const double x = value.number;
    sample_.add(key, log1p_ ? std::copysign(std::log1p(std::fabs(x)), x) : x);
    if (all_whole_ = all_whole_ && x == std::floor(x); all_whole_) {
      std::array<char, 32> digits{};
      distinct_.add(category_text(value, digits));
    }
    return absl::OkStatus();
  }
  AttributeTransform finish(int64_t) const override {
    NumberTransform t = sample_.fit();
    t.log1p = log1p_;
    return t;
  }
  bool is_id_like(int64_t present) const override { return all_whole_ && nearly_all_different(distinct_.count(), present); }

 private:
  bool log1p_;
  bool all_whole_ = true;
  NumberSample sample_;
  DistinctEstimate distinct_;
};

// How many rows have each value.
class ValueCounts {
 public:
  // False: there are too many different ones.
  bool add(std::string_view value) {
    const auto [at, is_new] = counts_.try_emplace(absl::string_view(value.data(), value.size()), 0);
    ++at->second;
    return !is_new || counts_.size() <= kMaxCountedValues;
  }
  size_t size() const { return counts_.size(); }
  // Those that get a column.
  std::vector<std::pair<std::string, int64_t>> kept(const AttributeSetting& setting) const {
    std::vector<std::pair<std::string, int64_t>> all;
    for (const auto& [value, count] : counts_)
      if (count >= setting.min_count) all.emplace_back(value, count);
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
    if (static_cast<int64_t>(all.size()) > setting.max_values) all.resize(static_cast<size_t>(setting.max_values));
    return all;
  }
  static absl::Status too_many() {
    return absl::FailedPreconditionError("has more than " + std::to_string(kMaxCountedValues) +
                                         " different values; is it an id? Ignore it (ignore = true), or read it as type = \"text\"");
  }

 private:
  absl::flat_hash_map<std::string, int64_t> counts_;
};

std::vector<std::string> names_of(const std::vector<std::pair<std::string, int64_t>>& counted) {
  std::vector<std::string> names;
  for (const auto& [name, count] : counted) names.push_back(name);
  return names;
}

class CategoryCollector : public AttributeCollector {
 public:
  explicit CategoryCollector(const AttributeSetting& setting) : setting_(setting) {}
  absl::Status add(uint64_t, const AttributeValue& value) override {
    std::array<char, 32> digits{};
    return counts_.add(category_text(value, digits)) ? absl::OkStatus() : ValueCounts::too_many();
  }
  AttributeTransform finish(int64_t) const override { return CategoryTransform{names_of(counts_.kept(setting_))}; }
  bool is_id_like(int64_t present) const override { return nearly_all_different(static_cast<int64_t>(counts_.size()), present); }

 private:
  AttributeSetting setting_;
  ValueCounts counts_;
};

class SetCollector : public AttributeCollector {
 public:
  explicit SetCollector(const AttributeSetting& setting) : setting_(setting) {}
  absl::Status add(uint64_t, const AttributeValue& value) override {
    if (absl::Status s = elements_.read(value, setting_.weighted); !s.ok()) return s;
    texts_.clear();
    for (const SetElements::Element& element : elements_.elements()) texts_.push_back(element.text);
    std::sort(texts_.begin(), texts_.end());
    texts_.erase(std::unique(texts_.begin(), texts_.end()), texts_.end());
    for (const std::string_view text : texts_)
      if (!counts_.add(text)) return ValueCounts::too_many();
    return absl::OkStatus();
  }
  absl::Status check(const AttributeValue& value) override { return elements_.read(value, setting_.weighted); }
  AttributeTransform finish(int64_t present) const override {
    const auto kept = counts_.kept(setting_);
    SetTransform t{names_of(kept), setting_.weighted, {}};
    if (!t.weighted) return t;
    for (const auto& [name, count] : kept) t.idf.push_back(idf(present, count));
    t.idf.push_back(1);  // of what is rare: as if every row had some
    return t;
  }
  bool is_id_like(int64_t) const override { return false; }

 private:
  AttributeSetting setting_;
  ValueCounts counts_;
  SetElements elements_;
  std::vector<std::string_view> texts_;
};

class FlagCollector : public AttributeCollector {
 public:
  absl::Status add(uint64_t, const AttributeValue&) override { return absl::OkStatus(); }
  AttributeTransform finish(int64_t) const override { return FlagTransform{}; }
  bool is_id_like(int64_t) const override { return false; }
};

class TextCollector : public AttributeCollector {
 public:
  explicit TextCollector(int bits) : bits_(bits), rows_(size_t{1} << bits), votes_(size_t{1} << bits), words_(size_t{1} << bits) {}
  absl::Status add(uint64_t, const AttributeValue& value) override {
    for (const HashedWords::Entry& entry : hashed_.count(value.text, bits_)) ++rows_[static_cast<size_t>(entry.bucket)];
    for (const std::string_view word : hashed_.words()) vote(word);
    single_words_ += hashed_.words().size() <= 1;
    distinct_.add(value.text);
    return absl::OkStatus();
  }
  AttributeTransform finish(int64_t present) const override {
    TextTransform t{bits_, {}, words_};
    for (const int64_t rows : rows_) t.idf.push_back(idf(present, rows));
    return t;
  }
  bool is_id_like(int64_t present) const override {
    return single_words_ * 10 >= present * 9 && nearly_all_different(distinct_.count(), present);
  }

 private:
  void vote(std::string_view word) {
    const auto bucket = static_cast<size_t>(word_bucket(word, bits_));
    if (words_[bucket] == word) {
      ++votes_[bucket];
    } else if (votes_[bucket] == 0) {
      words_[bucket] = text_beginning(word, kMaxShownBytes);
      votes_[bucket] = 1;
    } else {
      --votes_[bucket];
    }
  }

  static constexpr size_t kMaxShownBytes = 64;
  int bits_;
  std::vector<int64_t> rows_, votes_;  // [2^bits]
  std::vector<std::string> words_;
  int64_t single_words_ = 0;
  DistinctEstimate distinct_;
  HashedWords hashed_;
};

class VectorCollector : public AttributeCollector {
 public:
  absl::Status add(uint64_t, const AttributeValue& value) override {
    if (absl::Status s = check(value); !s.ok()) return s;
    length_ = value.vector.size();
    for (const float x : value.vector) squares_ += double{x} * x;
    return absl::OkStatus();
  }
  absl::Status check(const AttributeValue& value) override {
    if (length_ == 0 && value.vector.empty()) return wrong_usage("the vector is empty");
    if (length_ == 0 || value.vector.size() == length_) return absl::OkStatus();
    return wrong_usage("the vector has " + std::to_string(value.vector.size()) + " numbers where " + std::to_string(length_) +
                       " belong, as in the first one");
  }
  AttributeTransform finish(int64_t present) const override {
    const double length = std::sqrt(squares_ / static_cast<double>(std::max<int64_t>(1, present)));
    const auto scale = static_cast<float>(1 / length);
    return VectorTransform{static_cast<int32_t>(length_), std::isfinite(scale) && scale > 0 ? scale : 1.0f};
  }
  bool is_id_like(int64_t) const override { return false; }

 private:
  size_t length_ = 0;
  double squares_ = 0;
};

}  // namespace

std::unique_ptr<AttributeCollector> make_collector(AttributeType type, const AttributeSetting& setting, size_t sample_rows) {
  switch (type) {
    case AttributeType::kNumber: return std::make_unique<NumberCollector>(setting.log1p, sample_rows);
    case AttributeType::kCategory: return std::make_unique<CategoryCollector>(setting);
    case AttributeType::kSet: return std::make_unique<SetCollector>(setting);
    case AttributeType::kFlag: return std::make_unique<FlagCollector>();
    case AttributeType::kText: return std::make_unique<TextCollector>(setting.bits);
    case AttributeType::kVector: return std::make_unique<VectorCollector>();
  }
  return nullptr;
}

}  // namespace bouquet::training
