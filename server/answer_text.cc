#include "server/answer_text.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "server/text_table.h"

namespace bouquet::server {
namespace {

std::string number(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// SOURCE_MODEL -> MODEL.
std::string short_name(const std::string& name, std::string_view prefix) {
  return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
}

std::string source_name(v1::Source source) { return short_name(v1::Source_Name(source), "SOURCE_"); }

template <typename Response>
std::string footer(const Response& response) {
  std::string text = "  model ";
  text.append(response.model_version()).append(", backend ").append(response.backend());
  for (int i = 0; i < response.shortfall_size(); ++i)
    text.append(i == 0 ? "; " : ", ").append(short_name(v1::Shortfall_Name(response.shortfall(i)), "SHORTFALL_"));
  return text.append("\n");
}

template <typename Rows>
std::string item_table(const Rows& rows) {
  const bool deviations = std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.has_stddev(); });
  const bool probabilities = std::any_of(rows.begin(), rows.end(), [](const auto& row) { return row.has_probability(); });
  std::vector<std::string> titles{">#", "item", "title", "category", ">score"};
  if (deviations) titles.push_back(">stddev");
  if (probabilities) titles.push_back(">probability");
  titles.push_back("source");
  TextTable table(titles);
  for (int i = 0; i < rows.size(); ++i) {
    const v1::RecommendedItem& row = rows[i];
    std::vector<std::string> cells{std::to_string(i + 1), row.item_id(), row.title(), row.category(), number("%.4g", row.score())};
    if (deviations) cells.push_back(row.has_stddev() ? number("%.3g", row.stddev()) : "-");
    if (probabilities) cells.push_back(row.has_probability() ? number("%.3g", row.probability()) : "-");
    cells.push_back(source_name(row.source()));
    table.add(std::move(cells));
  }
  return table.text();
}

std::string contribution_name(const v1::Contribution& row) {
  switch (row.source()) {
    case v1::CONTRIBUTION_SOURCE_EVENT: return "item " + row.name();
    case v1::CONTRIBUTION_SOURCE_CONTENT: return "like item " + row.name();
    case v1::CONTRIBUTION_SOURCE_ATTRIBUTE: return row.name();
    case v1::CONTRIBUTION_SOURCE_INTERCEPT: return "(anybody)";
    case v1::CONTRIBUTION_SOURCE_OTHERS: return "(others)";
    case v1::CONTRIBUTION_SOURCE_ROUNDING: return "(rounding)";
    default: return "(returned: without it) " + row.name();
  }
}

// Row `i` of an answer, and why it is there.
std::string reasons(int i, const v1::RecommendedItem& row) {
  std::string text = "\n  " + std::to_string(i + 1) + ". " + (row.title().empty() ? row.item_id() : row.title()) + "\n";
  for (const std::string& reason : row.reasons()) text += "     " + reason + "\n";
  return text;
}

// Under each explained row its reasons and what adds up to its score.
std::string explanations(const v1::RecommendResponse& response) {
  std::string text;
  for (int i = 0; i < response.results_size(); ++i) {
    const v1::RecommendedItem& row = response.results(i);
    if (row.contributions().empty()) continue;
    text += reasons(i, row);
    TextTable table({">score", "from"});
    for (const v1::Contribution& part : row.contributions()) table.add({number("%+.3g", part.value()), contribution_name(part)});
    text += table.text();
  }
  return text;
}

}  // namespace

std::string as_table(const v1::RecommendResponse& response) {
  return item_table(response.results()) + footer(response) + explanations(response);
}

std::string as_table(const v1::SimilarItemsResponse& response) {
  std::string text = item_table(response.results()) + footer(response);
  for (int i = 0; i < response.results_size(); ++i)
    if (!response.results(i).reasons().empty()) text += reasons(i, response.results(i));
  return text;
}

std::string as_table(const v1::CrossSellResponse& response) {
  TextTable table({">#", "item", "title", "category", ">score", "source", ">baskets", ">confidence", ">lift"});
  for (int i = 0; i < response.results_size(); ++i) {
    const v1::CrossSellItem& row = response.results(i);
    const v1::RecommendedItem& item = row.item();
    const bool counted = item.source() == v1::SOURCE_CO_PURCHASE;
    table.add({std::to_string(i + 1), item.item_id(), item.title(), item.category(), number("%.4g", item.score()),
               source_name(item.source()), counted ? std::to_string(row.common_baskets()) : "-",
               counted ? number("%.3f", row.confidence()) : "-", counted ? number("%.2f", row.lift()) : "-"});
  }
  std::string text = table.text();
  for (const std::string& id : response.unknown_item_ids())
    text.append("  the model knows no item '").append(id).append("'; it was left out\n");
  text += footer(response);
  for (int i = 0; i < response.results_size(); ++i)
    if (!response.results(i).item().reasons().empty()) text += reasons(i, response.results(i).item());
  return text;
}

std::string as_json(const google::protobuf::Message& response, std::string_view key, std::string_view id) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string fields;
  // A response of ours holds nothing that JSON cannot: finite numbers and valid UTF-8.
  if (!google::protobuf::util::MessageToJsonString(response, &fields, options).ok()) return {};
  std::string line = "{";
  line.append(nlohmann::json(key).dump()).append(":").append(nlohmann::json(id).dump()).append(",").append(fields, 1);
  return line;
}

}  // namespace bouquet::server
