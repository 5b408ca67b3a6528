#include "training/fit_checkpoints.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/errors.h"
#include "engine/file_access.h"
#include "engine/json_fields.h"
#include "engine/manifest.h"
#include "engine/model_constants_json.h"
#include "engine/sha256.h"
#include "training/fingerprint.h"

namespace bouquet::training {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// A file: kMagic; the bytes of the header, a little-endian 64-bit number; the header, JSON; the arrays that it names, in float; the SHA-256
// of all that, in hexadecimal. Another program reads none of it.
constexpr std::string_view kMagic = "BQFIT001";
constexpr std::string_view kEnding = ".fit";
constexpr size_t kChecksumBytes = 64;

template <typename Model, typename Visit>
void each_array(Model& model, const Visit& visit) {
  visit("profiles", model.profiles);
  visit("item_vectors", model.item_vectors);
  visit("item_gram", model.item_gram);
  visit("customer_prior", model.customer_prior.map);
  visit("item_prior", model.item_prior.map);
}

Json described(const Model& model) {
  Json out{{"dimension", model.dimension},
           {"customer_dense", model.customer_prior.dense_count},
           {"item_dense", model.item_prior.dense_count},
           {"constants", model_constants_json(model.constants)}};
  each_array(model, [&](const char* name, const SharedArray<float>& array) { out[name] = array.size(); });
  return out;
}

void append(std::string& bytes, const void* from, size_t count) { bytes.append(static_cast<const char*>(from), count); }

// Takes arrays off the front of `bytes`; false: they are not as many as the header says.
bool read_model(const JsonFields& fields, std::string_view& bytes, Model& model) {
  model.dimension = static_cast<int32_t>(fields.integer("dimension", 1, 1024));
  model.customer_prior.dense_count = static_cast<int32_t>(fields.integer("customer_dense", 0, kMaxDenseAttributeColumns));
  model.item_prior.dense_count = static_cast<int32_t>(fields.integer("item_dense", 0, kMaxDenseAttributeColumns));
  model.constants = read_model_constants(fields.object("constants"), kFormatMinor);
  bool whole = true;
  each_array(model, [&](const char* name, SharedArray<float>& array) {
    const auto size = static_cast<size_t>(fields.integer(name, 0, INT64_MAX / 8));
    if (!whole || bytes.size() / sizeof(float) < size) {
      whole = false;
      return;
    }
    std::vector<float> values(size);
    std::memcpy(values.data(), bytes.data(), size * sizeof(float));
    bytes.remove_prefix(size * sizeof(float));
    array = std::move(values);
  });
  return whole;
}

std::optional<FitState> parse(std::string_view bytes) {
  if (bytes.size() < kMagic.size() + sizeof(uint64_t) + kChecksumBytes || !bytes.starts_with(kMagic)) return std::nullopt;
  if (sha256_hex(bytes.data(), bytes.size() - kChecksumBytes) != bytes.substr(bytes.size() - kChecksumBytes)) return std::nullopt;
  bytes.remove_suffix(kChecksumBytes);
  bytes.remove_prefix(kMagic.size());
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  bytes.remove_prefix(sizeof(length));
  if (bytes.size() < length) return std::nullopt;
  const Json header = Json::parse(bytes.substr(0, length), nullptr, false);
  bytes.remove_prefix(length);
  if (!header.is_object() || !header.contains("best") || !header.contains("last") || !header.contains("reports")) return std::nullopt;
  absl::Status status;
  FitState state;
  const JsonFields fields(header, "", status);
  state.finished = fields.integer("finished", 0, 1) == 1;
  state.fit.epochs = static_cast<int32_t>(fields.integer("epochs", 0, INT32_MAX));
  for (const Json& report : header["reports"]) {
    const JsonFields of(report, "reports", status);
    state.fit.reports.push_back({.epoch = static_cast<int32_t>(state.fit.reports.size()) + 1,
                                 .objective = of.number("objective"),
                                 .select_metric = of.number("select_metric"),
                                 .seconds = of.number("seconds")});
  }
  if (!header["best"].is_null() && !read_model(JsonFields(header["best"], "best", status), bytes, state.fit.model)) return std::nullopt;
  if (!header["last"].is_null() && !read_model(JsonFields(header["last"], "last", status), bytes, state.last)) return std::nullopt;
  if (!status.ok() || !bytes.empty() || state.fit.reports.empty() || state.fit.epochs > state.epoch()) return std::nullopt;
  if (header["last"].is_null() && !state.finished) state.last = state.fit.model;  // the last epoch is the best one
  return state;
}

void add(const SparseRows& rows, Fingerprint& mark) {
  mark.add(rows.offsets);
  mark.add(rows.columns);
  mark.add(rows.confidences);
  mark.add(rows.targets);
}

void add(const AttributeTable& table, Fingerprint& mark) {
  mark.add(std::array{table.column_count, table.dense_count});
  mark.add(table.dense);
  mark.add(table.offsets);
  mark.add(table.columns);
  mark.add(table.values);
}

}  // namespace

std::string fingerprint_of(const Interactions& interactions, const TrainingOptions& o, const FitPlan& plan, std::string_view backend) {
  Fingerprint mark;
  const Json said{{"backend", backend},
                  {"dimension", o.dimension},
                  {"seed", o.seed},
                  {"unobserved_weight", o.unobserved_weight},
                  {"regularization", o.regularization},
                  {"regularization_exponent", o.regularization_exponent},
                  {"solver", solver_name(o.solver)},
                  {"customer_attribute_regularization", o.customer_attribute_regularization},
                  {"item_attribute_regularization", o.item_attribute_regularization},
                  {"attribute_warmup", o.attribute_warmup},
                  {"attribute_period", o.attribute_period},
                  {"max_epochs", plan.max_epochs},
                  {"min_epochs", plan.min_epochs},
                  {"patience", plan.patience},
                  {"metric", plan.metric},
                  {"selects_on", plan.selects_on}};
  mark.add(said.dump());
  add(interactions.by_customer, mark);  // by_item is the same pairs
  add(interactions.customer_attributes, mark);
  add(interactions.item_attributes, mark);
  mark.add(interactions.customer_attribute_ridges);
  mark.add(interactions.item_attribute_ridges);
  return mark.text();
}

absl::StatusOr<FitCheckpoints> FitCheckpoints::open(const std::string& folder) {
  std::error_code error;
  const bool made = fs::create_directories(folder, error);
  if (error) return no_resource("cannot make the folder of checkpoints " + folder + ": " + error.message());
  if (made) fs::permissions(folder, fs::perms::owner_all, error);
  const std::string lock_file = folder + "/lock";
  if (FileLock::is_held(lock_file))
    return absl::FailedPreconditionError("another training keeps its checkpoints in " + folder + ": let each have a folder of its own");
  auto lock = FileLock::acquire(lock_file);
  if (!lock.ok()) return lock.status();
  return FitCheckpoints(folder, *std::move(lock));
}

std::string FitCheckpoints::file_of(const std::string& fingerprint) const { return folder_ + "/" + fingerprint + std::string(kEnding); }

std::optional<FitState> FitCheckpoints::find(const std::string& fingerprint) const {
  const auto file = MappedFile::map(file_of(fingerprint));
  if (!file.ok()) return std::nullopt;
  return parse({reinterpret_cast<const char*>((*file)->bytes().data()), (*file)->bytes().size()});
}

absl::Status FitCheckpoints::keep(const std::string& fingerprint, const FitState& state) const {
  const bool best_is_last = state.fit.epochs == state.epoch();
  const bool has_best = state.fit.epochs > 0, has_last = !state.finished && !best_is_last;
  Json reports = Json::array();
  for (const EpochReport& r : state.fit.reports)
    reports.push_back({{"objective", r.objective}, {"select_metric", r.select_metric}, {"seconds", r.seconds}});
  const std::string header = Json{{"finished", state.finished ? 1 : 0},
                                  {"epochs", state.fit.epochs},
                                  {"reports", std::move(reports)},
                                  {"best", has_best ? described(state.fit.model) : Json()},
                                  {"last", has_last ? described(state.last) : Json()}}
                                 .dump();
  std::string bytes(kMagic);
  const uint64_t length = header.size();
  append(bytes, &length, sizeof(length));
  bytes += header;
  const auto add = [&](const Model& model) {
    each_array(model, [&](const char*, const SharedArray<float>& array) { append(bytes, array.data(), array.view().size_bytes()); });
  };
  if (has_best) add(state.fit.model);
  if (has_last) add(state.last);
  bytes += sha256_hex(bytes.data(), bytes.size());

  const std::string file = file_of(fingerprint), temporary = file + ".tmp";
  std::error_code error;
  fs::remove(temporary, error);  // of one that was killed
  if (absl::Status s = write_new_file(temporary, std::as_bytes(std::span(bytes))); !s.ok()) {
    fs::remove(temporary, error);
    return s;
  }
  return rename_durably(temporary, file, folder_);
}

void FitCheckpoints::remove_all() const {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename();
    if (name.ends_with(kEnding) || name.ends_with(std::string(kEnding) + ".tmp")) fs::remove(entry.path(), error);
  }
}

}  // namespace bouquet::training
