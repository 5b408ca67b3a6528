#include "training/event_reader.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <utility>

#include "engine/errors.h"
#include "engine/seconds_since.h"
#include "training/bad_rows.h"
#include "training/dataset_attributes.h"
#include "training/erased_customers.h"
#include "training/event_log_builder.h"
#include "training/event_rows.h"
#include "training/item_files.h"
#include "training/merged_customers.h"
#include "training/parallel_ranges.h"
#include "training/row_pipeline.h"
#include "training/source_rows.h"
#include "training/table_reader.h"

namespace bouquet::training {
namespace {

// Reads all event files into one builder.
class EventFiles {
 public:
  EventFiles(const ReadOptions& options, const RowRules& rules, Dataset& dataset)
      : options_(options),
        rules_(rules),
        report_(dataset.report),
        bad_rows_(options.max_bad_rows, report_),
        threads_(thread_count(options.threads)),
        builder_(options.distinct, threads_) {
    for (int i = 0; i < threads_; ++i) workers_.push_back(std::make_unique<EventRows>(rules));
  }

  absl::Status read(const std::string& file) {
    auto reader = open_table(file, {.block_bytes = options_.block_bytes});
    if (!reader.ok()) return reader.status();
    auto layout = EventFileLayout::of(file, **reader, options_, rules_);
    if (!layout.ok()) return layout.status();
    if (auto status = check_time(file, *layout); !status.ok()) return status;
    const auto parse = [&](int worker, const Block& block) {
      EventRows& rows = *workers_[static_cast<size_t>(worker)];
      rows.start_block(*layout);
      return (*reader)->parse(block, layout->projection, rows);
    };
    const auto take = [&](int worker, const Block& block) { return add(**reader, block, workers_[static_cast<size_t>(worker)]->batch()); };
    return run_row_pipeline(**reader, layout->projection, threads_, parse, take);
  }

  absl::Status read(EventSource& store) {
    if (!first_file_.empty() && !has_time_)
      return missing_input(first_file_ + ": there is no time column, but the events of --store have times; all have times or none does");
    return read_source(store, rules_, builder_, report_);
  }

  EventLogBuilder& builder() { return builder_; }

 private:
  // Events without a time among events with one could not be ordered.
  absl::Status check_time(const std::string& file, const EventFileLayout& layout) {
    const bool has_time = layout.has(Column::kTime);
    if (!first_file_.empty() && has_time != has_time_) {
      const std::string& with = has_time ? file : first_file_;
      const std::string& without = has_time ? first_file_ : file;
      return missing_input(without + ": there is no time column, but " + with + " has one; files of one set all have times or none does");
    }
    if (first_file_.empty()) first_file_ = file;
    has_time_ = has_time;
    return absl::OkStatus();
  }

  absl::Status add(const TableReader& reader, const Block& block, const EventBatch& batch) {
    report_.rows += batch.rows;
    report_.dropped_customers += batch.dropped_customers;
    report_.filtered += batch.filtered;
    report_.zero_values += batch.zero_values;
    for (const auto& [row, message] : batch.first_bad_rows)
      if (auto status = bad_rows_.add(reader.place(block, row), message); !status.ok()) return status;
    if (auto status = bad_rows_.add_unnamed(batch.bad_rows - static_cast<int64_t>(batch.first_bad_rows.size())); !status.ok())
      return status;
    if (options_.anonymous == Anonymous::kFail && batch.first_anonymous >= 0)
      return bad_input(reader.place(block, batch.first_anonymous) + ": the row has no customer, and --anonymous is fail");
    return builder_.add(batch, rules_.events, report_);
  }

  const ReadOptions& options_;
  const RowRules& rules_;
  ReadReport& report_;
  BadRows bad_rows_;
  int threads_;
  EventLogBuilder builder_;
  std::vector<std::unique_ptr<EventRows>> workers_;
  std::string first_file_;
  bool has_time_ = false;
};

std::string counted(int64_t count, const char* one, const char* many) { return std::to_string(count) + " " + (count == 1 ? one : many); }

// Why nothing can be learned, in the order a user would ask.
absl::Status check_size(const Dataset& dataset, const std::vector<std::string>& files) {
  const ReadReport& report = dataset.report;
  const std::string where = files.empty() ? "--store" : files.size() == 1 ? files.front() : std::to_string(files.size()) + " event files";
  if (report.rows == 0) return bad_input(where + (files.empty() ? ": there is no event" : ": there is a header but no row"));
  const std::string left_out = " (of " + counted(report.rows, "row", "rows") + ": " + std::to_string(report.filtered) +
                               " left out by --where, " + std::to_string(report.dropped_customers) + " by --drop-customers, " +
                               std::to_string(report.zero_values) + " with value 0, " + std::to_string(report.unknown_types) +
                               " of event types that are not registered, " + std::to_string(report.erased) + " of erased customers, " +
                               std::to_string(report.anonymous) + " without a customer, " + std::to_string(report.bad_rows) + " bad)";
  if (dataset.customers.size() < 1) return bad_input(where + ": no customer is left; at least one is needed" + left_out);
  if (dataset.items.size() < 2)
    return bad_input(where + ": " + counted(dataset.items.size(), "item is", "items are") + " left; at least two are needed" + left_out);
  return absl::OkStatus();
}

void find_future(Dataset& dataset) {
  for (const int64_t time : dataset.events.times) {
    if (time <= dataset.read_at) continue;
    ++dataset.report.future;
    dataset.report.newest = std::max(dataset.report.newest, time);
  }
}

std::string file_name(const std::string& path) { return path == "-" ? path : std::filesystem::path(path).filename().string(); }

}  // namespace

absl::StatusOr<Dataset> read_dataset(const ReadOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  if (options.event_files.empty() && options.store == nullptr) return wrong_usage("no event file is named (--events FILE...)");
  const auto rules = RowRules::from(options);
  if (!rules.ok()) return rules.status();
  const auto event_files = expand_paths(options.event_files);
  if (!event_files.ok()) return event_files.status();
  if (options.store != nullptr && !options.where.empty())
    return wrong_usage("--where asks for columns of files, and --store has none: leave one of the two out");
  const auto item_files = expand_paths(options.item_files);
  if (!item_files.ok()) return item_files.status();
  const auto customer_files = expand_paths(options.customer_files);
  if (!customer_files.ok()) return customer_files.status();

  Dataset dataset;
  dataset.rules = rules->events;
  dataset.read_at = absl::ToUnixMicros(options.clock());
  {
    EventFiles files(options, *rules, dataset);
    for (const std::string& file : *event_files) {
      if (auto status = files.read(file); !status.ok()) return status;
      dataset.sources.push_back(file_name(file));
    }
    if (options.store != nullptr)
      if (auto status = files.read(*options.store); !status.ok()) return status;
    files.builder().finish(dataset);
  }
  if (options.store != nullptr) {
    leave_out_erased(*options.store, dataset);
    join_merged(*options.store, dataset);
    dataset.sources.emplace_back("store");
    dataset.store = {options.store->identity(), options.store->newest_sequence()};
  }
  find_future(dataset);
  if (auto status = check_size(dataset, *event_files); !status.ok()) return status;
  auto catalog = options.attributes ? read_listed_items(*item_files, options, dataset.items, dataset.report, dataset.listed_items)
                                    : read_item_files(*item_files, options, dataset.items, dataset.report);
  if (!catalog.ok()) return catalog.status();
  dataset.catalog = *std::move(catalog);
  for (const std::string& file : *item_files) dataset.sources.push_back(file_name(file));
  if (options.attributes) {
    for (const std::string& file : *customer_files) dataset.sources.push_back(file_name(file));
    if (auto status = read_dataset_attributes(options, *customer_files, *item_files, dataset); !status.ok()) return status;
  }
  dataset.report.seconds = seconds_since(start);
  return dataset;
}

}  // namespace bouquet::training
