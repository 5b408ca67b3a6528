#include "cli/cuda_diagnosis.h"

#include <cstdio>
#include <vector>

#include "cli/cuda_module.h"
#include "cli/nvidia_driver.h"
#include "engine/errors.h"

namespace bouquet::cli {
namespace {

// 13000 is 13.0.
std::string cuda_version(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }
std::string capability_text(int capability) { return std::to_string(capability / 10) + "." + std::to_string(capability % 10); }

std::string device_line(const DeviceReport& device) {
  std::string line = "          device " + std::to_string(device.index) + ": " + device.name;
  if (device.capability != 0) {
    char memory[32];
    std::snprintf(memory, sizeof memory, "%.1f GB", static_cast<double>(device.memory_bytes) / 1e9);
    line += ", compute capability " + capability_text(device.capability) + ", " + memory;
  }
  return line + (device.problem.empty() ? "" : "; cannot be used: " + device.problem) + "\n";
}

// "cuBLAS 13.1.0, cuSOLVER 12.0.4"
std::string libraries_text(const std::vector<LibraryReport>& libraries) {
  std::string text;
  for (const LibraryReport& library : libraries) text += (text.empty() ? "" : ", ") + library.name + " " + library.version;
  return text;
}

}  // namespace

CudaDiagnosis diagnose_cuda(const std::string& module_path) {
  CudaDiagnosis found;
  found.module = module_path;
  found.driver = nvidia_driver_version();
  const auto module = open_cuda_module(module_path);
  if (module.ok())
    found.platform = (*module)->report();
  else
    found.problem = message_of(module.status());
  return found;
}

std::string as_text(const CudaDiagnosis& found) {
  const std::string driver = found.driver.empty() ? "" : "driver " + found.driver;
  if (!found.problem.empty()) return "CUDA      " + found.problem + "\n" + (driver.empty() ? "" : "          " + driver + "\n");
  const PlatformReport& platform = found.platform;
  std::string text = "CUDA      module " + found.module + "\n";
  text += "          of build " + std::string(build_id()) + ", CUDA " + cuda_version(platform.runtime_version) + "; ";
  if (platform.driver_version == 0)
    text += "no driver\n";
  else
    text += (driver.empty() ? "the driver" : driver) + " knows CUDA " + cuda_version(platform.driver_version) + "\n";
  if (!platform.libraries.empty()) text += "          " + libraries_text(platform.libraries) + "\n";
  for (const DeviceReport& device : platform.devices) text += device_line(device);
  if (!platform.problem.empty()) text += "          " + platform.problem + "\n";
  return text;
}

nlohmann::ordered_json as_json(const CudaDiagnosis& found) {
  using Json = nlohmann::ordered_json;
  const PlatformReport& platform = found.platform;
  Json devices = Json::array();
  for (const DeviceReport& device : platform.devices)
    devices.push_back({{"index", device.index},
                       {"name", device.name},
                       {"compute_capability", device.capability == 0 ? Json(nullptr) : Json(capability_text(device.capability))},
                       {"memory_bytes", device.memory_bytes},
                       {"problem", device.problem.empty() ? Json(nullptr) : Json(device.problem)}});
  Json libraries = Json::object();
  for (const LibraryReport& library : platform.libraries) libraries[library.name] = library.version;
  const std::string& problem = found.problem.empty() ? platform.problem : found.problem;
  return {{"module", found.module},
          {"build_id", build_id()},
          {"runtime_version", platform.runtime_version == 0 ? Json(nullptr) : Json(cuda_version(platform.runtime_version))},
          {"driver_version", platform.driver_version == 0 ? Json(nullptr) : Json(cuda_version(platform.driver_version))},
          {"driver", found.driver.empty() ? Json(nullptr) : Json(found.driver)},
          {"libraries", std::move(libraries)},
          {"devices", std::move(devices)},
          {"problem", problem.empty() ? Json(nullptr) : Json(problem)}};
}

}  // namespace bouquet::cli
