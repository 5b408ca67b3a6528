#include "cli/store_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/store_reports.h"
#include "engine/errors.h"
#include "engine/scratch_folder.h"

namespace bouquet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct StoreFlags {
  std::string store, backups;
  uint32_t number = 0;
  bool json = false;
};

void print(const StoreFlags& flags, const Json& json, const std::string& text) {
  const std::string out = flags.json ? json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n" : text;
  std::fputs(out.c_str(), stdout);
}

// For writing, which only one process at a time may.
absl::StatusOr<std::unique_ptr<server::StoreDatabase>> open_existing(const std::string& folder) {
  if (absl::Status s = server::check_is_store(folder); !s.ok()) return s;
  auto database = server::StoreDatabase::open(folder);
  if (database.status().code() == absl::StatusCode::kResourceExhausted)
    return no_resource(std::string(message_of(database.status())) + "; if a server has it open, this cannot be done beside it");
  return database;
}

absl::Status back_up(const StoreFlags& flags) {
  const auto database = open_existing(flags.store);
  if (!database.ok()) return database.status();
  const auto backup = server::back_up(**database, flags.backups);
  if (!backup.ok()) return backup.status();
  print(flags, json_of(*backup), text_of(*backup) + "\n");
  return absl::OkStatus();
}

absl::Status restore(const StoreFlags& flags) {
  const auto backup = server::restore_backup(flags.backups, flags.number, flags.store);
  if (!backup.ok()) return backup.status();
  Json json = json_of(*backup);
  json["store"] = flags.store;
  print(flags, json, flags.store + " is " + text_of(*backup) + "\n");
  return absl::OkStatus();
}

absl::Status verify_store(const StoreFlags& flags) {
  const auto check = server::check_store(flags.store);
  if (!check.ok()) return check.status();
  print(flags, json_of(*check), text_of(*check));
  if (check->problem_count > 0) return bad_input("--store " + flags.store + " is damaged");
  return absl::OkStatus();
}

// Restores one where temporary files go, which reads every entry of it.
absl::Status try_restoring(const std::string& backups, uint32_t number) {
  const auto scratch = ScratchFolder::make("verify");
  if (!scratch.ok()) return scratch.status();
  return server::restore_backup(backups, number, scratch->path() + "/store").status();
}

absl::Status verify_backups(const StoreFlags& flags) {
  const auto backups = server::list_backups(flags.backups);
  if (!backups.ok()) return backups.status();
  Json all = Json::array();
  std::string text;
  absl::Status fault;
  for (const server::Backup& backup : *backups) {
    if (flags.number != 0 && flags.number != backup.number) continue;
    absl::Status status = server::verify_backup(flags.backups, backup.number).status();
    if (status.ok() && (flags.number != 0 || backup.number == backups->back().number)) status = try_restoring(flags.backups, backup.number);
    if (!status.ok() && status.code() != absl::StatusCode::kDataLoss) return status;
    fault.Update(status);
    Json json = json_of(backup);
    json["sound"] = status.ok();
    json["fault"] = status.ok() ? Json(nullptr) : Json(std::string(message_of(status)));
    all.push_back(json);
    text += text_of(backup) + (status.ok() ? ": sound\n" : ": damaged\n");
  }
  if (all.empty()) return missing_input(flags.backups + ": there is no such backup");
  print(flags, {{"backups", all}}, text);
  return fault;
}

absl::Status verify(const StoreFlags& flags) {
  if (flags.store.empty() == flags.backups.empty()) return wrong_usage("say what to verify: either --store or --from");
  return flags.backups.empty() ? verify_store(flags) : verify_backups(flags);
}

absl::Status stats(const StoreFlags& flags) {
  const auto database = server::StoreDatabase::open_snapshot(flags.store);
  if (!database.ok()) return database.status();
  const auto figures = server::read_figures(**database);
  if (!figures.ok()) return figures.status();
  print(flags, json_of(*figures), text_of(*figures));
  return absl::OkStatus();
}

absl::Status compact(const StoreFlags& flags) {
  const auto database = open_existing(flags.store);
  if (!database.ok()) return database.status();
  const auto before = server::read_figures(**database);
  if (!before.ok()) return before.status();
  if (absl::Status s = server::compact(**database); !s.ok()) return s;
  const auto after = server::read_figures(**database);
  if (!after.ok()) return after.status();
  print(flags, {{"bytes_before", before->bytes()}, {"bytes", after->bytes()}},
        std::to_string(before->bytes()) + " bytes before, " + std::to_string(after->bytes()) + " now\n");
  return absl::OkStatus();
}

using Action = absl::Status (*)(const StoreFlags&);

class Commands {
 public:
  Commands(CLI::App& store, int& exit_code) : store_(store), exit_code_(exit_code) {}

  CLI::App* add(const char* name, const char* description, const char* examples, Action action) {
    CLI::App* command = store_.add_subcommand(name, description);
    command->add_flag("--json", flags_->json, "Print one JSON document");
    command->footer(examples);
    command->callback([flags = flags_, &exit_code = exit_code_, action] { exit_code = report(action(*flags)); });
    return command;
  }
  CLI::Option* add_store(CLI::App* command, const char* description) {
    return command->add_option("--store", flags_->store, description)->type_name("DIR");
  }
  CLI::Option* add_backups(CLI::App* command, const char* name, const char* description) {
    return command->add_option(name, flags_->backups, description)->type_name("DIR");
  }
  void add_number(CLI::App* command, const char* description) {
    command->add_option("--backup", flags_->number, description)->type_name("N");
  }

 private:
  CLI::App& store_;
  int& exit_code_;
  const std::shared_ptr<StoreFlags> flags_ = std::make_shared<StoreFlags>();
};

void add_backing_up(Commands& commands) {
  CLI::App* backup = commands.add("backup", "Add a backup to a folder of backups: what is new since the last one is copied",
                                  "Example: bouquet store backup --store store --to backups", back_up);
  commands.add_store(backup, "The store")->required();
  commands.add_backups(backup, "--to", "Where its backups are; made if it is not there")->required();

  CLI::App* restored = commands.add("restore", "Make a store of a backup, after all of it has been verified",
                                    "Examples:\n  bouquet store restore --from backups --store restored\n"
                                    "  bouquet store restore --from backups --backup 3 --store restored",
                                    restore);
  commands.add_backups(restored, "--from", "Where the backups are")->required();
  commands.add_store(restored, "The new store; an empty folder, or none yet")->required();
  commands.add_number(restored, "Which backup; the newest if none is named");
}

void add_looking(Commands& commands) {
  CLI::App* verified =
      commands.add("verify", "Read everything in a store or in its backups: checksums, entries, references; exit code 3 if damaged",
                   "Examples:\n  bouquet store verify --store store\n  bouquet store verify --from backups --backup 3", verify);
  commands.add_store(verified, "The store, also while a server has it open");
  commands.add_backups(verified, "--from",
                       "Its backups: the checksums of all, and the newest is restored where temporary files go (TMPDIR)");
  commands.add_number(verified, "With --from: this one alone");

  CLI::App* measured = commands.add("stats", "How much is in a store", "Example: bouquet store stats --store store", stats);
  commands.add_store(measured, "The store, also while a server has it open")->required();
}

}  // namespace

void add_store_command(CLI::App& app, int& exit_code) {
  CLI::App* store = app.add_subcommand("store", "Back up, restore, verify, measure and compact what a server keeps");
  store->require_subcommand(1);
  store->footer(
      "Examples:\n  bouquet store stats --store store\n  bouquet store backup --store store --to backups\n"
      "  bouquet store restore --from backups --store restored");
  Commands commands(*store, exit_code);
  add_backing_up(commands);
  add_looking(commands);
  CLI::App* compacted = commands.add("compact", "Write a store anew, without what was deleted or has expired",
                                     "Example: bouquet store compact --store store", compact);
  commands.add_store(compacted, "The store; no server may have it open")->required();
}

}  // namespace bouquet::cli
