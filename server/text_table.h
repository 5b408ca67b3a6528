// A readable table on a terminal: columns as wide as their widest cell.
#pragma once

#include <string>
#include <vector>

namespace bouquet::server {

class TextTable {
 public:
  // A heading that starts with '>' aligns its column to the right (the '>' is not shown).
  explicit TextTable(std::vector<std::string> headings);
  // As many cells as there are headings.
  void add(std::vector<std::string> cells);
  std::string text() const;

 private:
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace bouquet::server
