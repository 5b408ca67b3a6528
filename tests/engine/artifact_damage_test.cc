// R10: whatever happens to the bytes of an artifact, it is refused and nothing crashes. First damage that the checksums see, then
// damage with checksums made to fit, which only the checks of the content can see.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "engine/artifact_files.h"
#include "engine/sha256.h"
#include "tests/engine/tiny_artifact.h"

namespace bouquet {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using testing::HasSubstr;

std::vector<std::string> files_of(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

class ArtifactDamage : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = scratch_.folder("v");
    ASSERT_TRUE(write_artifact(tiny_artifact(), folder_).ok());
    ASSERT_TRUE(open_artifact(folder_).ok());
  }

  std::string file(const std::string& name) const { return folder_ + "/" + name; }
  ordered_json manifest() const { return ordered_json::parse(read_file(file("manifest.json"))); }

  // Replaces the manifest and makes its checksum fit.
  void write_manifest_text(const std::string& text) const {
    overwrite(file("manifest.json"), text);
    overwrite(file("manifest.sha256"), sha256_hex(text.data(), text.size()) + "  manifest.json\n");
  }
  void write_manifest(const ordered_json& manifest) const { write_manifest_text(manifest.dump()); }

  // Replaces what one section holds and makes size, shape and checksums fit.
  template <typename T>
  void write_section(const std::string& name, const std::vector<T>& values) const {
    const std::string bytes(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
    ordered_json changed = manifest();
    for (auto& section : changed["sections"]) {
      if (section["name"] != name) continue;
      overwrite(file(section["file"].get<std::string>()), bytes);
      section["sha256"] = sha256_hex(bytes.data(), bytes.size());
      section["bytes"] = bytes.size();
      auto& shape = section["shape"];
      shape[0] = values.size() / (shape.size() == 2 ? shape[1].get<size_t>() : 1);
    }
    write_manifest(changed);
  }

  ordered_json& section(ordered_json& manifest, const std::string& name) const {
    for (auto& s : manifest["sections"])
      if (s["name"] == name) return s;
    ADD_FAILURE() << "no section " << name;
    return manifest["sections"][0];
  }

  // What the refusal says; the test fails where there is none.
  std::string refusal() const {
    const auto opened = open_artifact(folder_);
    EXPECT_FALSE(opened.ok()) << "accepted";
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kDataLoss);
    return std::string(opened.status().message());
  }
  // The refusal after `change` was made to the manifest, which then is as it was.
  std::string refusal_of(const std::function<void(ordered_json&)>& change) const {
    const std::string before = read_file(file("manifest.json"));
    ordered_json changed = ordered_json::parse(before);
    change(changed);
    write_manifest(changed);
    std::string message = refusal();
    write_manifest_text(before);
    EXPECT_TRUE(open_artifact(folder_).ok());
    return message;
  }

  TestFolder scratch_;
  std::string folder_;
};

TEST_F(ArtifactDamage, RefusesEveryByteFlip) {
  int64_t flips = 0, accepted = 0, total_bytes = 0;
  for (const std::string& path : files_of(folder_)) {
    const std::string whole = read_file(path);
    total_bytes += static_cast<int64_t>(whole.size());
    for (size_t i = 0; i < whole.size(); ++i)
      for (const int mask : {1 << (i % 8), 0x20, 0xff}) {
        std::string damaged = whole;
        damaged[i] = static_cast<char>(damaged[i] ^ mask);
        overwrite(path, damaged);
        ++flips;
        if (!open_artifact(folder_).ok()) continue;
        ++accepted;
        ADD_FAILURE() << "accepted: byte " << i << " of " << path << " with mask " << mask;
      }
    overwrite(path, whole);
  }
  EXPECT_EQ(accepted, 0);
  EXPECT_GT(flips, 3 * 6000);
  EXPECT_LE(total_bytes, 64 * 1024);
  EXPECT_TRUE(open_artifact(folder_).ok()) << "undamaged again";
}

TEST_F(ArtifactDamage, RefusesEveryTruncationAndEveryMissingFile) {
  for (const std::string& path : files_of(folder_)) {
    const std::string whole = read_file(path);
    for (size_t length = 0; length < whole.size(); ++length) {
      overwrite(path, whole.substr(0, length));
      ASSERT_FALSE(open_artifact(folder_).ok()) << path << " cut to " << length;
    }
    fs::remove(path);
    ASSERT_FALSE(open_artifact(folder_).ok()) << path << " gone";
    overwrite(path, whole + std::string(1, '\0'));
    ASSERT_FALSE(open_artifact(folder_).ok()) << path << " one byte longer";
    overwrite(path, whole);
  }
  EXPECT_TRUE(open_artifact(folder_).ok());
}

TEST_F(ArtifactDamage, RefusesFilesThatAreNoFiles) {
  const std::string path = file("profiles.bin"), elsewhere = scratch_.path() + "/elsewhere";
  fs::rename(path, elsewhere);
  fs::create_symlink(elsewhere, path);
  EXPECT_THAT(refusal(), HasSubstr("symbolic link"));
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(refusal(), HasSubstr("not a regular file"));
}

TEST_F(ArtifactDamage, RefusesPathsOutOfTheDirectory) {
  fs::copy_file(file("profiles.bin"), scratch_.path() + "/profiles.bin");
  for (const char* path : {"../profiles.bin", "/etc/passwd", "..", ".", "", ".hidden", "a/b", "./profiles.bin", "profiles.bin\n"})
    EXPECT_THAT(refusal_of([&](ordered_json& m) { section(m, "profiles")["file"] = path; }), HasSubstr("not the name of a file")) << path;
}

TEST_F(ArtifactDamage, NamesAnUnknownMajorFormat) {
  for (const int major : {0, 2, 2147483647})
    EXPECT_THAT(refusal_of([&](ordered_json& m) {
                  m = {{"format", {{"major", major}, {"minor", 0}}}};
                }),
                HasSubstr("format major " + std::to_string(major) + " is unknown"));
}

TEST_F(ArtifactDamage, NamesARequiredSectionThatItDoesNotKnow) {
  const std::string message = refusal_of([&](ordered_json& m) {
    ordered_json unknown = section(m, "item_gram");
    unknown["name"] = "attribute_maps";
    unknown["file"] = "attribute_maps.bin";
    m["sections"].push_back(unknown);
  });
  EXPECT_THAT(message, HasSubstr("section attribute_maps is required and unknown"));
}

TEST_F(ArtifactDamage, IgnoresAnOptionalSectionAndFieldsThatItDoesNotKnow) {
  ordered_json changed = manifest();
  ordered_json unknown = section(changed, "item_gram");
  unknown["name"] = "item_colours";
  unknown["file"] = "item_colours.bin";
  unknown["type"] = "rgb";
  unknown["required"] = false;
  unknown["later"] = nullptr;
  changed["sections"].push_back(unknown);
  changed["format"]["minor"] = 9;
  changed["later"] = {1, 2, 3};
  fs::copy_file(file("item_gram.bin"), file("item_colours.bin"));
  write_manifest(changed);
  const auto opened = open_artifact(folder_);
  EXPECT_TRUE(opened.ok()) << opened.status();
  overwrite(file("item_colours.bin"), "damaged");
  EXPECT_THAT(refusal(), HasSubstr("item_colours"));
}

TEST_F(ArtifactDamage, NamesAMissingRequiredSection) {
  for (const char* name : {"item_vectors", "profiles", "customer_id_slots", "history_offsets", "item_customers"})
    EXPECT_THAT(refusal_of([&](ordered_json& m) {
                  auto& all = m["sections"];
                  for (size_t i = 0; i < all.size(); ++i)
                    if (all[i]["name"] == name) all.erase(i--);
                }),
                HasSubstr("section " + std::string(name) + " is missing"));
}

TEST_F(ArtifactDamage, RefusesSectionsThatStandTwice) {
  EXPECT_THAT(refusal_of([&](ordered_json& m) { m["sections"].push_back(section(m, "profiles")); }), HasSubstr("stands there twice"));
  EXPECT_THAT(refusal_of([&](ordered_json& m) { section(m, "profiles")["file"] = "item_vectors.bin"; }), HasSubstr("stands there twice"));
}

TEST_F(ArtifactDamage, RefusesTypesAndShapesThatDoNotFit) {
  const auto changed = [&](const char* name, const char* field, const ordered_json& value) {
    return refusal_of([&](ordered_json& m) { section(m, name)[field] = value; });
  };
  EXPECT_THAT(changed("profiles", "type", "i32"), HasSubstr("'i32' where f32 belongs"));
  EXPECT_THAT(changed("item_id_bytes", "type", "u8"), HasSubstr("'u8' where char belongs"));
  EXPECT_THAT(changed("profiles", "shape", {6}), HasSubstr("number of extents"));
  EXPECT_THAT(changed("profiles", "shape", ordered_json::array()), HasSubstr("number of extents"));
  EXPECT_THAT(changed("profiles", "shape", {2, 3}), HasSubstr("rows of 3 numbers where the dimension is 2"));
  EXPECT_THAT(changed("profiles", "shape", {4, 2}), HasSubstr("takes 32 bytes, not 24"));
  EXPECT_THAT(changed("history_items", "shape", {4}), HasSubstr("takes 16 bytes, not 20"));
  EXPECT_THAT(changed("profiles", "shape", {-3, 2}), HasSubstr("not a count"));
  EXPECT_THAT(changed("profiles", "shape", {3.0, 2}), HasSubstr("not a count"));
  EXPECT_THAT(changed("profiles", "shape", {std::numeric_limits<int64_t>::max(), 2}), HasSubstr("impossibly large"));
  EXPECT_THAT(changed("history_offsets", "shape", {int64_t{1} << 61}), HasSubstr("impossibly large"));  // 2^61 * 8 is 0 modulo 2^64
  EXPECT_THAT(changed("profiles", "bytes", std::numeric_limits<uint64_t>::max()), HasSubstr("sections[36].bytes is not an integer"));
  EXPECT_THAT(changed("profiles", "bytes", 1e300), HasSubstr("bytes is not an integer"));
  EXPECT_THAT(changed("profiles", "sha256", "00"), HasSubstr("64 hexadecimal digits"));
  EXPECT_THAT(changed("profiles", "sha256", std::string(64, '0')), HasSubstr("does not have the checksum"));
}

// Each field of the manifest with a value of every wrong type, and without it: refused in words, never by an exception.
TEST_F(ArtifactDamage, RefusesEveryFieldOfTheManifestThatIsMissingOrOfAnotherType) {
  const ordered_json whole = manifest();
  const std::vector<ordered_json> others = {nullptr, true, -1, 1e300, "text", ordered_json::array({1}), ordered_json::object()};
  const auto kind = [](const ordered_json& value) {
    return value.is_number() ? 1 : value.is_boolean() ? 2 : 10 + static_cast<int>(value.type());
  };
  int64_t tried = 0;
  const ordered_json flat = whole.flatten();
  for (const auto& [name, value] : flat.items()) {
    ordered_json::json_pointer at(name);
    const bool may_be_null = name.starts_with("/metrics/") && value.is_number_float();  // NaN
    for (const ordered_json& other : others) {
      if (kind(other) == kind(value) || (may_be_null && other.is_null())) continue;
      ordered_json changed = whole;
      changed[at] = other;
      write_manifest(changed);
      ++tried;
      ASSERT_FALSE(open_artifact(folder_).ok()) << name << " = " << other;
    }
    if (at.parent_pointer().empty() || whole[at.parent_pointer()].is_array()) continue;
    ordered_json changed = whole;
    changed[at.parent_pointer()].erase(at.back());
    write_manifest(changed);
    ++tried;
    ASSERT_FALSE(open_artifact(folder_).ok()) << name << " missing";
  }
  EXPECT_GT(tried, 1000);
}

TEST_F(ArtifactDamage, RefusesManifestsThatAreNoManifests) {
  for (const std::string& text : {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("\"\xff\""),
                                  std::string(100000, '['), std::string("{\"format\": 1e999}"), std::string("\xef\xbb\xbf{")}) {
    write_manifest_text(text.c_str());
    EXPECT_THAT(refusal(), HasSubstr("manifest.json")) << text.substr(0, 20);
  }
  write_manifest_text(std::string(size_t{17} << 20, ' '));
  EXPECT_THAT(refusal(), HasSubstr("longer than"));
}

TEST_F(ArtifactDamage, RefusesSettingsOutOfRange) {
  const auto set = [&](const char* pointer, const ordered_json& value) {
    return refusal_of([&](ordered_json& m) { m[ordered_json::json_pointer(pointer)] = value; });
  };
  EXPECT_THAT(set("/dimension", 0), HasSubstr("dimension"));
  EXPECT_THAT(set("/dimension", 1025), HasSubstr("dimension"));
  EXPECT_THAT(set("/dimension", 1), HasSubstr("where the dimension is 1"));
  EXPECT_THAT(set("/customers", 2), HasSubstr("counts"));
  EXPECT_THAT(set("/items", 5), HasSubstr("counts"));
  EXPECT_THAT(set("/pairs", 4), HasSubstr("counts"));
  EXPECT_THAT(set("/constants/unobserved_weight", -1), HasSubstr("constants"));
  EXPECT_THAT(set("/recipe/solver", "quantum"), HasSubstr("'quantum'"));
  EXPECT_THAT(set("/recipe/regularization", 0), HasSubstr("regularization"));
  EXPECT_THAT(set("/events/max_history", 0), HasSubstr("max_history"));
  EXPECT_THAT(set("/events/types", ordered_json::array()), HasSubstr("event types"));
  EXPECT_THAT(set("/events/types/0/weight", 0), HasSubstr("weight"));
  EXPECT_THAT(set("/events/types/0/weight", 1e200), HasSubstr("weight"));  // infinite as a float
  EXPECT_THAT(set("/events/types/0/transform", "cube"), HasSubstr("'cube'"));
  EXPECT_THAT(set("/events/types/1/name", "purchase"), HasSubstr("registered twice"));
  EXPECT_THAT(set("/events/types/1/half_life_days", -1), HasSubstr("half_life"));
  EXPECT_THAT(set("/repurchase/share", 1.5), HasSubstr("share"));
  EXPECT_THAT(set("/baskets", -1), HasSubstr("baskets"));
  EXPECT_THAT(set("/baskets", 2), HasSubstr("of 2 baskets"));
}

// The same through the files: what validate() refuses is refused on opening, and so is what only the id tables know.
TEST_F(ArtifactDamage, RefusesBadContentWithGoodChecksums) {
  write_section<float>("profiles", {1, 2, 3, std::numeric_limits<float>::quiet_NaN(), 5, 6});
  EXPECT_THAT(refusal(), HasSubstr("profiles: row 1"));
  write_section<float>("profiles", {1, 2, 3, 4, 5, 6});
  ASSERT_TRUE(open_artifact(folder_).ok());
  write_section<int32_t>("history_items", {0, 1, 7, 0, 2});
  EXPECT_THAT(refusal(), HasSubstr("entry 2 is 7"));
}

TEST_F(ArtifactDamage, RefusesDamagedIdTablesWithGoodChecksums) {
  const auto good = id_table({"milk", "bread", "tea", "news"});
  const std::vector<uint64_t> slots(good.slots().begin(), good.slots().end());
  const auto with = [&](const std::string& name, const std::vector<uint64_t>& values) {
    const std::string before = read_file(file("manifest.json")), bytes = read_file(file(name + ".bin"));
    write_section(name, values);
    std::string message = refusal();
    overwrite(file(name + ".bin"), bytes);
    write_manifest_text(before);
    return message;
  };
  EXPECT_THAT(with("item_id_offsets", {0, 9, 4, 12, 16}), HasSubstr("item ids"));
  EXPECT_THAT(with("item_id_offsets", {0, 4, 9, 12, 400}), HasSubstr("item ids"));
  EXPECT_THAT(with("item_id_offsets", {}), HasSubstr("item ids"));
  EXPECT_THAT(with("item_id_slots", std::vector<uint64_t>(slots.begin(), slots.end() - 1)), HasSubstr("slot count"));
  EXPECT_THAT(with("item_id_slots", std::vector<uint64_t>(slots.size(), 0)), HasSubstr("every id once"));
  EXPECT_THAT(with("item_id_slots", std::vector<uint64_t>(slots.size(), 5)), HasSubstr("names no id"));
  EXPECT_THAT(with("item_id_slots", std::vector<uint64_t>(slots.size(), UINT64_MAX)), HasSubstr("names no id"));
  std::vector<uint64_t> moved = slots;
  std::rotate(moved.begin(), moved.begin() + 7, moved.end());
  EXPECT_THAT(with("item_id_slots", moved), HasSubstr("is not found at its index"));
  EXPECT_THAT(with("customer_id_offsets", {0, 3, 6}), HasSubstr("customer ids"));
  EXPECT_TRUE(open_artifact(folder_).ok());
}

// A process without a free descriptor for as long as this lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
    close(next);
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(next);
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ArtifactDamage, WhatTheSystemDoesNotGiveNowIsNone) {
  {
    const NoDescriptors none;
    const auto refused = open_artifact(folder_);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted) << refused.status();
  }
  EXPECT_TRUE(open_artifact(folder_).ok());
  fs::remove(file("manifest.sha256"));
  EXPECT_EQ(open_artifact(folder_).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace bouquet
