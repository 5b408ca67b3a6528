#include "engine/artifact_files.h"

#include <bit>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>

#include "engine/artifact_sections.h"
#include "engine/attribute_schema_json.h"
#include "engine/catalog_columns_json.h"
#include "engine/errors.h"
#include "engine/file_access.h"
#include "engine/sha256.h"

namespace bouquet {
namespace {

static_assert(std::endian::native == std::endian::little, "sections are little-endian arrays, mapped as they are");

constexpr size_t kMaxManifestBytes = size_t{16} << 20;
constexpr char kManifestFile[] = "/manifest.json";
constexpr char kChecksumFile[] = "/manifest.sha256";

void step(const StepHook& hook, std::string_view name) {
  if (hook) hook(name);
}

// As `sha256sum` writes and checks it.
std::string checksum_line(std::string_view manifest) { return sha256_hex(manifest.data(), manifest.size()) + "  manifest.json\n"; }

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

IdParts take_apart(const IdTable& ids) {
  const SharedArray<uint64_t> no_ids(std::vector<uint64_t>{0});
  return {ids.bytes(), ids.offsets().empty() ? no_ids : ids.offsets(), ids.slots()};
}

SharedArray<char> bytes_of(const std::string& text) { return std::vector<char>(text.begin(), text.end()); }

SharedArray<char> schema_bytes(const AttributeSchema& schema) {
  return schema.empty() ? SharedArray<char>() : bytes_of(attribute_schema_text(schema));
}

SharedArray<char> column_bytes(const CatalogColumns& columns) {
  return columns.empty() ? SharedArray<char>() : bytes_of(catalog_columns_text(columns.columns));
}

// The schema of one side, and with it the shape of its table and prior.
absl::Status take_schema(const char* side, const SharedArray<char>& text, EncodedAttributes& attributes, AttributePrior& prior) {
  if (text.empty()) return absl::OkStatus();
  absl::StatusOr<AttributeSchema> schema = parse_attribute_schema({text.data(), static_cast<size_t>(text.size())});
  if (!schema.ok()) return bad_input(std::string(side) + " attribute schema: " + std::string(message_of(schema.status())));
  attributes.schema = *std::move(schema);
  attributes.table.column_count = attributes.schema.column_count();
  attributes.table.dense_count = attributes.schema.dense_count();
  if (prior.map.empty()) return absl::OkStatus();
  prior.dense_count = attributes.schema.dense_count();
  prior.missing_columns = attributes.schema.missing_columns();
  return absl::OkStatus();
}

absl::Status take_columns(const SharedArray<char>& text, CatalogColumns& columns) {
  if (text.empty()) return absl::OkStatus();
  auto read = parse_catalog_columns({text.data(), static_cast<size_t>(text.size())});
  if (!read.ok()) return bad_input("item columns: " + std::string(message_of(read.status())));
  columns.columns = *std::move(read);
  return absl::OkStatus();
}

Manifest manifest_of(const Artifact& artifact) {
  Manifest manifest;
  manifest.artifact = artifact;
  manifest.customer_count = artifact.model.customer_count();
  manifest.item_count = artifact.model.item_count();
  manifest.pair_count = artifact.histories.items.size();
  return manifest;
}

// Writes one array as a file and describes it.
template <typename T>
absl::StatusOr<Section> write_section(const SectionTraits& traits, const SharedArray<T>& array, int64_t dimension,
                                      const std::string& directory) {
  Section section;
  section.name = traits.name;
  section.file = section.name + ".bin";
  const auto bytes = std::as_bytes(array.view());
  section.sha256 = sha256_hex(bytes.data(), bytes.size());
  section.bytes = static_cast<int64_t>(bytes.size());
  section.type = element_type_name<T>();
  section.shape = traits.has_columns ? std::vector<int64_t>{array.size() / dimension, dimension} : std::vector<int64_t>{array.size()};
  section.required = traits.need != Need::kOptional;
  section.personal = traits.personal;
  if (absl::Status s = write_new_file(directory + "/" + section.file, bytes); !s.ok()) return s;
  return section;
}

absl::Status check_empty(const std::string& directory) {
  std::error_code error;
  const bool empty = std::filesystem::is_empty(directory, error);
  if (error) return no_resource("cannot write into " + directory + ": " + error.message());
  return empty ? absl::OkStatus() : no_resource("cannot write into " + directory + ": it is not empty");
}

// Whether the shape, the type and the size of a section agree with each other and with what this program keeps there.
absl::Status check_shape(const Section& section, const SectionTraits& traits, std::string_view type, int64_t element_bytes,
                         int64_t dimension) {
  const std::string at = "section " + section.name + ": ";
  if (section.type != type) return bad_input(at + "elements of type '" + section.type + "' where " + std::string(type) + " belongs");
  if (section.shape.size() != (traits.has_columns ? 2u : 1u)) return bad_input(at + "the shape has the wrong number of extents");
  if (traits.has_columns && section.shape[1] != dimension)
    return bad_input(at + "rows of " + std::to_string(section.shape[1]) + " numbers where the dimension is " + std::to_string(dimension));
  int64_t bytes = element_bytes;
  for (const int64_t extent : section.shape) {
    if (extent > 0 && bytes > std::numeric_limits<int64_t>::max() / extent) return bad_input(at + "the shape is impossibly large");
    bytes *= extent;
  }
  if (bytes != section.bytes)
    return bad_input(at + "its shape takes " + std::to_string(bytes) + " bytes, not " + std::to_string(section.bytes));
  return absl::OkStatus();
}

// Why an artifact cannot be read: whatever is missing in it or wrong is damage; what the system does not give now is not.
absl::Status unusable(const std::string& where, const absl::Status& why) {
  const std::string message = where + std::string(message_of(why));
  return absl::IsResourceExhausted(why) ? no_resource(message) : bad_input(message);
}

// The file of a section, mapped, after its size and checksum are found right.
absl::StatusOr<std::shared_ptr<const MappedFile>> map_section(const Section& section, const std::string& directory) {
  const std::string path = directory + "/" + section.file;
  auto file = MappedFile::map(path);
  if (!file.ok()) return unusable("section " + section.name + ": ", file.status());
  const auto bytes = (*file)->bytes();
  if (bytes.size() != static_cast<uint64_t>(section.bytes))
    return bad_input("section " + section.name + ": " + path + " has " + std::to_string(bytes.size()) + " bytes, not " +
                     std::to_string(section.bytes));
  if (sha256_hex(bytes.data(), bytes.size()) != section.sha256)
    return bad_input("section " + section.name + ": " + path + " does not have the checksum of the manifest");
  return file;
}

// Sections by name as they are claimed; what is left at the end is unknown to this program.
class SectionShelf {
 public:
  SectionShelf(const Manifest& manifest, std::string directory)
      : dimension_(manifest.artifact.model.dimension), directory_(std::move(directory)) {
    for (const Section& section : manifest.sections) unclaimed_[section.name] = &section;
  }

  template <typename T>
  absl::Status claim(const SectionTraits& traits, SharedArray<T>& array) {
    const auto found = unclaimed_.find(traits.name);
    if (found == unclaimed_.end()) {
      if (traits.need == Need::kRequired) return bad_input("section " + std::string(traits.name) + " is missing");
      return absl::OkStatus();
    }
    const Section& section = *found->second;
    unclaimed_.erase(found);
    if (absl::Status s = check_shape(section, traits, element_type_name<T>(), sizeof(T), dimension_); !s.ok()) return s;
    absl::StatusOr<std::shared_ptr<const MappedFile>> file = map_section(section, directory_);
    if (!file.ok()) return file.status();
    // Mapped at the start of a page, so every element type is aligned.
    const auto* elements = reinterpret_cast<const T*>((*file)->bytes().data());
    array = SharedArray<T>(*file, {elements, static_cast<size_t>(section.bytes) / sizeof(T)});
    return absl::OkStatus();
  }

  // A required section that nobody claimed changes the meaning of the others; an optional one is of a newer minor. Its file must
  // be whole all the same: damage is damage.
  absl::Status check_unclaimed() const {
    for (const auto& [name, section] : unclaimed_)
      if (section->required) return bad_input("section " + name + " is required and unknown to this program; a newer one may read it");
    for (const auto& [name, section] : unclaimed_)
      if (const auto file = map_section(*section, directory_); !file.ok()) return file.status();
    return absl::OkStatus();
  }

 private:
  int64_t dimension_;
  std::string directory_;
  std::map<std::string, const Section*> unclaimed_;
};

absl::Status check_counts(const Manifest& manifest, const Artifact& artifact) {
  if (manifest.customer_count == artifact.customer_ids.size() && manifest.item_count == artifact.item_ids.size() &&
      manifest.pair_count == artifact.histories.items.size())
    return absl::OkStatus();
  return bad_input("the counts of customers, items or pairs are not those of the sections");
}

absl::StatusOr<std::shared_ptr<const Artifact>> assemble(const Manifest& manifest, const std::string& directory) {
  ArtifactArrays arrays;
  arrays.artifact = manifest.artifact;
  SectionShelf shelf(manifest, directory);
  if (absl::Status s = for_each_section(arrays, [&](const auto& traits, auto& array) { return shelf.claim(traits, array); }); !s.ok())
    return s;
  if (absl::Status s = shelf.check_unclaimed(); !s.ok()) return s;
  const auto put_together = [](const IdParts& parts) { return IdTable::from_parts(parts.bytes, parts.offsets, parts.slots); };
  absl::StatusOr<IdTable> customer_ids = put_together(arrays.customer_ids);
  if (!customer_ids.ok()) return bad_input("customer ids: " + std::string(message_of(customer_ids.status())));
  absl::StatusOr<IdTable> item_ids = put_together(arrays.item_ids);
  if (!item_ids.ok()) return bad_input("item ids: " + std::string(message_of(item_ids.status())));
  Artifact& read = arrays.artifact;
  if (absl::Status s = take_schema("customer", arrays.customer_schema, read.customer_attributes, read.model.customer_prior); !s.ok())
    return s;
  if (absl::Status s = take_schema("item", arrays.item_schema, read.item_attributes, read.model.item_prior); !s.ok()) return s;
  if (absl::Status s = take_columns(arrays.item_columns, read.catalog.columns); !s.ok()) return s;
  auto artifact = std::make_shared<Artifact>(std::move(arrays.artifact));
  artifact->customer_ids = *std::move(customer_ids);
  artifact->item_ids = *std::move(item_ids);
  if (absl::Status s = validate(*artifact); !s.ok()) return s;
  if (absl::Status s = check_counts(manifest, *artifact); !s.ok()) return s;
  return artifact;
}

std::string without_trailing_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

absl::Status write_artifact(const Artifact& artifact, const std::string& directory, const StepHook& before_step) {
  if (absl::Status s = validate(artifact); !s.ok()) return s;
  if (absl::Status s = check_empty(directory); !s.ok()) return s;
  Manifest manifest = manifest_of(artifact);
  const ArtifactArrays arrays{artifact,
                              take_apart(artifact.customer_ids),
                              take_apart(artifact.item_ids),
                              schema_bytes(artifact.customer_attributes.schema),
                              schema_bytes(artifact.item_attributes.schema),
                              column_bytes(artifact.catalog.columns)};
  const auto write = [&](const SectionTraits& traits, const auto& array) -> absl::Status {
    if (traits.need != Need::kRequired && array.empty()) return absl::OkStatus();
    step(before_step, traits.name);
    absl::StatusOr<Section> section = write_section(traits, array, artifact.model.dimension, directory);
    if (section.ok()) manifest.sections.push_back(*std::move(section));
    return section.status();
  };
  if (absl::Status s = for_each_section(arrays, write); !s.ok()) return s;
  const std::string text = manifest_text(manifest);
  step(before_step, "manifest.json");
  if (absl::Status s = write_new_file(directory + kManifestFile, as_bytes(text)); !s.ok()) return s;
  step(before_step, "manifest.sha256");
  if (absl::Status s = write_new_file(directory + kChecksumFile, as_bytes(checksum_line(text))); !s.ok()) return s;
  step(before_step, "sync the folder");
  return sync_directory(directory);
}

absl::StatusOr<Manifest> read_manifest(const std::string& directory) {
  const absl::StatusOr<std::string> text = read_small_file(directory + kManifestFile, kMaxManifestBytes);
  if (!text.ok()) return text.status();
  const absl::StatusOr<std::string> checksum = read_small_file(directory + kChecksumFile, 256);
  if (!checksum.ok()) return unusable("", checksum.status());
  if (*checksum != checksum_line(*text)) return bad_input(directory + kManifestFile + ": does not have the checksum in manifest.sha256");
  absl::StatusOr<Manifest> manifest = parse_manifest(*text);
  if (!manifest.ok()) return bad_input(directory + kManifestFile + ": " + std::string(message_of(manifest.status())));
  manifest->artifact.version = std::filesystem::path(without_trailing_slash(directory)).filename().string();
  return manifest;
}

absl::StatusOr<std::shared_ptr<const Artifact>> open_artifact(const std::string& directory) {
  const absl::StatusOr<Manifest> manifest = read_manifest(directory);
  if (!manifest.ok()) return manifest.status();
  absl::StatusOr<std::shared_ptr<const Artifact>> artifact = assemble(*manifest, directory);
  if (!artifact.ok()) return unusable(directory + ": ", artifact.status());
  return artifact;
}

absl::StatusOr<std::string> content_hash(const std::string& directory) {
  const absl::StatusOr<std::string> text = read_small_file(directory + kManifestFile, kMaxManifestBytes);
  if (!text.ok()) return text.status();
  return sha256_hex(text->data(), text->size());
}

}  // namespace bouquet
