#include "training/inspect_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engine/errors.h"
#include "engine/nearest_name.h"
#include "training/attribute_guess.h"
#include "training/columns.h"
#include "training/event_reader.h"
#include "training/file_profile.h"

namespace bouquet::training {
namespace {

using Json = nlohmann::ordered_json;

struct InspectFlags {
  std::vector<std::string> files;
  std::string columns;
  int64_t rows = 0;
  bool json = false;
};

struct Inspected {
  FileProfile profile;
  std::vector<std::string> meaning;  // by column: the canonical name, or empty
  std::vector<std::string> problems;
};

int position(const FileProfile& profile, const std::string& name) {
  for (size_t c = 0; c < profile.columns.size(); ++c)
    if (profile.columns[c].name == name) return static_cast<int>(c);
  return -1;
}

// The same choice as place_columns makes, but what is missing is no error here.
void find_meanings(Inspected& file, const ColumnMap& mapped) {
  file.meaning.resize(file.profile.columns.size());
  for (const ColumnName& column : kColumnNames) {
    std::vector<std::string> names;
    if (const auto given = mapped.find(std::string(column.canonical)); given != mapped.end()) names = given->second;
    names.emplace_back(column.in_files);
    for (const std::string& name : names) {
      const int at = position(file.profile, name);
      if (at < 0) continue;
      file.meaning[static_cast<size_t>(at)] = column.canonical;
      break;
    }
  }
}

bool has_meaning(const Inspected& file, const std::string& meaning) {
  return std::find(file.meaning.begin(), file.meaning.end(), meaning) != file.meaning.end();
}

void find_problems(Inspected& file) {
  std::vector<std::string> names;
  for (const ColumnProfile& column : file.profile.columns) names.push_back(column.name);
  const auto missing = [&](const std::string& canonical, const std::string& name, const std::string& consequence) {
    if (has_meaning(file, canonical)) return;
    file.problems.push_back("no column is taken for the " + canonical + " (" + name + "), " + consequence + "; the nearest name is '" +
                            nearest_name(name, names) + "' (--columns " + canonical + "=NAME)");
  };
  missing("item", "item_id", "which event and item files need");
  missing("customer", "customer_id", "which event files need");
  for (size_t c = 0; c < file.profile.columns.size(); ++c) {
    const ColumnProfile& column = file.profile.columns[c];
    const std::string& meaning = file.meaning[c];
    const std::string at = "column " + column.name + ": ";
    if (meaning == "item" && column.nulls > 0) file.problems.push_back(at + std::to_string(column.nulls) + " rows have no item");
    if (meaning == "time" && column.nulls > 0) file.problems.push_back(at + std::to_string(column.nulls) + " rows have no time");
    if (meaning == "time" && column.numbers > 0 && column.largest > 253402300799.0)
      file.problems.push_back(at + "the numbers are past the year 9999 as Unix seconds; are they milliseconds?");
    if (meaning == "time" && column.times + column.numbers < column.values)
      file.problems.push_back(at + std::to_string(column.values - column.times - column.numbers) + " values are not times");
    if (meaning == "value" && column.numbers < column.values)
      file.problems.push_back(at + std::to_string(column.values - column.numbers) + " values are not numbers");
    if ((meaning == "customer" || meaning == "item") && column.numbers > column.integers && column.type() == "number")
      file.problems.push_back(at + "ids with a fraction are read as text in CSV and refused elsewhere");
  }
  if (file.profile.rows == 0) file.problems.push_back("there is a header but no row");
  if (file.profile.bad_rows > 0) file.problems.push_back(std::to_string(file.profile.bad_rows) + " rows cannot be read; the first:");
  for (const std::string& row : file.profile.first_bad_rows) file.problems.push_back("  " + row);
}

// What the column would be as an attribute; null for what has another meaning and for what cannot be one.
Json attribute_type_of(const Inspected& file, size_t c) {
  const auto type = guessed_type(file.profile.columns[c]);
  return !file.meaning[c].empty() || !type ? Json(nullptr) : Json(attribute_type_name(*type));
}

Json json_of(const Inspected& file) {
  Json columns = Json::array();
  for (size_t c = 0; c < file.profile.columns.size(); ++c) {
    const ColumnProfile& column = file.profile.columns[c];
    columns.push_back({{"name", column.name},
                       {"read_as", file.meaning[c].empty() ? Json(nullptr) : Json(file.meaning[c])},
                       {"type", column.type()},
                       {"attribute_type", attribute_type_of(file, c)},
                       {"values", column.values},
                       {"nulls", column.nulls},
                       {"distinct_about", column.distinct.count()},
                       {"range", column.range()},
                       {"first", column.first}});
  }
  return {{"file", file.profile.path},
          {"format", file.profile.format},
          {"rows", file.profile.rows},
          {"bad_rows", file.profile.bad_rows},
          {"columns", columns},
          {"problems", file.problems},
          {"notes", column_findings(file.profile.columns)}};
}

std::string shown(const std::string& text, size_t width) { return text.size() <= width ? text : text.substr(0, width - 3) + "..."; }

void print(const Inspected& file) {
  const FileProfile& profile = file.profile;
  std::printf("%s: %s, %lld rows, %zu columns\n\n", profile.path.c_str(), profile.format.c_str(), static_cast<long long>(profile.rows),
              profile.columns.size());
  std::printf("  %-24s %-9s %-17s %-9s %10s %10s  %s\n", "column", "read as", "type", "attribute", "nulls", "distinct~", "range");
  for (size_t c = 0; c < profile.columns.size(); ++c) {
    const ColumnProfile& column = profile.columns[c];
    const Json attribute = attribute_type_of(file, c);
    std::printf("  %-24s %-9s %-17s %-9s %10lld %10lld  %s\n", shown(column.name, 24).c_str(),
                file.meaning[c].empty() ? "-" : file.meaning[c].c_str(), column.type().c_str(),
                attribute.is_null() ? "-" : attribute.get<std::string>().c_str(), static_cast<long long>(column.nulls),
                static_cast<long long>(column.distinct.count()), column.range().c_str());
  }
  std::printf("\n  first rows\n");
  for (size_t row = 0; !profile.columns.empty() && row < profile.columns[0].first.size(); ++row) {
    std::string line;
    for (const ColumnProfile& column : profile.columns) line.append(line.empty() ? "" : " | ").append(shown(column.first[row], 30));
    std::printf("  %s\n", line.c_str());
  }
  std::printf(file.problems.empty() ? "\n  no problems seen\n" : "\n  problems\n");
  for (const std::string& problem : file.problems) std::printf("  - %s\n", problem.c_str());
  for (const std::string& note : column_findings(profile.columns)) std::printf("  note: %s\n", note.c_str());
  std::printf("\n");
}

absl::Status run(const InspectFlags& flags) {
  const auto mapped = parse_columns(flags.columns);
  if (!mapped.ok()) return mapped.status();
  const auto paths = expand_paths(flags.files);
  if (!paths.ok()) return paths.status();
  Json all = Json::array();
  for (const std::string& path : *paths) {
    auto profile = profile_file(path, flags.rows);
    if (!profile.ok()) return profile.status();
    Inspected file{*std::move(profile), {}, {}};
    find_meanings(file, *mapped);
    find_problems(file);
    if (flags.json)
      all.push_back(json_of(file));
    else
      print(file);
  }
  // Text of a file may be no UTF-8; what is not is replaced.
  if (flags.json) std::printf("%s\n", Json{{"files", all}}.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  return absl::OkStatus();
}

}  // namespace

void add_inspect_command(CLI::App& app, int& exit_code) {
  auto flags = std::make_shared<InspectFlags>();
  CLI::App* command = app.add_subcommand("inspect", "Show what the readers see in files: columns, types, ranges, first rows, problems");
  command->add_option("files", flags->files, "files or patterns, as train reads them")->type_name("FILE")->required();
  command->add_option("--columns", flags->columns, "what the files call the columns, as for train")->type_name("MAP");
  command->add_option("--rows", flags->rows, "stop after about this many rows; 0: read all")->capture_default_str();
  command->add_flag("--json", flags->json, "print the result as JSON");
  command->footer("Example:\n  bouquet inspect orders.csv.gz --columns customer=household_id,item=product_id");
  command->callback([flags, &exit_code] { exit_code = report(run(*flags)); });
}

}  // namespace bouquet::training
