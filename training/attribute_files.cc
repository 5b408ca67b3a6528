#include "training/attribute_files.h"

#include <algorithm>
#include <utility>

#include "engine/errors.h"
#include "training/attribute_columns.h"
#include "training/attribute_row_reader.h"
#include "training/attribute_table_builder.h"
#include "training/bad_rows.h"
#include "training/entity_rows.h"
#include "training/table_reader.h"

namespace bouquet::training {
namespace {

// One pass over all files.
class Pass {
 public:
  Pass(const AttributeSource& source, const std::vector<TypedAttribute>& attributes, AttributeRowReader& rows, BadRows& bad_rows)
      : source_(source), attributes_(attributes), rows_(rows), bad_rows_(bad_rows) {}

  // `counts_unreadable`: rows that cannot be read at all are bad rows of this pass; otherwise another one has counted them.
  absl::Status run(bool counts_unreadable) {
    for (const std::string& file : source_.files)
      if (absl::Status s = read(file, counts_unreadable); !s.ok()) return s;
    return absl::OkStatus();
  }

 private:
  absl::Status read(const std::string& file, bool counts_unreadable) {
    auto reader = open_table(file, {.block_bytes = source_.block_bytes});
    if (!reader.ok()) return reader.status();
    const std::vector<std::string>& names = (*reader)->columns();
    const Column wanted[] = {source_.id};
    const auto places = place_columns(file, names, source_.columns, wanted, wanted);
    if (!places.ok()) return places.status();
    const auto id = static_cast<size_t>((*places)[static_cast<size_t>(source_.id)]);
    Projection projection(names.size());
    projection.add(id, 0);
    for (size_t a = 0; a < attributes_.size(); ++a)
      for (size_t c = 0; c < names.size(); ++c)
        if (names[c] == attributes_[a].column()) projection.add(c, static_cast<int>(a) + 1);
    projection.slot_count = static_cast<int>(attributes_.size()) + 1;
    for (Block block;;) {
      const auto more = (*reader)->next_block(projection, block);
      if (!more.ok()) return more.status();
      if (!*more) return absl::OkStatus();
      rows_.start_block(names[id]);
      if (absl::Status s = (*reader)->parse(block, projection, rows_); !s.ok()) return s;
      if (absl::Status s = take_problems(**reader, block, counts_unreadable); !s.ok()) return s;
    }
  }

  absl::Status take_problems(const TableReader& reader, const Block& block, bool counts_unreadable) {
    const auto add = [&](const std::vector<std::pair<int64_t, std::string>>& problems) {
      for (const auto& [row, message] : problems)
        if (absl::Status s = bad_rows_.add(reader.place(block, row), message); !s.ok()) return s;
      return absl::OkStatus();
    };
    const char* const entity = source_.id == Column::kItem ? "item" : "customer";
    if (const auto& [row, id] = rows_.repeated(); !id.empty())
      return bad_input(reader.place(block, row) + ": " + entity + " " + quoted_for_message(id) + " has a row already; " +
                       (source_.id == Column::kItem ? "an item" : "a customer") + " has one row");
    if (!rows_.status().ok()) return bad_input(message_of(rows_.status()));
    if (counts_unreadable)
      if (absl::Status s = add(rows_.unreadable()); !s.ok()) return s;
    rows_.forget_unreadable();
    return add(rows_.bad());
  }

  const AttributeSource& source_;
  const std::vector<TypedAttribute>& attributes_;
  AttributeRowReader& rows_;
  BadRows& bad_rows_;
};

absl::Status check_files(const AttributeSource& source) {
  for (const std::string& file : source.files)
    if (file == "-") return wrong_usage("attributes are read several times, so they cannot come from standard input; name a file");
  return absl::OkStatus();
}

// Those of which the store has words of another type.
void add_unusable(const std::vector<TypedAttribute>& attributes, const EntityRows& taker, std::vector<AttributeFinding>& findings) {
  for (size_t a = 0; a < attributes.size(); ++a)
    if (const int64_t count = taker.unusable(a); count > 0)
      findings.push_back(
          {AttributeFinding::Kind::kUnusable, attributes[a].name,
           "has " + std::to_string(count) + " values in the store that are passed over; the first: " + taker.why_unusable(a)});
}

// Whether any file has any of the attributes.
absl::Status check_columns(const AttributeSource& source, const AttributeSchema& schema) {
  for (const std::string& file : source.files) {
    const auto reader = open_table(file, {.block_bytes = source.block_bytes});
    if (!reader.ok()) return reader.status();
    for (const std::string& name : (*reader)->columns())
      if (schema.find(name) != kNone) return absl::OkStatus();
  }
  std::string names;
  for (const Attribute& attribute : schema.attributes().first(std::min<size_t>(10, schema.attributes().size())))
    names += (names.empty() ? "" : ", ") + attribute.name;
  return missing_input((source.files.empty() ? std::string("no file") : source.files.front()) +
                       " has none of the attributes that the model knows: " + names);
}

}  // namespace

absl::StatusOr<EntityAttributes> read_attributes(const AttributeSource& source, const IdMap& ids, std::span<const uint8_t> trained_on,
                                                 ReadReport& report) {
  if (absl::Status s = check_files(source); !s.ok()) return s;
  auto columns = attribute_columns(source);
  if (!columns.ok()) return columns.status();
  const std::vector<TypedAttribute>& attributes = columns->attributes;
  EntityAttributes result;
  result.source = source;
  result.findings = std::move(columns->findings);
  if (attributes.empty() && source.id == Column::kItem) return result;
  BadRows bad_rows(source.max_bad_rows, report);

  AttributeFitter fitter(attributes);
  const auto fit = [&](int32_t entity, std::span<const AttributeValue> row) {
    const bool counts = trained_on.empty() || trained_on[static_cast<size_t>(entity)] != 0;
    return counts ? fitter.add(static_cast<uint64_t>(entity), row) : absl::OkStatus();
  };
  EntityRows taker(ids, attributes, source.stored.get());
  taker.start(fit, [&](size_t a, const AttributeValue& value) { return fitter.check(a, value); });
  AttributeRowReader rows(attributes, taker);
  Pass pass(source, attributes, rows, bad_rows);
  // The reader of the catalog has counted what cannot be read of item files, cells included (item_files.h).
  if (absl::Status s = pass.run(source.id == Column::kCustomer); !s.ok()) return s;
  if (absl::Status s = taker.finish(); !s.ok()) return s;
  auto fitted = fitter.finish();
  if (!fitted.ok()) return fitted.status();

  result.rows = rows.rows() + taker.stored_rows();
  result.unknown_rows = rows.unknown() + taker.unknown_stored();
  result.erased_rows = rows.erased();
  add_unusable(attributes, taker, result.findings);
  result.schema = std::move(fitted->schema);
  result.findings.insert(result.findings.end(), fitted->findings.begin(), fitted->findings.end());
  if (result.schema.empty()) return result;
  AttributeTableBuilder builder(result.schema, ids.size());
  std::vector<AttributeValue> kept(fitted->kept.size());
  std::vector<int32_t> place(attributes.size(), kNone);  // in the schema
  for (size_t k = 0; k < kept.size(); ++k) place[fitted->kept[k]] = static_cast<int32_t>(k);
  const auto encode = [&](int32_t entity, std::span<const AttributeValue> row) {
    for (size_t k = 0; k < kept.size(); ++k) kept[k] = row[fitted->kept[k]];
    return builder.add(entity, kept);
  };
  taker.start(encode, [&](size_t a, const AttributeValue& value) {
    return place[a] == kNone ? absl::OkStatus() : builder.check(static_cast<size_t>(place[a]), value);
  });
  rows.start_second_pass();
  if (absl::Status s = pass.run(false); !s.ok()) return s;
  if (absl::Status s = taker.finish(); !s.ok()) return s;
  result.table = std::move(builder).finish();
  for (int32_t entity = 0; entity < ids.size(); ++entity) result.without_row += taker.has_row(entity) ? 0 : 1;
  const auto duplicates = duplicate_attributes(result.schema, result.table.rows());
  result.findings.insert(result.findings.end(), duplicates.begin(), duplicates.end());
  return result;
}

absl::StatusOr<EncodedEntities> encode_attributes(const AttributeSource& source, const AttributeSchema& schema, const IdMap& ids,
                                                  ReadReport& report) {
  if (absl::Status s = check_files(source); !s.ok()) return s;
  if (absl::Status s = check_columns(source, schema); !s.ok()) return s;
  std::vector<TypedAttribute> attributes;
  for (const Attribute& attribute : schema.attributes()) attributes.push_back({attribute.name, attribute.type(), {}});
  BadRows bad_rows(source.max_bad_rows, report);
  AttributeTableBuilder builder(schema, ids.size());
  EntityRows taker(ids, attributes, nullptr);
  taker.start([&](int32_t entity, std::span<const AttributeValue> row) { return builder.add(entity, row); }, nullptr);
  AttributeRowReader rows(attributes, taker);
  Pass pass(source, attributes, rows, bad_rows);
  if (absl::Status s = pass.run(true); !s.ok()) return s;
  EncodedEntities encoded{.table = std::move(builder).finish(), .has_row = {}};
  for (int32_t entity = 0; entity < ids.size(); ++entity) encoded.has_row.push_back(taker.has_row(entity) ? 1 : 0);
  return encoded;
}

}  // namespace bouquet::training
