#include "training/evaluator.h"

#include <algorithm>

#include "training/baselines.h"
#include "training/content_neighbours.h"
#include "training/customer_figures.h"

namespace bouquet::training {
namespace {

constexpr int32_t kSegmentEnds[] = {0, 5, 20, 100, 500, INT32_MAX};

MetricTable table_of(std::string subject, Repeats repeats, int64_t customers, const CustomerFigures& figures,
                     const std::vector<int32_t>& lengths, std::span<const Interval> intervals) {
  MetricTable table{.subject = std::move(subject), .repeats = std::string(repeats_name(repeats)), .customers = customers, .metrics = {}};
  for (size_t i = 0; i < intervals.size(); ++i)
    table.metrics.push_back({figures.names[i], intervals[i].value, intervals[i].low, intervals[i].high});
  for (size_t j = 0; j < figures.coverage.size(); ++j)
    table.metrics.push_back({"coverage@" + std::to_string(lengths[j]), figures.coverage[j], figures.coverage[j], figures.coverage[j]});
  return table;
}

// The tables of all subjects over the same customers, and of the first subject less each other.
void add_tables(const std::vector<Subject>& subjects, const std::vector<CustomerFigures>& figures, Repeats repeats,
                const BootstrapOptions& bootstrap, std::vector<MetricTable>& tables, std::vector<MetricTable>* differences) {
  std::vector<std::vector<float>> less;  // columns of differences
  std::vector<std::span<const float>> columns;
  for (const CustomerFigures& f : figures) columns.insert(columns.end(), f.columns.begin(), f.columns.end());
  const size_t metrics = figures[0].columns.size(), customers = metrics == 0 ? 0 : figures[0].columns[0].size();
  if (differences != nullptr) {
    for (size_t s = 1; s < figures.size(); ++s)
      for (size_t m = 0; m < metrics; ++m) {
        std::vector<float>& difference = less.emplace_back(customers);
        for (size_t i = 0; i < customers; ++i) difference[i] = figures[0].columns[m][i] - figures[s].columns[m][i];
      }
    columns.insert(columns.end(), less.begin(), less.end());
  }
  const std::vector<Interval> intervals = bootstrap_means(columns, bootstrap);
  const auto count = static_cast<int64_t>(customers);
  for (size_t s = 0; s < subjects.size(); ++s)
    tables.push_back(table_of(subjects[s].name, repeats, count, figures[s], subjects[s].answers.lengths,
                              std::span(intervals).subspan(s * metrics, metrics)));
  if (differences == nullptr) return;
  for (size_t s = 1; s < subjects.size(); ++s) {
    const auto own = std::span(intervals).subspan((subjects.size() + s - 1) * metrics, metrics);
    CustomerFigures names{.names = figures[s].names, .columns = {}, .coverage = {}};
    differences->push_back(table_of(subjects[s].name, repeats, count, names, {}, own));
  }
}

// The part of a segment of all figures.
CustomerFigures rows_of(const CustomerFigures& figures, const std::vector<size_t>& chosen) {
  CustomerFigures out{.names = figures.names, .columns = {}, .coverage = {}};
  for (const std::vector<float>& column : figures.columns) {
    std::vector<float>& kept = out.columns.emplace_back();
    for (const size_t i : chosen) kept.push_back(column[i]);
  }
  return out;
}

int32_t consumed_count(const HistoryView& history) {
  return static_cast<int32_t>(std::count(history.consumed.begin(), history.consumed.end(), 1));
}

std::vector<Segment> segments_of(const std::vector<Subject>& subjects, const std::vector<CustomerFigures>& figures,
                                 const JudgedCustomers& judged, const TestSet& tests, const Knowledge& known, Repeats repeats,
                                 const BootstrapOptions& bootstrap) {
  std::vector<Segment> out;
  int32_t least = 0;
  for (const int32_t most : kSegmentEnds) {
    std::vector<size_t> chosen;
    for (size_t i = 0; i < judged.tests.size(); ++i) {
      const int32_t length = consumed_count(known.histories.row(tests.customers[static_cast<size_t>(judged.tests[i])]));
      if (length >= least && length <= most) chosen.push_back(i);
    }
    if (!chosen.empty()) {
      std::vector<CustomerFigures> parts;
      for (const CustomerFigures& f : figures) parts.push_back(rows_of(f, chosen));
      Segment segment{.least = least, .most = most, .tables = {}};
      add_tables(subjects, parts, repeats, bootstrap, segment.tables, nullptr);
      out.push_back(std::move(segment));
    }
    least = most == INT32_MAX ? most : most + 1;
  }
  return out;
}

std::vector<CustomerFigures> figures_of(const std::vector<Subject>& subjects, const JudgedCustomers& judged, const Popularity& popularity) {
  std::vector<CustomerFigures> out;
  for (const Subject& subject : subjects) out.push_back(customer_figures(subject.answers, judged, popularity));
  return out;
}

}  // namespace

absl::StatusOr<Evaluation> judge(const std::vector<Subject>& subjects, const TestSet& tests, const Knowledge& known, Repeats repeats,
                                 const BootstrapOptions& bootstrap) {
  Evaluation out{
      .repeats = repeats, .lengths = subjects.at(0).answers.lengths, .tables = {}, .differences = {}, .with_unknown = {}, .segments = {}};
  const JudgedCustomers judged = judged_customers(tests, known.histories, repeats, false);
  if (judged.tests.empty())
    return absl::FailedPreconditionError("no customer is left to judge with repeats " + std::string(repeats_name(repeats)) + ": of " +
                                         std::to_string(tests.size()) + " test customers, none is known and has a known " +
                                         (repeats == Repeats::kOnly      ? "item again"
                                          : repeats == Repeats::kExclude ? "item that is new"
                                                                         : "item"));
  const std::vector<CustomerFigures> figures = figures_of(subjects, judged, *known.popularity);
  add_tables(subjects, figures, repeats, bootstrap, out.tables, &out.differences);
  out.segments = segments_of(subjects, figures, judged, tests, known, repeats, bootstrap);
  const JudgedCustomers everybody = judged_customers(tests, known.histories, repeats, true);
  add_tables(subjects, figures_of(subjects, everybody, *known.popularity), repeats, bootstrap, out.with_unknown, nullptr);
  return out;
}

absl::StatusOr<std::vector<Subject>> answered(const LoadedModel& model, const TestSet& tests, const Knowledge& known,
                                              const AnswerOptions& options, const AttributeRows& item_attributes) {
  auto answers = answers_of_model(model, tests, known, options);
  if (!answers.ok()) return answers.status();
  std::vector<Subject> subjects;
  subjects.push_back({kModelSubject, *std::move(answers)});
  subjects.push_back({kMostPopular, most_popular(tests, known, options)});
  subjects.push_back({kPersonalFrequency, personal_frequency(tests, known, options)});
  if (item_attributes.column_count > 0 && options.repeats == Repeats::kExclude)
    subjects.push_back({kContentNeighbours, content_neighbours(tests, known, item_attributes, options)});
  return subjects;
}

absl::StatusOr<Evaluation> evaluate(const LoadedModel& model, const TestSet& tests, const Knowledge& known, const AnswerOptions& options,
                                    const BootstrapOptions& bootstrap, const AttributeRows& item_attributes) {
  const auto subjects = answered(model, tests, known, options, item_attributes);
  if (!subjects.ok()) return subjects.status();
  return judge(*subjects, tests, known, options.repeats, bootstrap);
}

double mean_metric(const Answers& answers, size_t length, ListMetric metric, const TestSet& tests, const Knowledge& known, Repeats repeats,
                   bool everybody) {
  const JudgedCustomers judged = judged_customers(tests, known.histories, repeats, everybody);
  const Answers one{.lengths = {answers.lengths[length]}, .rows = {answers.rows[length]}};
  const std::vector<float> column = customer_figures(one, judged, *known.popularity).columns[metric];
  double sum = 0;
  for (const float value : column) sum += static_cast<double>(value);
  return column.empty() ? 0 : sum / static_cast<double>(column.size());
}

const Metric* find_metric(const MetricTable& table, const std::string& name) {
  for (const Metric& metric : table.metrics)
    if (metric.name == name) return &metric;
  return nullptr;
}

}  // namespace bouquet::training
