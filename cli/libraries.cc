#include "cli/libraries.h"

#include <absl/base/config.h>
#include <dlfcn.h>
#include <google/protobuf/stubs/common.h>
#include <grpcpp/grpcpp.h>
#include <hwy/targets.h>
#include <simdjson.h>
#include <zlib.h>
#include <zstd.h>

namespace bouquet::cli {
namespace {

// OpenBLAS is linked through the BLAS of the system, which may be another one: so it is asked for by name.
std::string openblas_version() {
  using TextFunction = char* (*)();
  const auto config = reinterpret_cast<TextFunction>(dlsym(RTLD_DEFAULT, "openblas_get_config"));
  return config == nullptr ? "" : config();
}

// Its version macro is text in some releases and bare tokens in others.
std::string simdjson_version() {
  return std::to_string(simdjson::SIMDJSON_VERSION_MAJOR) + "." + std::to_string(simdjson::SIMDJSON_VERSION_MINOR) + "." +
         std::to_string(simdjson::SIMDJSON_VERSION_REVISION);
}

std::string highway_version() {
  const int64_t targets = hwy::SupportedTargets() & (HWY_TARGETS);
  const int64_t best = targets & -targets;  // the lowest bit is the best target
  return std::string(BOUQUET_HIGHWAY_VERSION) + ", runs as " + hwy::TargetName(best);
}

}  // namespace

std::vector<Library> libraries() {
  std::vector<Library> all = {
      {"gRPC", grpc::Version(), "serving"},
      {"protobuf", google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION), "serving"},
      {"Abseil", std::to_string(ABSL_LTS_RELEASE_VERSION), "statuses, maps"},
      {"Highway", highway_version(), "vectorised code"},
      {"simdjson", simdjson_version(), "JSONL files"},
      {"zlib", zlibVersion(), ".gz files"},
      {"Zstandard", ZSTD_versionString(), ".zst files"},
  };
  const std::string openblas = openblas_version();
  if (!openblas.empty()) all.push_back({"OpenBLAS", openblas, "matrix products"});
  const std::string arrow = BOUQUET_ARROW_VERSION;
  all.push_back({"Arrow", arrow.empty() ? "not in this build" : arrow, "Parquet files"});
  return all;
}

}  // namespace bouquet::cli
