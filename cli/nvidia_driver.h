// NVIDIA's driver on this machine, asked without any library of CUDA: what is known where the module cannot be opened.
#pragma once

#include <filesystem>
#include <string>

namespace bouquet {

bool nvidia_driver_is_there();

// How many devices it shows this process (CUDA_VISIBLE_DEVICES hides some). 0 where there is no driver, or it does not work.
int nvidia_device_count();

// The driver's own version, such as 580.65.06, of the machine whose /sys is under `root`; empty where it does not say.
std::string nvidia_driver_version(const std::filesystem::path& root = "/");

}  // namespace bouquet
