#include "engine/attribute_layout.h"

#include "engine/sha256.h"

namespace bouquet {
namespace {

// With its length before it, so that no two lists of texts read the same.
void append(std::string& all, const std::string& text) { all.append(std::to_string(text.size())).append(":").append(text); }

void append(std::string& all, const NumberTransform&) { all += "n"; }
void append(std::string& all, const FlagTransform&) { all += "f"; }
void append(std::string& all, const TextTransform& text) { all += "t" + std::to_string(text.bits); }
void append(std::string& all, const VectorTransform& vector) { all += "v" + std::to_string(vector.length); }
void append(std::string& all, const CategoryTransform& category) {
  all += "c" + std::to_string(category.values.size());
  for (const std::string& value : category.values) append(all, value);
}
void append(std::string& all, const SetTransform& set) {
  all += (set.weighted ? "w" : "s") + std::to_string(set.values.size());
  for (const std::string& value : set.values) append(all, value);
}

}  // namespace

std::string layout_version(const AttributeSchema& schema) {
  std::string all;
  for (const Attribute& attribute : schema.attributes()) {
    append(all, attribute.name);
    std::visit([&](const auto& transform) { append(all, transform); }, attribute.transform);
  }
  return sha256_hex(all.data(), all.size()).substr(0, 16);
}

}  // namespace bouquet
