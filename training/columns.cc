#include "training/columns.h"

#include <algorithm>

#include "engine/errors.h"
#include "engine/nearest_name.h"
#include "training/event_reader.h"

namespace bouquet::training {
namespace {

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = text.find(at);
    parts.push_back(without_spaces(text.substr(0, end)));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> canonical_names() {
  std::vector<std::string> names;
  for (const ColumnName& name : kColumnNames) names.emplace_back(name.canonical);
  return names;
}

// `customer` for `customer` and for `customer_id`; empty for what is neither.
std::string_view canonical_of(std::string_view text) {
  for (const ColumnName& name : kColumnNames)
    if (text == name.canonical || text == name.in_files) return name.canonical;
  return {};
}

int position(std::span<const std::string> names, std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? -1 : static_cast<int>(at - names.begin());
}

std::string no_column(const std::string& file, const std::vector<std::string>& tried, std::string_view canonical,
                      std::span<const std::string> names) {
  std::string list;
  for (const std::string& name : tried) list.append(list.empty() ? "'" : " or '").append(name).append("'");
  std::string message = file + ": there is no column " + list + " for the " + std::string(canonical);
  if (!names.empty()) message.append("; the nearest name is '").append(nearest_name(tried.front(), names)).append("'");
  return message + " (--columns " + std::string(canonical) + "=NAME maps another)";
}

}  // namespace

absl::StatusOr<ColumnMap> parse_columns(const std::string& text) {
  ColumnMap columns;
  if (without_spaces(text).empty()) return columns;
  for (const std::string_view part : split(text, ',')) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos)
      return wrong_usage("--columns: '" + std::string(part) + "' is not of the form column=NAME or column=NAME|OTHER");
    const std::string_view key = without_spaces(part.substr(0, equals));
    const std::string canonical(canonical_of(key));
    if (canonical.empty())
      return wrong_usage("--columns: there is no column '" + std::string(key) + "'; did you mean '" + nearest_name(key, canonical_names()) +
                         "'?");
    std::vector<std::string>& names = columns[canonical];
    if (!names.empty()) return wrong_usage("--columns: '" + canonical + "' is given twice; alternatives stand in one place, apart by |");
    for (const std::string_view name : split(part.substr(equals + 1), '|')) {
      if (name.empty()) return wrong_usage("--columns: '" + std::string(part) + "' names an empty column");
      names.emplace_back(name);
    }
  }
  return columns;
}

absl::StatusOr<ColumnPlaces> place_columns(const std::string& file, std::span<const std::string> names, const ColumnMap& mapped,
                                           std::span<const Column> wanted, std::span<const Column> required) {
  ColumnPlaces places;
  places.fill(-1);
  for (const Column column : wanted) {
    const ColumnName& name = kColumnNames[static_cast<size_t>(column)];
    std::vector<std::string> tried;
    const auto given = mapped.find(std::string(name.canonical));
    if (given != mapped.end()) tried = given->second;
    const bool must = !tried.empty() || std::find(required.begin(), required.end(), column) != required.end();
    tried.emplace_back(name.in_files);
    int& place = places[static_cast<size_t>(column)];
    for (const std::string& candidate : tried)
      if (place < 0) place = position(names, candidate);
    if (place < 0 && must) return missing_input(no_column(file, tried, name.canonical, names));
  }
  return places;
}

}  // namespace bouquet::training
