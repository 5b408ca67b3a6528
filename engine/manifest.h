// manifest.json: what an artifact's directory holds and how the model came to be (docs/formats.md). Small, so that many models can
// be listed and compared without touching their arrays.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/artifact.h"

namespace bouquet {

inline constexpr int kFormatMajor = 1;  // another major cannot be read
inline constexpr int kFormatMinor = 8;  // a higher minor only adds what an older reader may ignore

// One array in one file of the directory.
struct Section {
  std::string name;            // "item_vectors"
  std::string file;            // a plain file name inside the directory
  std::string sha256;          // of the file, lower-case hexadecimal
  int64_t bytes = 0;           // the file's size: the product of the shape times the size of an element
  std::string type;            // char, u8, i32, i64, u64, f32, f64; little-endian
  std::vector<int64_t> shape;  // [n] or [rows, columns]
  bool required = true;        // a reader that does not know the section must refuse the artifact
  bool personal = false;       // data about customers
};

struct Manifest {
  int32_t major = kFormatMajor;
  int32_t minor = kFormatMinor;
  Artifact artifact;  // everything but the arrays and the version
  int64_t customer_count = 0;
  int64_t item_count = 0;
  int64_t pair_count = 0;
  std::vector<Section> sections;
};

std::string manifest_text(const Manifest& manifest);

// Every type, range and file name is checked; the arrays are not touched. Errors: DataLoss, naming the field and what is wrong.
absl::StatusOr<Manifest> parse_manifest(std::string_view text);

std::string_view transform_name(ValueTransform transform);  // constant, identity, log1p

}  // namespace bouquet
