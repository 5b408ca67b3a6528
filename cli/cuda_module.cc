#include "cli/cuda_module.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "cli/nvidia_driver.h"
#include "engine/errors.h"

namespace bouquet {
namespace {

constexpr const char* kFileName = "libbouquet_cuda.so";
#if defined(BOUQUET_WITH_CUDA_MODULE)
constexpr bool kBuiltWithModule = true;
#else
constexpr bool kBuiltWithModule = false;
#endif
constexpr const char* kHowToFix = "; install the module that came with this program, or use --backend cpu";

// What a module that cannot be used means for whoever asked for any backend: only where the device is absent there is nothing to mend.
absl::Status without_module(const std::string& what, const std::string& how_to_fix) {
  const NvidiaDevices devices = nvidia_devices();
  if (devices.absent()) return absl::UnavailableError(what + "; this machine has no CUDA device either; use --backend cpu");
  if (devices.error != 0)
    return no_resource(what + "; and the NVIDIA driver does not work (its error " + std::to_string(devices.error) +
                       "): update or install the driver anew, or use --backend cpu");
  return no_resource(what + how_to_fix);
}

absl::Status no_module(const std::string& path) {
  const std::string what = "there is no CUDA module " + path;
  if (!kBuiltWithModule) return absl::UnavailableError(what + ": this program was built without CUDA; use --backend cpu");
  return without_module(what, ": there is a CUDA device, and the module belongs to this program" + std::string(kHowToFix));
}

absl::Status cannot_open(const std::string& why) {
  return without_module("the CUDA module cannot be opened: " + why,
                        "; install what is missing (cuBLAS and cuSOLVER come with the CUDA toolkit), or use --backend cpu");
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
  if (!std::filesystem::exists(path, error)) return no_module(path);
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
