#include "server/served_models.h"

#include <filesystem>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "server/past_moment.h"

namespace bouquet::server {
namespace {

// One text for each folder; as it is where there is none.
std::string canonical(const std::string& path) {
  std::error_code failed;
  const auto whole = std::filesystem::canonical(path, failed);
  return failed ? path : whole.string();
}

// One version answers all of it, and lives until it has.
void answer_by(const ModelStore& store, int32_t worker, std::span<const Question> questions, std::span<absl::Status> statuses) {
  const auto serving = store.serving();
  if (serving == nullptr) {
    for (absl::Status& status : statuses) status = absl::UnavailableError("the server has no model yet");
    return;
  }
  serving->recommenders[static_cast<size_t>(worker)]->answer(questions, statuses);
}

}  // namespace

absl::StatusOr<DirectoriesOfPlacements> open_directories(const Placements& placements, const std::string& own, bool may_be_missing) {
  DirectoriesOfPlacements directories;
  for (const Placement& placement : placements.all()) {
    std::string& path = directories.path_of.emplace_back();
    if (placement.model.empty()) continue;
    auto directory = may_be_missing ? ModelsDirectory::open(placement.model) : ModelsDirectory::open_existing(placement.model);
    if (!directory.ok())
      return absl::Status(directory.status().code(),
                          placement.place + ": placements." + placement.name + ".model: " + std::string(directory.status().message()));
    const std::string named = canonical(placement.model);
    if (named == canonical(own)) continue;
    path = named;
    directories.by_path.try_emplace(named, *std::move(directory));
  }
  return directories;
}

ServedModels::ServedModels(ModelsDirectory own, const DirectoriesOfPlacements& others, const Placements& placements,
                           const AnswerNames& names, Backend& backend, const OptionsOf& options, ModelObserver* observer)
    : placements_(placements), names_(names), own_(std::move(own), backend, options({}), observer) {
  for (const auto& [path, directory] : others.by_path)
    others_[path] = std::make_unique<ModelStore>(directory, backend, options(path), observer);
  for (const std::string& path : others.path_of) by_placement_.push_back(path.empty() ? &own_ : others_.at(path).get());
}

ModelStore& ServedModels::of(std::string_view placement) {
  if (others_.empty() || placement.empty()) return own_;
  const auto found = placements_.find(placement);
  return found.ok() ? *by_placement_[*found] : own_;
}

absl::StatusOr<ModelStore*> ServedModels::find(std::string_view placement) {
  if (absl::Status s = placements_.check(placement); !s.ok()) return s;
  return &of(placement);
}

// A name that cannot be opened is refused by whoever answers.
std::string ServedModels::placement_of(const Question& question) const {
  return std::visit(
      [&](const auto& exchange) -> std::string {
        if constexpr (requires { exchange.request->as_of(); })
          if (exchange.request->as_of().has_recommendation_id())
            if (const auto name = named_answer(exchange.request->as_of(), &names_); name.ok()) return name->placement();
        if constexpr (requires { exchange.request->placement(); })
          return exchange.request->placement();
        else
          return {};
      },
      question);
}

absl::Status ServedModels::refresh() {
  absl::Status first;
  for_each([&](ModelStore& store) { first.Update(store.refresh()); });
  return first;
}

void ServedModels::start_watching() {
  for_each([](ModelStore& store) { store.start_watching(); });
}

bool ServedModels::are_there() const {
  bool all = own_.serving() != nullptr;
  for (const auto& [path, store] : others_) all = all && store->serving() != nullptr;
  return all;
}

void ServedModels::answer(int32_t worker, std::span<const Question> questions, std::span<absl::Status> statuses) {
  if (others_.empty()) return answer_by(own_, worker, questions, statuses);
  std::map<const ModelStore*, std::vector<size_t>> by_store;
  for (size_t i = 0; i < questions.size(); ++i) by_store[&of(placement_of(questions[i]))].push_back(i);
  for (const auto& [store, positions] : by_store) {
    std::vector<Question> its;
    for (const size_t i : positions) its.push_back(questions[i]);
    std::vector<absl::Status> answered(its.size());
    answer_by(*store, worker, its, answered);
    for (size_t i = 0; i < positions.size(); ++i) statuses[positions[i]] = std::move(answered[i]);
  }
}

}  // namespace bouquet::server
