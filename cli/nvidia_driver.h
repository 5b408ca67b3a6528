// NVIDIA's driver on this machine, asked without any library of CUDA: what is known where the module cannot be opened.
#pragma once

#include <filesystem>
#include <string>

namespace bouquet {

bool nvidia_driver_is_there();

struct NvidiaDevices {
  int count = 0;  // that it shows this process: CUDA_VISIBLE_DEVICES hides some
  int error = 0;  // of the driver's own numbers, where it does not work; 0: it does, or there is none

  bool absent() const { return count == 0 && error == 0; }
};
NvidiaDevices nvidia_devices();

// The driver's own version, such as 580.65.06, of the machine whose /sys is under `root`; empty where it does not say.
std::string nvidia_driver_version(const std::filesystem::path& root = "/");

}  // namespace bouquet
