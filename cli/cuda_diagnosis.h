// What `bouquet doctor` finds out about CUDA on this machine.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engine/backend_module.h"

namespace bouquet::cli {

struct CudaDiagnosis {
  std::string module;   // its path
  std::string driver;   // its own version; empty: it does not say
  std::string problem;  // why the module cannot be opened; empty: it can, and `platform` holds what it found
  PlatformReport platform;
};

CudaDiagnosis diagnose_cuda(const std::string& module_path);

// Lines of doctor's text, each with its newline.
std::string as_text(const CudaDiagnosis& found);
nlohmann::ordered_json as_json(const CudaDiagnosis& found);

}  // namespace bouquet::cli
