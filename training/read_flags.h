// The flags that say what to read and how, alike for every command that reads event files.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "training/event_reader.h"

namespace CLI {
class App;
}

namespace bouquet::training {

// What the flags were given, as text where the text is still to be parsed. Lives as long as the App.
struct ReadFlags {
  ReadOptions options;
  std::string columns;
  std::string anonymous = "drop";
};

// Adds --events, --items, --columns, --anonymous, --drop-customers, --distinct, --where, --max-bad-rows, --time-zone, --max-history,
// all in the group "Reading". `events_flag` renames the first (evaluate reads --test).
void add_read_flags(CLI::App& app, ReadFlags& flags, const std::string& events_flag = "--events");

// The options that the flags mean. Errors: InvalidArgument naming the flag.
absl::StatusOr<ReadOptions> read_options(const ReadFlags& flags);

}  // namespace bouquet::training
