#include "cli/cuda_module.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "engine/errors.h"

namespace bouquet {
namespace {

constexpr const char* kFileName = "libbouquet_cuda.so";
constexpr const char* kHowToFix = "; install the module that came with this program, or use --backend cpu";

bool driver_is_there() {
  void* const driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver == nullptr) return false;
  dlclose(driver);
  return true;
}

absl::Status cannot_open(const std::string& why) {
  const std::string what = "the CUDA module cannot be opened: " + why;
  if (!driver_is_there()) return absl::UnavailableError(what + "; this machine has no NVIDIA driver either; use --backend cpu");
  return no_resource(what + "; install what is missing (cuBLAS and cuSOLVER come with the CUDA toolkit), or use --backend cpu");
}

template <typename Function>
Function function_of(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

}  // namespace

std::string cuda_module_path() {
  if (const char* path = std::getenv("BOUQUET_CUDA_MODULE"); path != nullptr && *path != 0) return path;
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  const std::filesystem::path installed = folder.parent_path() / "lib" / "bouquet" / kFileName;
  return std::filesystem::exists(installed, error) ? installed : folder / kFileName;
}

absl::StatusOr<const BackendModule*> open_cuda_module(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return absl::UnavailableError("there is no CUDA module " + path + ": this program was built without CUDA; use --backend cpu");
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return cannot_open(dlerror());
  const auto id = function_of<ModuleBuildId>(library, kModuleBuildIdName);
  if (id == nullptr) return no_resource(path + " is not a module of Bouquet" + kHowToFix);
  if (std::string_view(id()) != build_id())
    return no_resource(path + " is of build " + id() + ", this program of build " + build_id() + kHowToFix);
  const auto entry = function_of<ModuleEntry>(library, kModuleEntryName);
  if (entry == nullptr) return no_resource(path + " has no entry point" + kHowToFix);
  return entry();
}

}  // namespace bouquet
