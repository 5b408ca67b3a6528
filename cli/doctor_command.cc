#include "cli/doctor_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/cuda_diagnosis.h"
#include "cli/cuda_module.h"
#include "cli/libraries.h"
#include "cli/machine.h"
#include "engine/errors.h"
#include "engine/models_directory.h"

namespace bouquet::cli {
namespace {

using Json = nlohmann::ordered_json;

struct BackendState {
  std::string name;
  std::string says;  // its description, or why it cannot be used
  bool usable = false;
};

struct Diagnosis {
  Machine machine;
  std::string folder;
  int64_t disk_free_bytes = 0;
  int64_t standby_bytes = 0;
  CudaDiagnosis cuda;
  std::vector<BackendState> backends;  // by name
  BackendState automatic;              // what `auto` takes
  std::vector<Library> libraries;
  std::vector<std::string> warnings;
};

std::string gigabytes(int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(bytes) / 1e9);
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

BackendState backend_state(const BackendFactory& backends, const std::string& name) {
  const auto backend = backends({.name = name});
  if (backend.ok()) return {std::string((*backend)->name()), (*backend)->description(), true};
  return {name, std::string(message_of(backend.status())), false};
}

std::vector<BackendState> backend_states(const BackendFactory& backends) {
  std::vector<BackendState> states;
  for (const char* name : {"cuda", "cpu"}) states.push_back(backend_state(backends, name));
  return states;
}

// Host memory that the CPU takes to stand by for a GPU with the current model of the folder, in numbers that were measured
// (docs/operations.md). 0: there is no model.
int64_t standby_bytes(const std::string& folder) {
  const auto directory = ModelsDirectory::open_existing(folder);
  if (!directory.ok()) return 0;
  const auto version = directory->current();
  if (!version.ok()) return 0;
  const auto manifest = directory->manifest(*version);
  if (!manifest.ok()) return 0;
  const int64_t d = manifest->artifact.model.dimension;
  return manifest->item_count * (10 * d + 80) + manifest->customer_count * (d + 24);
}

std::vector<std::string> warnings(const Diagnosis& found) {
  std::vector<std::string> all;
  for (const char* variable : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"})
    if (const char* value = std::getenv(variable); value != nullptr)
      all.push_back(std::string(variable) + "=" + value +
                    " is set: OpenBLAS then does not choose for this CPU itself and may run at half speed");
  const Machine& machine = found.machine;
  if (machine.core_quota > 0 && machine.core_quota < machine.usable_cores)
    all.push_back("this container may use fewer cores than it sees: give --threads " +
                  std::to_string(std::max(1, static_cast<int>(machine.core_quota))));
  if (machine.memory_available_bytes > 0 && machine.memory_available_bytes < 1'000'000'000)
    all.push_back("less than 1 GB of memory is free");
  if (found.disk_free_bytes < 1'000'000'000) all.push_back("less than 1 GB of disk is free under " + found.folder);
  if (machine.open_file_limit < 4096)
    all.push_back("at most " + std::to_string(machine.open_file_limit) +
                  " files may be open at once, and every connection to the server is one: ulimit -n raises it");
  return all;
}

absl::StatusOr<Diagnosis> diagnose(const BackendFactory& backends, const std::string& folder) {
  Diagnosis found{read_machine(),
                  folder,
                  0,
                  standby_bytes(folder),
                  diagnose_cuda(cuda_module_path()),
                  backend_states(backends),
                  backend_state(backends, "auto"),
                  libraries(),
                  {}};
  std::error_code error;
  const auto space = std::filesystem::space(folder, error);
  if (error) return missing_input("doctor: " + folder + ": " + error.message());
  found.disk_free_bytes = static_cast<int64_t>(space.available);
  found.warnings = warnings(found);
  return found;
}

void print_text(const Diagnosis& found) {
  const Machine& machine = found.machine;
  std::printf("Bouquet %s\n\n", BOUQUET_VERSION);
  std::printf("CPU       %s\n", machine.cpu_model.c_str());
  std::printf("          %s\n", machine.cpu_features.empty() ? "no known features" : joined(machine.cpu_features).c_str());
  std::printf("cores     %d", machine.usable_cores);
  if (machine.core_quota > 0) std::printf(", of which this container may use %.1f", machine.core_quota);
  std::printf("\nmemory    %s, %s free", gigabytes(machine.memory_bytes).c_str(), gigabytes(machine.memory_available_bytes).c_str());
  if (machine.memory_limit_bytes > 0) std::printf(", limited to %s", gigabytes(machine.memory_limit_bytes).c_str());
  std::printf("\ndisk      %s free under %s\n", gigabytes(found.disk_free_bytes).c_str(), found.folder.c_str());
  if (found.standby_bytes > 0)
    std::printf("standby   %s of memory for the current model on the CPU, should serve lose its GPU\n",
                gigabytes(found.standby_bytes).c_str());
  std::printf("%s\nBackends, best first\n", as_text(found.cuda).c_str());
  for (const BackendState& backend : found.backends)
    std::printf("  %-4s  %-8s  %s\n", backend.name.c_str(), backend.usable ? "ready" : "not used", backend.says.c_str());
  const BackendState& automatic = found.automatic;
  std::printf("  --backend auto %s\n", (automatic.usable ? "takes " + automatic.name : "ends the command: " + automatic.says).c_str());
  std::printf("\nLibraries\n");
  for (const Library& library : found.libraries)
    std::printf("  %-10s %s (%s)\n", library.name.c_str(), library.version.c_str(), library.used_for.c_str());
  std::printf("\n");
  for (const std::string& warning : found.warnings) std::printf("Warning: %s.\n", warning.c_str());
  if (found.warnings.empty()) std::printf("Nothing is wrong.\n");
}

Json as_json(const Diagnosis& found) {
  const Machine& machine = found.machine;
  Json backends = Json::array(), all_libraries = Json::array();
  for (const BackendState& backend : found.backends)
    backends.push_back({{"name", backend.name}, {"usable", backend.usable}, {"says", backend.says}});
  for (const Library& library : found.libraries)
    all_libraries.push_back({{"name", library.name}, {"version", library.version}, {"used_for", library.used_for}});
  return {{"version", BOUQUET_VERSION},
          {"cpu",
           {{"model", machine.cpu_model},
            {"features", machine.cpu_features},
            {"cores", machine.usable_cores},
            {"core_quota", machine.core_quota > 0 ? Json(machine.core_quota) : Json(nullptr)}}},
          {"memory",
           {{"bytes", machine.memory_bytes},
            {"available_bytes", machine.memory_available_bytes},
            {"limit_bytes", machine.memory_limit_bytes > 0 ? Json(machine.memory_limit_bytes) : Json(nullptr)}}},
          {"disk", {{"folder", found.folder}, {"free_bytes", found.disk_free_bytes}}},
          {"standby_bytes", found.standby_bytes},
          {"open_file_limit", machine.open_file_limit},
          {"cuda", as_json(found.cuda)},
          {"backends", std::move(backends)},
          {"auto",
           {{"takes", found.automatic.usable ? Json(found.automatic.name) : Json(nullptr)},
            {"problem", found.automatic.usable ? Json(nullptr) : Json(found.automatic.says)}}},
          {"libraries", std::move(all_libraries)},
          {"warnings", found.warnings}};
}

}  // namespace

void add_doctor_command(CLI::App& app, const BackendFactory& backends, int& exit_code) {
  struct Request {
    std::string folder = ".";
    bool json = false;
  };
  auto request = std::make_shared<Request>();
  CLI::App* command = app.add_subcommand("doctor", "Say what this machine has, what will be used of it, and why not more");
  command->footer("Example: bouquet doctor --models models");
  command->add_option("--models", request->folder, "The folder whose disk is looked at")->type_name("DIR");
  command->add_flag("--json", request->json, "Print one JSON document");
  command->callback([backends, request, &exit_code] {
    const auto found = diagnose(backends, request->folder);
    if (found.ok() && request->json) std::printf("%s\n", as_json(*found).dump(2).c_str());
    if (found.ok() && !request->json) print_text(*found);
    exit_code = report(found.status());
  });
}

}  // namespace bouquet::cli
