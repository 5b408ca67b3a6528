#include "cli/nvidia_driver.h"

#include <dlfcn.h>

#include <fstream>
#include <memory>

namespace bouquet {
namespace {

// CUDA_ERROR_NO_DEVICE and CUDA_ERROR_NOT_FOUND of cuda.h.
constexpr int kNoDevice = 100, kNotADriver = 500;

struct Close {
  void operator()(void* library) const { dlclose(library); }
};
using Library = std::unique_ptr<void, Close>;

Library open_driver() { return Library(dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL)); }

}  // namespace

bool nvidia_driver_is_there() { return open_driver() != nullptr; }

NvidiaDevices nvidia_devices() {
  const Library driver = open_driver();
  if (driver == nullptr) return {};
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver.get(), "cuInit"));
  const auto count = reinterpret_cast<int (*)(int*)>(dlsym(driver.get(), "cuDeviceGetCount"));
  if (init == nullptr || count == nullptr) return {.error = kNotADriver};
  NvidiaDevices found;
  found.error = init(0);
  if (found.error == 0) found.error = count(&found.count);
  if (found.error == kNoDevice) return {};
  return found;
}

std::string nvidia_driver_version(const std::filesystem::path& root) {
  std::ifstream file(root / "sys/module/nvidia/version");
  std::string version;
  std::getline(file, version);
  return version;
}

}  // namespace bouquet
