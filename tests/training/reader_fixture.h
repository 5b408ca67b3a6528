// A folder of small files to read, and short ways to read them.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/errors.h"
#include "training/event_reader.h"

namespace bouquet::training {

class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "bouquet-reader-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    options_.threads = 2;
  }
  ~ReaderTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, std::string_view text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return path(name);
  }

  // Reads one file of this text.
  absl::StatusOr<Dataset> read(std::string_view text, const std::string& name = "events.csv") {
    options_.event_files = {write(name, text)};
    return read_dataset(options_);
  }
  Dataset must_read(std::string_view text, const std::string& name = "events.csv") {
    auto dataset = read(text, name);
    if (!dataset.ok()) {
      ADD_FAILURE() << message_of(dataset.status());
      return {};
    }
    return *std::move(dataset);
  }
  // The message of the error that reading must give, without the folder.
  std::string error(std::string_view text, const std::string& name = "events.csv") { return error_of(read(text, name).status()); }
  std::string error_of(const absl::Status& status) const {
    EXPECT_FALSE(status.ok()) << "reading succeeded";
    std::string message(message_of(status));
    const std::string prefix = folder_.string() + "/";
    for (size_t at = message.find(prefix); at != std::string::npos; at = message.find(prefix)) message.erase(at, prefix.size());
    return message;
  }

  // "ann:apple" for each event, in the order of the log.
  static std::vector<std::string> pairs(const Dataset& dataset) {
    std::vector<std::string> out;
    for (size_t e = 0; e < dataset.events.customers.size(); ++e) {
      const CustomerIndex customer = dataset.events.customers[e];
      out.push_back((customer == kNone ? std::string() : std::string(dataset.customers.id(customer))) + ":" +
                    std::string(dataset.items.id(dataset.events.items[e])));
    }
    return out;
  }

  std::filesystem::path folder_;
  ReadOptions options_;
};

}  // namespace bouquet::training
