// Proves split and evaluator against a published figure: EASE (Steck 2019) with lambda = 80 on the Gowalla split of the LightGCN paper
// has Recall@20 .17649 and NDCG@20 .14666. Takes 6.7 GB and, on two cores, the better part of half an hour.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "training/baselines.h"
#include "training/evaluator.h"
#include "training/event_reader.h"

extern "C" {
// LAPACK: Cholesky factor, and from it the inverse, of a symmetric positive definite matrix; one triangle, by columns.
void spotrf_(const char* triangle, const int* n, float* a, const int* leading, int* info);
void spotri_(const char* triangle, const int* n, float* a, const int* leading, int* info);
}

namespace bouquet::training {
namespace {

constexpr float kLambda = 80;
constexpr int32_t kLength = 20;

std::string data_folder() {
  const char* folder = std::getenv("BOUQUET_DATA");
  return folder != nullptr ? folder : BOUQUET_DATA_DEFAULT;
}

double free_gigabytes() {
  std::ifstream in("/proc/meminfo");
  std::string name, unit;
  double kilobytes = 0;
  while (in >> name >> kilobytes >> unit)
    if (name == "MemAvailable:") return kilobytes / 1e6;
  return 0;
}

Dataset read(const std::string& file) {
  ReadOptions options;
  options.event_files = {file};
  auto out = read_dataset(options);
  EXPECT_TRUE(out.ok()) << out.status();
  return out.ok() ? *std::move(out) : Dataset{};
}

// (RᵀR + lambda I)⁻¹ [n, n], both triangles.
std::vector<float> inverse_gram(const SparseRows& rows) {
  const auto n = static_cast<size_t>(rows.column_count);
  std::vector<float> p(n * n, 0);
  for (int32_t r = 0; r < rows.row_count(); ++r) {
    const auto items =
        std::span(rows.columns).subspan(static_cast<size_t>(rows.offsets[static_cast<size_t>(r)]), static_cast<size_t>(rows.row_length(r)));
    for (size_t a = 0; a < items.size(); ++a)  // the lower triangle by columns: row index at least the column's
      for (size_t b = a; b < items.size(); ++b) p[static_cast<size_t>(items[a]) * n + static_cast<size_t>(items[b])] += 1;
  }
  for (size_t i = 0; i < n; ++i) p[i * n + i] += kLambda;
  const int size = rows.column_count;
  int info = -1;
  spotrf_("L", &size, p.data(), &size, &info);
  EXPECT_EQ(info, 0);
  spotri_("L", &size, p.data(), &size, &info);
  EXPECT_EQ(info, 0);
  constexpr size_t kBlock = 64;
  for (size_t column = 0; column < n; column += kBlock)
    for (size_t row = column; row < n; row += kBlock)
      for (size_t c = column; c < std::min(column + kBlock, n); ++c)
        for (size_t r = std::max(row, c); r < std::min(row + kBlock, n); ++r) p[r * n + c] = p[c * n + r];
  return p;
}

// Scores of all items for a history: -sum over its items i of P[i, j] / P[j, j] (Steck 2019, equation 8, for items not in it).
void rank_customer(const std::vector<float>& p, const HistoryView& history, std::span<int32_t> answer) {
  const auto n = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(p.size()))));
  std::vector<float> scores(n, 0);
  for (const int32_t item : history.items)
    for (size_t j = 0; j < n; ++j) scores[j] += p[static_cast<size_t>(item) * n + j];
  for (size_t j = 0; j < n; ++j) scores[j] = -scores[j] / p[j * n + j];
  for (const int32_t item : history.items) scores[static_cast<size_t>(item)] = -INFINITY;
  std::vector<int32_t> order(n);
  for (size_t j = 0; j < n; ++j) order[j] = static_cast<int32_t>(j);
  std::partial_sort(order.begin(), order.begin() + kLength, order.end(), [&](int32_t a, int32_t b) {
    const float score_a = scores[static_cast<size_t>(a)], score_b = scores[static_cast<size_t>(b)];
    return score_a > score_b || (score_a == score_b && a < b);
  });
  std::copy_n(order.begin(), kLength, answer.begin());
}

TEST(GowallaEase, HasThePublishedFigures) {
  const std::string folder = data_folder() + "/gowalla/";
  if (!std::ifstream(folder + "train.csv.gz")) GTEST_SKIP() << "no Gowalla at " << folder << "; name its parent folder in BOUQUET_DATA";
  if (free_gigabytes() < 16) GTEST_SKIP() << "needs 16 GB of free memory, there are " << free_gigabytes();
  const Dataset train = read(folder + "train.csv.gz"), test = read(folder + "test.csv.gz");
  const auto set = build_training_set(train, {});
  ASSERT_TRUE(set.ok()) << set.status();
  ASSERT_EQ(set->interactions.customer_count(), 29858);
  ASSERT_EQ(set->interactions.item_count(), 40981);
  const RowMaps own = RowMaps::of(train, *set);
  RowMaps rows;
  const auto row_of = [](const IdMap& ids, std::string_view id, const std::vector<int32_t>& map) {
    const int32_t at = ids.find(id);
    return at == kNone ? kNone : map[static_cast<size_t>(at)];
  };
  for (int32_t c = 0; c < test.customers.size(); ++c)
    rows.customers.push_back(row_of(train.customers, test.customers.id(c), own.customers));
  for (int32_t i = 0; i < test.items.size(); ++i) rows.items.push_back(row_of(train.items, test.items.id(i), own.items));
  const auto tests = build_test_set(test, {}, set->rules, rows);
  ASSERT_TRUE(tests.ok()) << tests.status();

  Knowledge known;
  known.histories = HistoriesView::of(*set);
  const Popularity popularity = Popularity::of(count_item_customers(known.histories, set->interactions.item_count()));
  known.popularity = &popularity;
  const std::vector<float> p = inverse_gram(set->interactions.by_customer);
  Answers answers = empty_answers(tests->size(), {kLength});
  const auto half = [&](int32_t first) {
    for (int32_t t = first; t < tests->size(); t += 2)
      rank_customer(p, known.histories.row(tests->customers[static_cast<size_t>(t)]),
                    std::span(answers.rows[0]).subspan(static_cast<size_t>(t) * kLength, kLength));
  };
  {
    const std::jthread other([&] { half(1); });
    half(0);
  }
  const auto out = judge(
      {{"ease", std::move(answers)}, {kMostPopular, most_popular(*tests, known, {.repeats = Repeats::kExclude, .lengths = {kLength}})}},
      *tests, known, Repeats::kExclude, {.resamples = 100});
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(out->tables[0].customers, 29858);
  EXPECT_NEAR(find_metric(out->tables[0], "recall@20")->value, 0.17649, 6e-6);
  EXPECT_NEAR(find_metric(out->tables[0], "ndcg@20")->value, 0.14666, 6e-6);
}

}  // namespace
}  // namespace bouquet::training
