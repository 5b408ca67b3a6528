// Reads attribute files into a table of encoded rows. Files are read three times (to guess types, to fit the schema, to encode), so that
// no raw row is kept: memory is the table, and the counts that fitting needs.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/attribute_rows.h"
#include "engine/attribute_schema.h"
#include "engine/id_map.h"
#include "training/attribute_findings.h"
#include "training/attribute_settings.h"
#include "training/columns.h"
#include "training/stored_attributes.h"

namespace bouquet::training {

struct ReadReport;

// Where attributes come from: kept beside the table, so that they can be fitted again on other rows.
struct AttributeSource {
  std::vector<std::string> files;                    // existing paths; not standard input, which cannot be read again
  std::shared_ptr<const StoredAttributes> stored;    // laid over the files'; may be none
  Column id = Column::kCustomer;                     // or kItem
  std::map<std::string, AttributeSetting> settings;  // by the file's column
  ColumnMap columns;
  int64_t max_bad_rows = 0;
  size_t block_bytes = size_t{1} << 20;

  bool empty() const { return files.empty() && (stored == nullptr || stored->size() == 0); }
};

struct EntityAttributes {
  AttributeSource source;
  AttributeSchema schema;
  AttributeTable table;  // rows are the indices of the ids
  std::vector<AttributeFinding> findings;
  int64_t rows = 0;          // of the files, and of persons of whom a store says something
  int64_t unknown_rows = 0;  // of them, of ids that no event has; left out
  int64_t erased_rows = 0;   // of files, of ids that were erased, whenever; left out
  int64_t without_row = 0;   // ids that have no usable row: every attribute is missing
};

// Columns other than the id are attributes, those of items without the reserved ones (title, kind, price, available,
// available_from, available_until, stock, and what --columns takes for title, kind or price) unless settings name them. A column that a
// file of several lacks is missing in its rows; the first file that says something of a column's type decides it. What a store has counts
// as a file after the others, whose columns are ordered by name; its words that cannot be of an attribute's type are passed over, and a
// finding says so; text in it is never a number, a flag or a time. The schema is fitted on the ids for which `trained_on` [ids] is not 0;
// empty: on all of them. Bad rows are added to `report`, within `max_bad_rows`; the entity then has no attributes. Errors: NotFound (file,
// id column, a column that settings name, with the nearest), DataLoss (bad rows past the bound, two rows for one id, an attribute that
// cannot be of its type), InvalidArgument (standard input; more columns than the limits, naming the attribute).
absl::StatusOr<EntityAttributes> read_attributes(const AttributeSource& source, const IdMap& ids, std::span<const uint8_t> trained_on,
                                                 ReadReport& report);

struct EncodedEntities {
  AttributeTable table;          // rows are the indices of the ids
  std::vector<uint8_t> has_row;  // [ids] whether a file has a usable row
};

// Rows by a schema that was fitted before, a model's: types and transforms are its own, and `source` need not have settings. Attributes
// that the files lack are missing, columns that the schema lacks are left out. Bad rows as above. Errors: NotFound (file, id column, or no
// file has any of the attributes: with their names), DataLoss and InvalidArgument as above.
absl::StatusOr<EncodedEntities> encode_attributes(const AttributeSource& source, const AttributeSchema& schema, const IdMap& ids,
                                                  ReadReport& report);

}  // namespace bouquet::training
