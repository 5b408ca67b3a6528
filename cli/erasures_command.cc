#include "cli/erasures_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "cli/store_events.h"
#include "engine/errors.h"
#include "engine/models_directory.h"
#include "nlohmann/json.hpp"
#include "server/event_store/store_snapshot.h"
#include "training/erased_customers.h"

namespace bouquet::cli {
namespace {

using server::ErasureReceipt;
using server::StoreSnapshot;

using Json = nlohmann::ordered_json;

struct ErasuresOptions {
  std::string store, receipt, models;
  bool json = false;
};

std::string time_text(int64_t microseconds) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", absl::FromUnixMicros(microseconds), absl::UTCTimeZone());
}

std::string files_text(const ErasureReceipt& receipt) {
  return receipt.files_gone_time() == 0 ? "not yet" : "since " + time_text(receipt.files_gone_time());
}

// What one published version has of whoever was erased.
struct VersionState {
  std::string version;
  std::string state;      // for --json: newer (read after the erasure), no_row, row, damaged
  std::string text;       // for people
  int64_t rewritten = 0;  // when scrub put it in the place of one with rows; microseconds since 1970, 0: never
};

VersionState state_of(const StoreSnapshot& store, uint64_t sequence, const ErasureReceipt& receipt, const std::string& version,
                      const absl::StatusOr<std::shared_ptr<const Artifact>>& artifact) {
  if (!artifact.ok()) return {version, "damaged", "cannot be read: " + std::string(message_of(artifact.status()))};
  const auto& replaces = (*artifact)->replaces;
  const int64_t rewritten = replaces.empty() ? 0 : replaces.back().time;
  const std::string since = rewritten == 0 ? "" : "; written anew at " + time_text(rewritten);
  if ((*artifact)->recipe.store.sequence_in(store.store_identity()) >= sequence)
    return {version, "newer", "no row from before the erasure" + since, rewritten};
  for (CustomerIndex row = 0; row < (*artifact)->customer_ids.size(); ++row)
    if (store.erasures().is_of(receipt, (*artifact)->customer_ids.id(row)))
      return {version, "row", "HAS A ROW, which a server with this store ignores" + since, rewritten};
  return {version, "no_row", "no row" + since, rewritten};
}

absl::StatusOr<std::vector<VersionState>> states_of(const StoreSnapshot& store, uint64_t sequence, const ErasureReceipt& receipt,
                                                    const std::string& models) {
  const auto directory = ModelsDirectory::open_existing(models);
  if (!directory.ok()) return directory.status();
  std::vector<VersionState> states;
  for (const std::string& version : directory->versions())
    states.push_back(state_of(store, sequence, receipt, version, directory->load(version)));
  return states;
}

// Null for 0.
Json iso_time(int64_t microseconds) {
  if (microseconds == 0) return nullptr;
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMicros(microseconds), absl::UTCTimeZone());
}

Json json_of(const std::string& id, const ErasureReceipt& receipt) {
  return {{"receipt_id", id},
          {"erase_time", iso_time(receipt.time())},
          {"events", receipt.events()},
          {"attributes", receipt.attributes()},
          {"answers", receipt.answers()},
          {"files_gone_time", iso_time(receipt.files_gone_time())}};
}

// What went.
std::string counts_text(const ErasureReceipt& receipt) {
  std::string text = std::to_string(receipt.events()) + " events, " + std::to_string(receipt.attributes()) + " attributes";
  if (receipt.answers() > 0) text += ", inputs of " + std::to_string(receipt.answers()) + " answers";
  return text;
}

absl::Status list(const ErasuresOptions& options) {
  const auto store = StoreSnapshot::open(options.store);
  if (!store.ok()) return store.status();
  const auto receipts = read_receipts((*store)->database());
  if (!receipts.ok()) return receipts.status();
  if (options.json) {
    Json all = Json::array();
    for (const auto& [sequence, receipt] : *receipts) all.push_back(json_of(receipt_id((*store)->database(), sequence), receipt));
    std::puts(Json{{"erasures", all}}.dump(2).c_str());
    return absl::OkStatus();
  }
  for (const auto& [sequence, receipt] : *receipts)
    std::printf("%s  %s  %s  gone from the store's files: %s\n", receipt_id((*store)->database(), sequence).c_str(),
                time_text(receipt.time()).c_str(), counts_text(receipt).c_str(), files_text(receipt).c_str());
  if (receipts->empty()) std::puts("nobody was erased");
  return absl::OkStatus();
}

void print_json(const ErasuresOptions& options, const ErasureReceipt& receipt, const std::vector<VersionState>& models) {
  Json json = json_of(options.receipt, receipt);
  json["models"] = options.models.empty() ? Json(nullptr) : Json(Json::array());
  for (const VersionState& model : models)
    json["models"].push_back({{"version", model.version}, {"state", model.state}, {"rewritten_time", iso_time(model.rewritten)}});
  std::puts(json.dump(2).c_str());
}

void print_text(const ErasuresOptions& options, const ErasureReceipt& receipt, const std::vector<VersionState>& models) {
  std::printf("%s, erased at %s\n", options.receipt.c_str(), time_text(receipt.time()).c_str());
  std::printf("  answers and the store: gone; %s\n", counts_text(receipt).c_str());
  std::printf("  files of the store: %s\n",
              receipt.files_gone_time() == 0 ? "bytes may be there until they are compacted" : ("gone " + files_text(receipt)).c_str());
  if (options.models.empty()) std::puts("  models: not looked at (name them with --models)");
  for (const VersionState& model : models) std::printf("  model %s: %s\n", model.version.c_str(), model.text.c_str());
  std::puts(
      "  item vectors of models from before: keep what they learned from the customer until those versions are deleted\n"
      "  backups from before: in them until they are deleted; `bouquet store restore` leaves the customer out\n"
      "  event files, what `recommend --all`, `export` and `evaluate --per-customer` have written, saved reports of\n"
      "  trainings (which may quote bad rows), logs of callers: unknown to the server");
}

absl::Status show(const ErasuresOptions& options) {
  const auto store = StoreSnapshot::open(options.store);
  if (!store.ok()) return store.status();
  const auto receipts = read_receipts((*store)->database());
  if (!receipts.ok()) return receipts.status();
  for (const auto& [sequence, receipt] : *receipts) {
    if (receipt_id((*store)->database(), sequence) != options.receipt) continue;
    absl::StatusOr<std::vector<VersionState>> models = std::vector<VersionState>{};
    if (!options.models.empty()) models = states_of(**store, sequence, receipt, options.models);
    if (!models.ok()) return models.status();
    if (options.json)
      print_json(options, receipt, *models);
    else
      print_text(options, receipt, *models);
    return absl::OkStatus();
  }
  return missing_input("--store " + options.store + ": has no erasure '" + options.receipt + "'; `bouquet erasures list` names all");
}

// One version; a damaged one cannot be written anew, and is left for whoever deletes it. Emptied are the rows of customers who were erased
// after its training read the store, or ever if it read none.
absl::Status scrub_version(const training::EventSource& store, ModelsDirectory& directory, const std::string& version) {
  const auto artifact = directory.load(version);
  if (!artifact.ok()) return artifact.status();
  Artifact emptied = **artifact;
  const auto rows = training::empty_rows_erased_since(store, emptied.recipe.store.sequence_in(store.identity()), emptied);
  if (!rows.ok()) return rows.status();
  if (*rows == 0) {
    std::printf("%s: no row of anybody who was erased\n", version.c_str());
    return absl::OkStatus();
  }
  const auto written = directory.replace(version, std::move(emptied));
  if (!written.ok()) return written.status();
  std::printf("%s: %lld rows emptied, it is %s now\n", version.c_str(), static_cast<long long>(*rows), written->c_str());
  return absl::OkStatus();
}

absl::Status scrub(const ErasuresOptions& options) {
  const auto store = open_store_events(options.store);
  if (!store.ok()) return store.status();
  if (const auto there = ModelsDirectory::open_existing(options.models); !there.ok()) return there.status();
  auto directory = ModelsDirectory::open(options.models);
  if (!directory.ok()) return directory.status();
  absl::Status first;
  for (const std::string& version : directory->versions()) {
    const absl::Status status = scrub_version(**store, *directory, version);
    if (!status.ok()) std::printf("%s: NOT SCRUBBED: %s\n", version.c_str(), std::string(message_of(status)).c_str());
    first.Update(status);
  }
  return first;
}

}  // namespace

void add_erasures_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ErasuresOptions>();
  CLI::App* command = app.add_subcommand("erasures", "What was erased from a server's store, and where bytes of it may still be");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n"
      "  bouquet erasures list --store store\n"
      "  bouquet erasures show 3f2a91c0-1234 --store store --models models\n"
      "  bouquet erasures scrub --store store --models models");
  CLI::App* all = command->add_subcommand("list", "One line for each erasure, the oldest first");
  CLI::App* one = command->add_subcommand("show", "The state of each copy of what was erased");
  CLI::App* scrubbed = command->add_subcommand("scrub", "Write published versions anew without the rows of whoever was erased");
  for (CLI::App* sub : {all, one, scrubbed})
    sub->add_option("--store", options->store, "The folder of the server; it may go on meanwhile")->required()->type_name("DIR");
  for (CLI::App* sub : {all, one}) sub->add_flag("--json", options->json, "One JSON document on stdout");
  one->add_option("receipt", options->receipt, "The receipt's id")->required()->type_name("ID");
  one->add_option("--models", options->models, "Look for rows in the versions of this directory")->type_name("DIR");
  scrubbed->add_option("--models", options->models, "The models directory; a server takes the new current version by itself")
      ->required()
      ->type_name("DIR");
  scrubbed->callback([options, &exit_code] { exit_code = report(scrub(*options)); });
  all->callback([options, &exit_code] { exit_code = report(list(*options)); });
  one->callback([options, &exit_code] { exit_code = report(show(*options)); });
}

}  // namespace bouquet::cli
