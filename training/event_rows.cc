#include "training/event_rows.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cmath>
#include <cstring>

#include "engine/errors.h"
#include "engine/id_map.h"
#include "engine/nearest_name.h"
#include "training/cell_values.h"

namespace bouquet::training {
namespace {

constexpr std::array kEventColumns = {Column::kCustomer, Column::kItem,  Column::kType,   Column::kTime,
                                      Column::kValue,    Column::kPrice, Column::kBasket, Column::kEvent};
constexpr std::array kRequired = {Column::kCustomer, Column::kItem};

const Cell& cell_of(std::span<const Cell> cells, Column column) { return cells[static_cast<size_t>(column)]; }

std::vector<std::string> names_of(const std::vector<EventType>& types) {
  std::vector<std::string> names;
  for (const EventType& type : types) names.push_back(type.name);
  return names;
}

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

absl::StatusOr<int> place_condition(const std::string& file, const Condition& condition, const std::vector<std::string>& names,
                                    const EventFileLayout& layout) {
  for (size_t begin = 0; begin <= condition.column.size();) {
    const size_t end = std::min(condition.column.find('|', begin), condition.column.size());
    const std::string name = trimmed(condition.column.substr(begin, end - begin));
    for (size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) return static_cast<int>(i);
    for (size_t i = 0; i < kColumnNames.size(); ++i)
      if ((name == kColumnNames[i].canonical || name == kColumnNames[i].in_files) && layout.places[i] >= 0) return layout.places[i];
    begin = end + 1;
  }
  return missing_input(file + ": there is no column '" + condition.column + "' for --where; the nearest name is '" +
                       nearest_name(condition.column, names) + "'");
}

bool equals(const Cell& cell, const std::string& value) {
  switch (cell.kind) {
    case Cell::Kind::kNull: return value.empty();
    case Cell::Kind::kField:
    case Cell::Kind::kText: return cell.text == value;
    default: return cell_text(cell) == value;
  }
}

}  // namespace

absl::StatusOr<Condition> parse_condition(const std::string& text) {
  Condition condition;
  size_t at = text.find("!=");
  size_t length = 2;
  if (const size_t equal = text.find('='); at == std::string::npos || equal < at) {
    at = equal;
    length = 1;
  }
  condition.equal = length == 1;
  if (at != std::string::npos) condition.column = trimmed(std::string_view(text).substr(0, at));
  if (condition.column.empty()) return wrong_usage("--where '" + text + "' is not of the form 'column = value' or 'column != value'");
  condition.value = trimmed(std::string_view(text).substr(at + length));
  return condition;
}

absl::StatusOr<RowRules> RowRules::from(const ReadOptions& options) {
  RowRules rules;
  rules.events.types = options.event_types;
  rules.events.max_history = options.max_history;
  if (auto status = validate(rules.events); !status.ok()) return status;
  const int32_t type = rules.events.find(options.default_event_type);
  if (type == kNone)
    return wrong_usage("the default event type '" + options.default_event_type + "' is not registered; the nearest is '" +
                       nearest_name(options.default_event_type, names_of(options.event_types)) + "'");
  rules.default_type = static_cast<uint8_t>(type);
  if (options.max_bad_rows < 0) return wrong_usage("max-bad-rows is " + std::to_string(options.max_bad_rows) + "; it must be 0 or more");
  TextArena arena;
  for (const std::string& customer : options.drop_customers) {
    std::string_view id;
    if (const char* problem = read_id(Cell::of_field(customer), arena, id))
      return wrong_usage("--drop-customers: " + quoted_for_message(customer) + " " + problem);
    rules.drop_customers.emplace(id);
  }
  for (const std::string& text : options.where) {
    auto condition = parse_condition(text);
    if (!condition.ok()) return condition.status();
    rules.where.push_back(*std::move(condition));
  }
  rules.distinct = options.distinct;
  auto parser = TimeParser::for_zone(options.time_zone);
  if (!parser.ok()) return parser.status();
  rules.time_parser = *parser;
  return rules;
}

absl::StatusOr<EventFileLayout> EventFileLayout::of(const std::string& file, const TableReader& reader, const ReadOptions& options,
                                                    const RowRules& rules) {
  EventFileLayout layout;
  auto places = place_columns(file, reader.columns(), options.columns, kEventColumns, kRequired);
  if (!places.ok()) return places.status();
  layout.places = *places;
  layout.projection = Projection(reader.columns().size());
  for (size_t i = 0; i < layout.places.size(); ++i) {
    if (layout.places[i] < 0) continue;
    layout.names[i] = reader.columns()[static_cast<size_t>(layout.places[i])];
    layout.projection.add(static_cast<size_t>(layout.places[i]), static_cast<int>(i));
  }
  for (size_t i = 0; i < rules.where.size(); ++i) {
    auto place = place_condition(file, rules.where[i], reader.columns(), layout);
    if (!place.ok()) return place.status();
    layout.projection.add(static_cast<size_t>(*place), kColumnCount + static_cast<int>(i));
  }
  layout.projection.slot_count = kColumnCount + static_cast<int>(rules.where.size());
  return layout;
}

uint64_t basket_number(std::string_view id) { return std::max<uint64_t>(1, XXH3_64bits(id.data(), id.size())); }

void TextIds::add(std::string_view id) {
  ids.push_back(id);
  hashes.push_back(IdMap::hash(id));
}

void TextIds::add_none() {
  ids.emplace_back();
  hashes.push_back(0);
}

void EventBatch::clear() {
  customers.clear();
  items.clear();
  times.clear();
  values.clear();
  types.clear();
  baskets.clear();
  event_ids.clear();
  fingerprints.clear();
  rows = dropped_customers = filtered = zero_values = bad_rows = 0;
  first_bad_rows.clear();
  first_anonymous = -1;
}

void EventRows::start_block(const EventFileLayout& layout) {
  layout_ = &layout;
  batch_.clear();
  arena_.clear();
}

bool EventRows::wanted(std::span<const Cell> cells) const {
  for (size_t i = 0; i < rules_.where.size(); ++i)
    if (equals(cells[kColumnCount + i], rules_.where[i].value) != rules_.where[i].equal) return false;
  return true;
}

void EventRows::add_bad_row(int64_t row, std::string message) {
  ++batch_.rows;
  ++batch_.bad_rows;
  if (batch_.first_bad_rows.size() < EventBatch::kKeptBadRows) batch_.first_bad_rows.emplace_back(row, std::move(message));
}

bool EventRows::refuse(int64_t row, Column column, const Cell& cell, const char* problem) {
  const std::string& name = layout_->names[static_cast<size_t>(column)];
  add_bad_row(row, "column " + name + ": " + (cell.is_null() ? std::string() : quoted_for_message(cell_text(cell)) + " ") + problem);
  return false;
}

bool EventRows::read_type(int64_t row, const Cell& cell, uint8_t& type) {
  if (cell.is_null()) {
    type = rules_.default_type;
    return true;
  }
  const int32_t found = rules_.events.find(cell.text);
  if (found != kNone) {
    type = static_cast<uint8_t>(found);
    return true;
  }
  const std::string nearest = nearest_name(cell_text(cell), names_of(rules_.events.types));
  return refuse(row, Column::kType, cell,
                ("is not a registered event type; the nearest is '" + nearest + "' ([events.NAME] in bouquet.toml registers one)").c_str());
}

bool EventRows::read_row(int64_t row, std::span<const Cell> cells, Row& out) {
  const Cell& item = cell_of(cells, Column::kItem);
  if (const char* problem = read_id(item, arena_, out.item)) return refuse(row, Column::kItem, item, problem);
  if (!read_type(row, cell_of(cells, Column::kType), out.type)) return false;
  if (layout_->has(Column::kTime)) {
    const Cell& cell = cell_of(cells, Column::kTime);
    if (const char* problem = read_time(cell, time_parser_, out.time)) return refuse(row, Column::kTime, cell, problem);
  }
  if (const Cell& cell = cell_of(cells, Column::kValue); !cell.is_null()) {
    if (const char* problem = read_number(cell, out.value)) return refuse(row, Column::kValue, cell, problem);
    if (!std::isfinite(static_cast<float>(out.value))) return refuse(row, Column::kValue, cell, "is too large");
  }
  if (const Cell& cell = cell_of(cells, Column::kPrice); !cell.is_null()) {
    if (const char* problem = read_number(cell, out.price)) return refuse(row, Column::kPrice, cell, problem);
  }
  if (const Cell& cell = cell_of(cells, Column::kBasket); !cell.is_null()) {
    if (const char* problem = read_id(cell, arena_, out.basket_id)) return refuse(row, Column::kBasket, cell, problem);
    out.basket = basket_number(out.basket_id);
  }
  if (const Cell& cell = cell_of(cells, Column::kEvent); !cell.is_null()) {
    if (const char* problem = read_id(cell, arena_, out.event)) return refuse(row, Column::kEvent, cell, problem);
  }
  return true;
}

void EventRows::add_row(int64_t row, std::span<const Cell> cells) {
  if (!rules_.where.empty() && !wanted(cells)) {
    ++batch_.rows;
    ++batch_.filtered;
    return;
  }
  Row out;
  if (const Cell& customer = cell_of(cells, Column::kCustomer); !customer.is_null()) {
    if (const char* problem = read_id(customer, arena_, out.customer)) {
      refuse(row, Column::kCustomer, customer, problem);
      return;
    }
    if (!rules_.drop_customers.empty() && rules_.drop_customers.contains(std::string(out.customer))) {
      ++batch_.rows;
      ++batch_.dropped_customers;
      return;
    }
  }
  if (!read_row(row, cells, out)) return;
  ++batch_.rows;
  if (static_cast<float>(out.value) == 0) {
    ++batch_.zero_values;
    return;
  }
  if (out.customer.empty() && batch_.first_anonymous < 0) batch_.first_anonymous = row;
  append(out);
}

void EventRows::append(const Row& row) {
  if (row.customer.empty())
    batch_.customers.add_none();
  else
    batch_.customers.add(row.customer);
  batch_.items.add(row.item);
  if (layout_->has(Column::kTime)) batch_.times.push_back(row.time);
  batch_.values.push_back(static_cast<float>(row.value));
  batch_.types.push_back(row.type);
  if (layout_->has(Column::kBasket)) batch_.baskets.push_back(row.basket);
  if (layout_->has(Column::kEvent)) batch_.event_ids.push_back(row.event);
  if (rules_.distinct) add_fingerprint(row);
}

void EventRows::add_fingerprint(const Row& row) {
  scratch_.clear();
  const auto add_text = [&](std::string_view text) {  // no id contains a NUL
    scratch_ += text;
    scratch_ += '\0';
  };
  const auto add_number = [&](auto number) { scratch_.append(reinterpret_cast<const char*>(&number), sizeof number); };
  add_text(row.customer);
  add_text(row.item);
  add_text(row.basket_id);
  add_text(row.event);
  add_number(row.type);
  add_number(row.time);
  add_number(row.value);
  add_number(row.price);
  const XXH128_hash_t hash = XXH3_128bits(scratch_.data(), scratch_.size());
  batch_.fingerprints.emplace_back(hash.low64, hash.high64);
}

}  // namespace bouquet::training
