#include "cli/nvidia_driver.h"

#include <dlfcn.h>

#include <fstream>
#include <memory>

namespace bouquet {
namespace {

struct Close {
  void operator()(void* library) const { dlclose(library); }
};
using Library = std::unique_ptr<void, Close>;

Library open_driver() { return Library(dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL)); }

}  // namespace

bool nvidia_driver_is_there() { return open_driver() != nullptr; }

int nvidia_device_count() {
  const Library driver = open_driver();
  if (driver == nullptr) return 0;
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver.get(), "cuInit"));
  const auto count = reinterpret_cast<int (*)(int*)>(dlsym(driver.get(), "cuDeviceGetCount"));
  int devices = 0;
  if (init == nullptr || count == nullptr || init(0) != 0 || count(&devices) != 0) return 0;
  return devices;
}

std::string nvidia_driver_version(const std::filesystem::path& root) {
  std::ifstream file(root / "sys/module/nvidia/version");
  std::string version;
  std::getline(file, version);
  return version;
}

}  // namespace bouquet
