#include "cli/store_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "cli/store_reports.h"
#include "cli/store_server.h"
#include "engine/errors.h"
#include "engine/scratch_folder.h"

namespace bouquet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct StoreFlags {
  std::string store, address, backups;
  uint32_t number = 0;
  server::LaterErasures erasures;
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

absl::Status check_one_place(const StoreFlags& flags) {
  if (flags.store.empty() != flags.address.empty()) return absl::OkStatus();
  return wrong_usage("say which store: either --store, or --server with the --admin-grpc address of the server that has it open");
}

absl::StatusOr<server::Backup> make_backup(const StoreFlags& flags) {
  if (!flags.address.empty()) {
    auto asked = StoreServer::connect(flags.address);
    return asked.ok() ? asked->back_up() : asked.status();
  }
  const auto database = open_existing(flags.store);
  return database.ok() ? server::back_up(**database, flags.backups) : database.status();
}

absl::Status back_up(const StoreFlags& flags) {
  if (absl::Status s = check_one_place(flags); !s.ok()) return s;
  if (flags.store.empty() != flags.backups.empty())
    return wrong_usage("--to goes with --store; a server has its own folder of backups (serve --backups)");
  const auto backup = make_backup(flags);
  if (!backup.ok()) return backup.status();
  print(flags, json_of(*backup), text_of(*backup) + "\n");
  return absl::OkStatus();
}

absl::Status restore(const StoreFlags& flags) {
  const auto restored = server::restore_backup(flags.backups, flags.number, flags.store, flags.erasures);
  if (!restored.ok()) return restored.status();
  Json json = json_of(restored->backup);
  json["store"] = flags.store;
  json["erased_again"] = restored->erased_again;
  std::string text = flags.store + " is " + text_of(restored->backup) + "\n";
  if (restored->erased_again > 0)
    text += "customers who were erased since, and have been again: " + std::to_string(restored->erased_again) + "\n";
  print(flags, json, text);
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
  return server::verify_restored(backups, number, scratch->path()).status();
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

absl::StatusOr<server::StoreFigures> figures_of(const StoreFlags& flags) {
  if (!flags.address.empty()) {
    auto asked = StoreServer::connect(flags.address);
    return asked.ok() ? asked->figures() : asked.status();
  }
  const auto database = server::StoreDatabase::open_snapshot(flags.store);
  return database.ok() ? server::read_figures(**database) : database.status();
}

absl::Status stats(const StoreFlags& flags) {
  if (absl::Status s = check_one_place(flags); !s.ok()) return s;
  const auto figures = figures_of(flags);
  if (!figures.ok()) return figures.status();
  print(flags, json_of(*figures), text_of(*figures));
  return absl::OkStatus();
}

absl::StatusOr<CompactedBytes> compact_store(const StoreFlags& flags) {
  if (!flags.address.empty()) {
    auto asked = StoreServer::connect(flags.address);
    return asked.ok() ? asked->compact() : asked.status();
  }
  const auto database = open_existing(flags.store);
  if (!database.ok()) return database.status();
  const uint64_t before = server::table_bytes(**database);
  if (absl::Status s = server::compact(**database); !s.ok()) return s;
  return CompactedBytes{before, server::table_bytes(**database)};
}

absl::Status compact(const StoreFlags& flags) {
  if (absl::Status s = check_one_place(flags); !s.ok()) return s;
  const auto bytes = compact_store(flags);
  if (!bytes.ok()) return bytes.status();
  print(flags, {{"bytes_before", bytes->before}, {"bytes", bytes->after}},
        std::to_string(bytes->before) + " bytes before, " + std::to_string(bytes->after) + " now\n");
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
  void add_server(CLI::App* command) {
    command->add_option("--server", flags_->address, "A server that has it open, by its --admin-grpc address: host:port or unix:PATH")
        ->type_name("ADDRESS");
  }
  void add_erasures(CLI::App* command) {
    command
        ->add_option("--erasures-from", flags_->erasures.store,
                     "The store that the backup was taken of, also while a server has it open: who was erased since is erased again")
        ->type_name("DIR");
    command->add_flag("--without-newer-erasures", flags_->erasures.from_backups_alone,
                      "That store is lost: go by the erasures that the newest backup knows; who was erased after it comes back");
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
                                  "Examples:\n  bouquet store backup --server 127.0.0.1:50052\n"
                                  "  bouquet store backup --store store --to backups",
                                  back_up);
  commands.add_server(backup);
  commands.add_store(backup, "The store; no server may have it open");
  commands.add_backups(backup, "--to", "With --store: where its backups are; made if it is not there");

  CLI::App* restored = commands.add("restore", "Make a store of a backup, after all of it has been verified",
                                    "Examples:\n  bouquet store restore --from backups --store restored --erasures-from store\n"
                                    "  bouquet store restore --from backups --backup 3 --store restored --without-newer-erasures",
                                    restore);
  commands.add_backups(restored, "--from", "Where the backups are")->required();
  commands.add_store(restored, "The new store; an empty folder, or none yet")->required();
  commands.add_number(restored, "Which backup; the newest if none is named");
  commands.add_erasures(restored);
}

void add_looking(Commands& commands) {
  CLI::App* verified =
      commands.add("verify", "Read everything in a store or in its backups: checksums, entries, references; exit code 3 if damaged",
                   "Examples:\n  bouquet store verify --store store\n  bouquet store verify --from backups --backup 3", verify);
  commands.add_store(verified, "The store, also while a server has it open");
  commands.add_backups(verified, "--from",
                       "Its backups: the checksums of all, and the newest is restored where temporary files go (TMPDIR)");
  commands.add_number(verified, "With --from: this one alone");

  CLI::App* measured =
      commands.add("stats", "How much is in a store",
                   "Examples:\n  bouquet store stats --store store\n  bouquet store stats --server 127.0.0.1:50052", stats);
  commands.add_server(measured);
  commands.add_store(measured, "The store, also while a server has it open");
}

}  // namespace

void add_store_command(CLI::App& app, int& exit_code) {
  CLI::App* store = app.add_subcommand("store", "Back up, restore, verify, measure and compact what a server keeps");
  store->require_subcommand(1);
  store->footer(
      "Examples:\n  bouquet store stats --store store\n  bouquet store backup --server 127.0.0.1:50052\n"
      "  bouquet store restore --from backups --store restored --erasures-from store");
  Commands commands(*store, exit_code);
  add_backing_up(commands);
  add_looking(commands);
  CLI::App* compacted =
      commands.add("compact", "Write a store anew, without what was deleted or has expired",
                   "Examples:\n  bouquet store compact --server 127.0.0.1:50052\n  bouquet store compact --store store", compact);
  commands.add_server(compacted);
  commands.add_store(compacted, "The store; no server may have it open");
}

}  // namespace bouquet::cli
