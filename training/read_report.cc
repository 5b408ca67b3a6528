#include "training/read_report.h"

#include <cstdio>

#include "absl/time/time.h"

namespace bouquet::training {
namespace {

std::string with_commas(int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0 && digits[static_cast<size_t>(at) - 1] != '-'; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string seconds_text(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

std::string attributes_text(const char* of, const EntityAttributes& read) {
  if (read.source.empty()) return "";
  std::string text = std::string("  ") + of + ": " + with_commas(static_cast<int64_t>(read.schema.attributes().size())) +
                     " attributes in " + with_commas(read.schema.dense_count()) + " dense and " +
                     with_commas(read.schema.column_count() - read.schema.dense_count()) + " sparse columns\n";
  for (const Attribute& attribute : read.schema.attributes())
    text += "    " + attribute.name + ": " + std::string(attribute_type_name(attribute.type())) + "\n";
  if (read.without_row > 0 && !read.schema.empty()) text += "    " + with_commas(read.without_row) + " have no row: all is missing\n";
  if (read.unknown_rows > 0) text += "    " + with_commas(read.unknown_rows) + " rows are of ids without an event\n";
  if (read.erased_rows > 0) text += "    " + with_commas(read.erased_rows) + " rows of files are of ids that were erased: left out\n";
  for (const AttributeFinding& finding : read.findings) text += "    note: " + finding.attribute + " " + finding.message + "\n";
  return text;
}

std::string filter_columns_text(const CatalogColumns& columns) {
  if (columns.empty()) return "";
  std::string text = "  filters may ask items for ";
  constexpr size_t kShown = 20;
  for (size_t c = 0; c < columns.columns.size() && c < kShown; ++c)
    text += (c > 0 ? ", " : "") + columns.columns[c].name + " (" + std::string(attribute_type_name(columns.columns[c].type)) + ")";
  if (columns.columns.size() > kShown) text += ", and " + std::to_string(columns.columns.size() - kShown) + " more";
  return text + "\n";
}

}  // namespace

std::string read_report_text(const Dataset& dataset) {
  const ReadReport& report = dataset.report;
  std::string text = "read " + with_commas(report.rows) + " rows in " + seconds_text(report.seconds) + ": " + with_commas(report.events) +
                     " events of " + with_commas(dataset.customers.size()) + " customers on " + with_commas(dataset.items.size()) +
                     " items";
  if (dataset.basket_count > 0) text += " in " + with_commas(dataset.basket_count) + " baskets";
  text += "\n";
  const auto line = [&](int64_t count, const std::string& what) {
    if (count > 0) text += "  " + with_commas(count) + " " + what + "\n";
  };
  line(report.returns, "events are returns");
  line(report.anonymous, "events have no customer: they count for baskets and popularity alone");
  line(report.dropped_customers, "rows left out: their customer is in --drop-customers");
  line(report.filtered, "rows left out by --where");
  line(report.zero_values, "rows left out: their value is 0");
  line(report.unknown_types, "events of the store left out: their type is not registered ([events.<type>] of --config)");
  line(report.erased, "events left out: their customer has been erased since");
  line(report.repeated, "rows left out: equal to an earlier one in every column read");
  line(report.future, "events are dated after now, up to " +
                          absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMicros(report.newest), absl::UTCTimeZone()) +
                          ": times that name no zone are taken as UTC; --time-zone says where they are from");
  line(report.unknown_items, "rows of the item files are of items without an event");
  line(report.item_columns_left_out, "columns of the item files are past the first 1,000 and cannot be filtered by");
  line(report.bad_rows, "bad rows left out; the first:");
  for (const BadRow& row : report.first_bad_rows) text += "    " + row.message + "\n";
  line(report.suspected_robot_count, "customers have over 100 times the median number of events (robots? tills?):");
  if (!report.suspected_robots.empty()) {
    text += "    ";
    for (size_t i = 0; i < report.suspected_robots.size(); ++i) text.append(i > 0 ? ", " : "").append(report.suspected_robots[i]);
    if (static_cast<int64_t>(report.suspected_robots.size()) < report.suspected_robot_count) text += ", ...";
    text += "\n";
  }
  return text + filter_columns_text(dataset.catalog.columns) + attributes_text("customers", dataset.customer_attributes) +
         attributes_text("items", dataset.item_attributes);
}

}  // namespace bouquet::training
