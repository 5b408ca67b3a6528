#include "training/attribute_columns.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "engine/errors.h"
#include "engine/nearest_name.h"
#include "training/attribute_guess.h"

namespace bouquet::training {
namespace {

constexpr int64_t kGuessedFrom = 100000;  // rows of each file
constexpr std::array<const char*, 7> kReservedForItems = {"title",           "kind", "price", "available", "available_from",
                                                          "available_until", "stock"};

// The columns that mean something else, as the files may call them.
std::set<std::string> reserved_names(const AttributeSource& source) {
  std::set<std::string> names = {std::string(kColumnNames[static_cast<size_t>(source.id)].in_files)};
  const auto add_mapped = [&](Column column) {
    const auto mapped = source.columns.find(std::string(kColumnNames[static_cast<size_t>(column)].canonical));
    if (mapped != source.columns.end()) names.insert(mapped->second.begin(), mapped->second.end());
  };
  add_mapped(source.id);
  if (source.id != Column::kItem) return names;
  names.insert(kReservedForItems.begin(), kReservedForItems.end());
  for (const Column column : {Column::kTitle, Column::kKind, Column::kPrice}) add_mapped(column);
  return names;
}

const std::map<std::string, AttributeType> kReservedTypes = {{"price", AttributeType::kNumber},
                                                             {"stock", AttributeType::kNumber},
                                                             {"available", AttributeType::kFlag},
                                                             {"available_from", AttributeType::kCategory},
                                                             {"available_until", AttributeType::kCategory}};
// Those of each catalog, which --columns may call otherwise.
constexpr std::array kCatalogFields = {Column::kItem, Column::kTitle, Column::kCategory, Column::kKind};

// What files may call `column`, what --columns says first.
std::vector<std::string> names_of(const AttributeSource& source, Column column) {
  const ColumnName& name = kColumnNames[static_cast<size_t>(column)];
  const auto mapped = source.columns.find(std::string(name.canonical));
  std::vector<std::string> names = mapped == source.columns.end() ? std::vector<std::string>() : mapped->second;
  names.emplace_back(name.in_files);
  return names;
}

absl::StatusOr<FileProfile> profile_of(const std::string& file) {
  auto profile = profile_file(file, kGuessedFrom);
  if (!profile.ok() || profile->rows < kGuessedFrom) return profile;
  const bool some_empty = std::any_of(profile->columns.begin(), profile->columns.end(), [](const auto& c) { return c.values == 0; });
  return some_empty ? profile_file(file, 0) : std::move(profile);
}

// What the files say of one column together.
struct SeenColumn {
  std::string name;
  std::optional<AttributeType> type;
  std::string called;  // by ColumnProfile::type, of the last file
};

void add_columns(const FileProfile& profile, std::vector<SeenColumn>& seen) {
  for (const ColumnProfile& column : profile.columns) {
    auto at = std::find_if(seen.begin(), seen.end(), [&](const SeenColumn& s) { return s.name == column.name; });
    if (at == seen.end()) at = seen.insert(seen.end(), {column.name, std::nullopt, {}});
    if (!at->type) at->type = guessed_type(column);
    if (at->called.empty() || at->called == "empty") at->called = column.type();
  }
}

Cell cell_of(const AttributeValue& value) {
  switch (value.kind) {
    case AttributeValue::Kind::kMissing: break;
    case AttributeValue::Kind::kNumber: return Cell::of_float(value.number);
    case AttributeValue::Kind::kFlag: return Cell::of(Cell::Kind::kBool, value.number != 0 ? 1 : 0);
    case AttributeValue::Kind::kText: return Cell::of_text(value.text);
    case AttributeValue::Kind::kTexts: return Cell::of_texts(value.texts);
    case AttributeValue::Kind::kVector: return Cell::of_numbers(value.vector);
  }
  return {};
}

// The first word on each attribute of each person is to the store's profile what a row is to a file's.
FileProfile profile_of(const StoredAttributes& stored) {
  FileProfile profile;
  for (const std::string& name : stored.names()) profile.columns.emplace_back().name = name;
  for (int32_t person = 0; person < stored.size(); ++person) {
    uint32_t before = UINT32_MAX;
    for (const StoredValue& said : stored.of(person)) {
      ColumnProfile& column = profile.columns[said.name()];
      if (std::exchange(before, said.name()) != said.name() && (person < kGuessedFrom || column.values == 0))
        column.add(cell_of(said.value()), true);
    }
  }
  return profile;
}

std::string no_type(const SeenColumn& column) {
  if (column.called == "time") return "holds times, which are no attribute; it is left out (a number, such as an age in days, can be one)";
  if (column.called == "list") return "holds lists of something else than texts or numbers; it is left out";
  return "is missing in every row; it is left out";
}

AttributeFinding::Kind kind_of(const SeenColumn& column) {
  return column.called == "empty" ? AttributeFinding::Kind::kAllMissing : AttributeFinding::Kind::kUnknownType;
}

absl::StatusOr<std::vector<SeenColumn>> seen_columns(const AttributeSource& source) {
  std::vector<SeenColumn> seen;
  for (const std::string& file : source.files) {
    const auto profile = profile_of(file);
    if (!profile.ok()) return profile.status();
    add_columns(*profile, seen);
  }
  if (source.stored != nullptr) add_columns(profile_of(*source.stored), seen);
  return seen;
}

// The column that a field of the catalog comes from, of those that the files have: what --columns says comes first. It is for event files
// too, so a name that it gives may be theirs alone. Empty: there is none.
std::string column_of(Column field, const AttributeSource& source, const std::vector<SeenColumn>& seen) {
  for (const std::string& name : names_of(source, field))
    if (std::ranges::find(seen, name, &SeenColumn::name) != seen.end()) return name;
  return {};
}

// The fields of Item that calls of the Catalog service name (`title`, `category`, `price`), by the column that each comes from: the model's
// attribute has the field's name, whatever the files call it.
std::map<std::string, std::string> catalog_fields(const AttributeSource& source, const std::vector<SeenColumn>& seen) {
  std::map<std::string, std::string> fields;
  if (source.id != Column::kItem) return fields;
  for (const Column field : {Column::kTitle, Column::kCategory, Column::kPrice})
    if (const std::string column = column_of(field, source, seen); !column.empty())
      fields.emplace(column, kColumnNames[static_cast<size_t>(field)].in_files);
  return fields;
}

absl::Status check_settings(const AttributeSource& source, const std::vector<SeenColumn>& seen) {
  std::vector<std::string> names;
  for (const SeenColumn& column : seen) names.push_back(column.name);
  const std::string side = source.id == Column::kItem ? "item" : "customer";
  for (const auto& [name, setting] : source.settings)
    if (std::find(names.begin(), names.end(), name) == names.end())
      return missing_input("[attributes." + side + "." + name + "]: no file of attributes has this column" +
                           (source.stored == nullptr ? "" : ", and the store has no such attribute") + did_you_mean(name, names));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AttributeColumns> attribute_columns(const AttributeSource& source) {
  const auto seen = seen_columns(source);
  if (!seen.ok()) return seen.status();
  if (absl::Status s = check_settings(source, *seen); !s.ok()) return s;
  const std::set<std::string> reserved = reserved_names(source);
  const std::map<std::string, std::string> fields = catalog_fields(source, *seen);
  AttributeColumns columns;
  for (const SeenColumn& column : *seen) {
    const auto setting = source.settings.find(column.name);
    const bool is_named = setting != source.settings.end();
    if ((reserved.contains(column.name) && !is_named) || (is_named && setting->second.ignore) || column.name.empty()) continue;
    const auto field = fields.find(column.name);
    const bool is_displaced =
        std::ranges::any_of(fields, [&](const auto& other) { return other.second == column.name && other.first != column.name; });
    if (is_displaced) {
      columns.findings.push_back(
          {AttributeFinding::Kind::kUnusable, column.name, "is not the column that --columns takes for it; it is left out"});
      continue;
    }
    TypedAttribute attribute{column.name, AttributeType::kNumber, is_named ? setting->second : AttributeSetting{}};
    if (field != fields.end() && field->second != column.name) {
      attribute.name = field->second;
      attribute.in_files = column.name;
    }
    auto type = attribute.setting.type ? attribute.setting.type : column.type;
    // Codes of categories are no numbers to reckon with, and one that is no number is a category too.
    const bool is_code = type == AttributeType::kNumber || type == AttributeType::kFlag;
    if (!attribute.setting.type && is_code && attribute.name == "category" && source.id == Column::kItem) type = AttributeType::kCategory;
    if (!type) {
      columns.findings.push_back({kind_of(column), column.name, no_type(column)});
      continue;
    }
    attribute.type = *type;
    columns.attributes.push_back(std::move(attribute));
  }
  return columns;
}

absl::StatusOr<std::vector<ItemColumn>> item_columns(const AttributeSource& source) {
  std::vector<ItemColumn> columns;
  if (std::find(source.files.begin(), source.files.end(), "-") != source.files.end()) return columns;
  const auto seen = seen_columns(source);
  if (!seen.ok()) return seen.status();
  std::set<std::string> fields;
  for (const Column field : kCatalogFields)
    for (const std::string& name : names_of(source, field)) fields.insert(name);
  const std::string price = column_of(Column::kPrice, source, *seen);
  for (const SeenColumn& column : *seen) {
    if (fields.contains(column.name) || column.name.empty()) continue;
    ItemColumn taken{.in_files = column.name, .name = column.name == price ? "price" : column.name};
    if (taken.name == "price" && column.name != price) continue;
    const auto setting = source.settings.find(column.name);
    if (setting != source.settings.end()) taken.weighted = setting->second.weighted;
    auto type = setting != source.settings.end() && setting->second.type ? setting->second.type : column.type;
    if (!type && column.called == "time") type = AttributeType::kCategory;
    if (const auto reserved = kReservedTypes.find(taken.name); reserved != kReservedTypes.end()) type = reserved->second;
    taken.is_time = taken.name == "available_from" || taken.name == "available_until";
    if (!type) continue;
    taken.type = *type;
    columns.push_back(std::move(taken));
  }
  return columns;
}

}  // namespace bouquet::training
