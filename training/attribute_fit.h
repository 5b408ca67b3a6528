// Fits an attribute schema to the rows that are trained on, row by row, in bounded memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/attribute_schema.h"
#include "training/attribute_collectors.h"
#include "training/attribute_findings.h"
#include "training/attribute_settings.h"

namespace bouquet::training {

struct TypedAttribute {
  std::string name;
  AttributeType type = AttributeType::kNumber;
  AttributeSetting setting;
  std::string in_files = {};  // what the files call it, if otherwise

  const std::string& column() const { return in_files.empty() ? name : in_files; }
};

struct FittedAttributes {
  AttributeSchema schema;
  std::vector<size_t> kept;  // of the attributes given, those that are in the schema, in order
  std::vector<AttributeFinding> findings;
};

class AttributeFitter {
 public:
  // `attributes` must outlive this.
  explicit AttributeFitter(const std::vector<TypedAttribute>& attributes);

  // Adds one row, a value by attribute; `key` names it, the same in every run. Errors: InvalidArgument naming the attribute and what is
  // wrong with its value (the row must then be left out; some of its values may have been counted); FailedPrecondition: an attribute is
  // impossible, whatever the other rows hold.
  absl::Status add(uint64_t key, std::span<const AttributeValue> row);

  // InvalidArgument where add() would refuse a row for this value of attribute `attribute`, naming the attribute.
  absl::Status check(size_t attribute, const AttributeValue& value) const;

  // Attributes that are missing in every row or have one value in all of them are left out, and so are those that look like ids
  // unless their type was given; findings say so. Errors: InvalidArgument (more columns than the limits, naming the attribute).
  absl::StatusOr<FittedAttributes> finish() const;

 private:
  struct Seen {
    std::unique_ptr<AttributeCollector> collector;
    int64_t present = 0;
    uint64_t first = 0;  // hash of the first value
    bool constant = true;
  };
  // Why the attribute is not worth a column, or is doubtful.
  bool leaves_out(size_t attribute, std::vector<AttributeFinding>& findings) const;

  const std::vector<TypedAttribute>& attributes_;
  std::vector<Seen> seen_;
  int64_t rows_ = 0;
};

}  // namespace bouquet::training
