// The settings that `--config bouquet.toml` holds: a table per command, a key per flag.
//
//   [train]                        bouquet train --threads 4 --where 'store = 7' --columns customer=household_id,item=product_id
//   threads = 4
//   where = ["store = 7"]
//   columns = {customer = "household_id", item = "product_id"}
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace CLI {
class App;
}

namespace bouquet::cli {

// The value of one key, as the text that would follow its flag; several for an array.
struct FileValue {
  std::vector<std::string> texts;
  std::string place;  // "bouquet.toml:3"
};

class SettingsFile {
 public:
  // Reads `text`, called `name` in messages, against the commands of `app`. Errors: InvalidArgument for text that is no TOML, a table
  // or key that nothing knows (naming the nearest that is known), a value that no flag can take, a table of a part not built yet.
  static absl::StatusOr<SettingsFile> parse(std::string_view text, const std::string& name, const CLI::App& app);

  // The same for the file at `path`. Errors: those, and NotFound.
  static absl::StatusOr<SettingsFile> read(const std::string& path, const CLI::App& app);

  // The value of the flag called `long_name` (without dashes) in the table of `command` or of one that it belongs to; nullptr: none.
  const FileValue* find(const CLI::App& command, const std::string& long_name) const;

 private:
  friend class SettingsFileParser;
  std::map<std::pair<const CLI::App*, std::string>, FileValue> values_;
};

}  // namespace bouquet::cli
