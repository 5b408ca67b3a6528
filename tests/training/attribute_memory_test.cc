// A million customers with 300 dense and 4,700 sparse columns, of which 60 are set, fit in 3 GB while they are being encoded.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "training/attribute_fit.h"
#include "training/attribute_table_builder.h"

namespace bouquet::training {
namespace {

constexpr int64_t kRows = 1000000;
constexpr size_t kNumbers = 300, kCategories = 40, kValues = 50, kElements = 2318, kElementsOfARow = 20;

// The most memory this process has had, in bytes.
int64_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "VmHWM:") {
      int64_t kilobytes = 0;
      status >> kilobytes;
      return kilobytes * 1024;
    }
  return 0;
}

class Rows {
 public:
  Rows() : values_(kNumbers + kCategories + 1), elements_(kElementsOfARow) {
    for (size_t n = 0; n < kNumbers; ++n) attributes_.push_back({"n" + std::to_string(n), AttributeType::kNumber, {}});
    for (size_t c = 0; c < kCategories; ++c) attributes_.push_back({"c" + std::to_string(c), AttributeType::kCategory, {}});
    attributes_.push_back({"set", AttributeType::kSet, {}});
    for (size_t e = 0; e < kElements; ++e) words_.push_back("w" + std::to_string(e));
  }
  const std::vector<TypedAttribute>& attributes() const { return attributes_; }
  std::span<const AttributeValue> row(int64_t r) {
    uint64_t bits = static_cast<uint64_t>(r) + 1;
    const auto next = [&bits] { return bits = bits * 6364136223846793005ull + 1442695040888963407ull, bits >> 33; };
    for (size_t n = 0; n < kNumbers; ++n) values_[n] = AttributeValue::of_number(static_cast<double>(next()) * 1e-6);
    for (size_t c = 0; c < kCategories; ++c) values_[kNumbers + c] = AttributeValue::of_text(words_[next() % kValues]);
    // Each from words of its own, so that they are distinct; the last has those that are left over.
    constexpr size_t kEach = kElements / kElementsOfARow, kLast = kElements - kEach * (kElementsOfARow - 1);
    for (size_t e = 0; e < kElementsOfARow; ++e) elements_[e] = words_[e * kEach + next() % (e + 1 < kElementsOfARow ? kEach : kLast)];
    values_.back() = AttributeValue::of_texts(elements_);
    return values_;
  }

 private:
  std::vector<TypedAttribute> attributes_;
  std::vector<std::string> words_;
  std::vector<AttributeValue> values_;
  std::vector<std::string_view> elements_;
};

TEST(AttributeMemory, AMillionWideRowsFitInThreeGigabytes) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = [](Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  Rows rows;
  auto begin = Clock::now();
  AttributeFitter fitter(rows.attributes());
  for (int64_t r = 0; r < kRows; ++r) ASSERT_TRUE(fitter.add(static_cast<uint64_t>(r), rows.row(r)).ok());
  const auto fitted = fitter.finish();
  ASSERT_TRUE(fitted.ok()) << fitted.status();
  const double fit_seconds = seconds(begin);
  ASSERT_EQ(fitted->schema.dense_count(), 300);
  ASSERT_EQ(fitted->schema.column_count(), 5000);
  begin = Clock::now();
  AttributeTableBuilder builder(fitted->schema, kRows);
  // Backwards: the order that needs the most memory.
  for (int64_t r = kRows - 1; r >= 0; --r) ASSERT_TRUE(builder.add(r, rows.row(r)).ok());
  const AttributeTable table = std::move(builder).finish();
  const double encode_seconds = seconds(begin);
  ASSERT_EQ(table.columns.size(), kRows * 60);
  const int64_t bytes = (table.dense.size() + table.columns.size() + table.values.size()) * 4 + table.offsets.size() * 8;
  std::printf("table %.3f GB, peak of the process %.3f GB, fitted in %.1f s, encoded in %.1f s (one thread, values made on the way)\n",
              static_cast<double>(bytes) / 1e9, static_cast<double>(peak_bytes()) / 1e9, fit_seconds, encode_seconds);
  EXPECT_LE(bytes, 3000000000);
  EXPECT_GT(peak_bytes(), bytes);
  EXPECT_LE(peak_bytes(), 3000000000);
}

}  // namespace
}  // namespace bouquet::training
