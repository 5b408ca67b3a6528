#include "training/read_flags.h"

#include <CLI/CLI.hpp>

#include "engine/errors.h"

namespace bouquet::training {

void add_read_flags(CLI::App& app, ReadFlags& flags, const std::string& events_flag) {
  ReadOptions& options = flags.options;
  const std::string group = "Reading";
  app.add_option(events_flag, options.event_files,
                 "Event files or patterns: .csv .tsv .jsonl .parquet, also .gz .zst; - is CSV on standard input")
      ->type_name("FILE")
      ->required()
      ->group(group);
  app.add_option("--items", options.item_files,
                 "Item files: item_id, and title, category, kind where there are any; filters may ask for every other column")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--columns", flags.columns, "What the files call the columns: customer=household_id,item=product_id|sku,time=day")
      ->type_name("MAP")
      ->group(group);
  app.add_option("--anonymous", flags.anonymous,
                 "Rows without a customer: drop them from the training (they count for baskets and popularity), or fail")
      ->check(CLI::IsMember({"drop", "fail"}))
      ->capture_default_str()
      ->group(group);
  app.add_option("--drop-customers", options.drop_customers, "Customers that are none (guests, tills), apart by commas")
      ->delimiter(',')
      ->type_name("ID,...")
      ->group(group);
  app.add_flag("--distinct", options.distinct, "Count rows that are equal in every column read once")->group(group);
  app.add_option("--where", options.where, "Read only rows for which 'column = value' or 'column != value' holds; may be repeated")
      ->type_name("TEXT")
      ->group(group);
  app.add_option("--max-bad-rows", options.max_bad_rows,
                 "How many rows that cannot be read are reported and left out before it is an error")
      ->capture_default_str()
      ->group(group);
  app.add_option("--time-zone", options.time_zone, "IANA name of times without an offset; UTC if it is not given")
      ->type_name("ZONE")
      ->group(group);
  app.add_option("--max-history", options.max_history, "How many of a customer's newest distinct items count")
      ->capture_default_str()
      ->group(group);
}

absl::StatusOr<ReadOptions> read_options(const ReadFlags& flags) {
  ReadOptions options = flags.options;
  auto columns = parse_columns(flags.columns);
  if (!columns.ok()) return columns.status();
  options.columns = *std::move(columns);
  if (flags.anonymous != "drop" && flags.anonymous != "fail")
    return wrong_usage("--anonymous is '" + flags.anonymous + "'; it takes drop or fail");
  options.anonymous = flags.anonymous == "fail" ? Anonymous::kFail : Anonymous::kDrop;
  if (options.max_history < 1) return wrong_usage("--max-history is " + std::to_string(options.max_history) + "; it must be at least 1");
  if (options.max_bad_rows < 0) return wrong_usage("--max-bad-rows is " + std::to_string(options.max_bad_rows) + "; it must be 0 or more");
  return options;
}

}  // namespace bouquet::training
