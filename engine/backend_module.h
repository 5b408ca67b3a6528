// A backend that stands in a shared library of its own and is opened at run time, so that the program needs none of the libraries that
// the backend needs. Program and module pass C++ objects to each other: both must come from one build, and the build id says so.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/backend.h"

namespace bouquet {

// One device of this machine, as `bouquet doctor` shows it.
struct DeviceReport {
  int index = 0;
  std::string name;
  int capability = 0;  // 10 * major + minor; 0: the device does not answer
  int64_t memory_bytes = 0;
  bool memory_pools = true;
  std::string cause;    // what the platform itself says, where it does not answer
  std::string problem;  // why it cannot be used and what to do; empty: it can
};

// A library of the platform's that the module has found.
struct LibraryReport {
  std::string name;
  std::string version;
};

// What a module finds on this machine.
struct PlatformReport {
  int runtime_version = 0;  // 13000 is 13.0; of the libraries that the module was built with
  int driver_version = 0;   // the newest that the driver knows; 0: no driver
  std::vector<LibraryReport> libraries;
  int error = 0;        // of the platform's own numbers; 0: none
  std::string cause;    // the same in its words
  std::string problem;  // why no device can be used and what to do; empty: some can
  std::vector<DeviceReport> devices;
};

// What a module exports beside its build id. Looked at only if the build ids are equal.
struct BackendModule {
  absl::StatusOr<std::unique_ptr<Backend>> (*make_backend)(int device);
  PlatformReport (*report)();
  // As Backend's, without a device.
  MemoryTable (*training_memory)(const Interactions&, const TrainingOptions&);
  MemoryTable (*judging_memory)(const JudgingShape&);
};

// The version of this program, and a hash of this folder's headers and of the compiler: equal where objects mean the same.
const char* build_id();

// The two functions of a module, with C linkage.
using ModuleBuildId = const char* (*)();
using ModuleEntry = const BackendModule* (*)();
inline constexpr const char* kModuleBuildIdName = "bouquet_module_build_id";
inline constexpr const char* kModuleEntryName = "bouquet_module_entry";

}  // namespace bouquet
