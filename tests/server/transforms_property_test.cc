// What a training makes of a row of a file, serving makes of the same values in a request, to the bit; and so does `encode_attributes`,
// which evaluation reads files with.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "engine/attribute_schema_json.h"
#include "server/request_attributes.h"
#include "training/attribute_files.h"
#include "training/dataset.h"

namespace bouquet::server {
namespace {

const std::vector<std::string> kWords = {"tea", "pot", "Ärmel", "green", "x1"};
constexpr int kAttributes = 7;

// What is written into a file and sent: an empty text is missing.
struct RawRow {
  std::string number, category, flag, text, set, weighted, vector;

  std::vector<const std::string*> cells() const { return {&number, &category, &flag, &text, &set, &weighted, &vector}; }
};
const std::vector<std::string> kNames = {"number", "category", "flag", "text", "set", "weighted", "vector"};

std::string words_apart(const std::string& between, const std::string& after = "") {
  std::string out;
  for (int n = *rc::gen::inRange(1, 4); n > 0; --n) out += (out.empty() ? "" : between) + *rc::gen::elementOf(kWords) + after;
  return out;
}

RawRow any_row() {
  RawRow row;
  row.number = std::to_string(*rc::gen::inRange(-5000, 5000)) + "." + std::to_string(*rc::gen::inRange(0, 1000));
  row.category = *rc::gen::elementOf(kWords);
  row.flag = *rc::gen::elementOf(std::vector<std::string>{"true", "false"});
  row.text = words_apart(" ");
  row.set = words_apart("|");
  row.weighted = words_apart("|", ":" + std::to_string(*rc::gen::inRange(1, 9)));
  row.vector = std::to_string(*rc::gen::inRange(-9, 9)) + ".25|" + std::to_string(*rc::gen::inRange(1, 9)) + ".5";
  for (std::string* cell : {&row.number, &row.category, &row.flag, &row.text, &row.set, &row.weighted, &row.vector})
    if (*rc::gen::inRange(0, 5) == 0) cell->clear();
  return row;
}

// Of the values alone: as a client has them.
void send(const RawRow& row, v1::RecommendRequest& request) {
  auto& sent = *request.mutable_attributes();
  if (!row.number.empty()) sent["number"].set_number(std::stod(row.number));
  if (!row.category.empty()) sent["category"].set_text(row.category);
  if (!row.flag.empty()) sent["flag"].set_flag(row.flag == "true");
  if (!row.text.empty()) sent["text"].set_text(row.text);
  const auto put_list = [&](const std::string& name, const std::string& list) {
    for (size_t begin = 0; !list.empty() && begin <= list.size();) {
      const size_t end = std::min(list.find('|', begin), list.size());
      sent[name].mutable_texts()->add_values(list.substr(begin, end - begin));
      begin = end + 1;
    }
  };
  put_list("set", row.set);
  put_list("weighted", row.weighted);
  if (row.vector.empty()) return;
  const size_t bar = row.vector.find('|');
  sent["vector"].mutable_vector()->add_values(std::stof(row.vector.substr(0, bar)));
  sent["vector"].mutable_vector()->add_values(std::stof(row.vector.substr(bar + 1)));
}

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("transforms_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string write(const std::vector<RawRow>& rows) const {
    std::ofstream out(path_ / "customers.csv");
    out << "customer_id";
    for (const std::string& name : kNames) out << "," << name;
    for (size_t r = 0; r < rows.size(); ++r) {
      out << "\nc" << r;
      for (const std::string* cell : rows[r].cells()) out << "," << *cell;
    }
    out << "\n";
    return (path_ / "customers.csv").string();
  }

 private:
  std::filesystem::path path_;
};

training::AttributeSource source_of(const std::string& file) {
  training::AttributeSource source;
  source.files = {file};
  constexpr AttributeType kTypes[kAttributes] = {AttributeType::kNumber, AttributeType::kCategory, AttributeType::kFlag,
                                                 AttributeType::kText,   AttributeType::kSet,      AttributeType::kSet,
                                                 AttributeType::kVector};
  for (size_t a = 0; a < kAttributes; ++a) source.settings[kNames[a]] = {.type = kTypes[a], .min_count = 1};
  source.settings["weighted"].weighted = true;
  source.settings["text"].bits = 5;
  return source;
}

void must_be_equal(const AttributeRows& rows, int64_t r, const EncodedRow& served) {
  RC_ASSERT(std::ranges::equal(rows.dense_row(r), served.dense));
  RC_ASSERT(std::ranges::equal(rows.row_columns(r), served.columns));
  RC_ASSERT(std::ranges::equal(rows.row_values(r), served.values));
}

RC_GTEST_PROP(Transforms, AreTheSameInTrainingServingAndEvaluation, ()) {
  std::vector<RawRow> rows;
  for (int n = *rc::gen::inRange(2, 9); n > 0; --n) rows.push_back(any_row());
  IdMap ids;
  for (size_t r = 0; r < rows.size(); ++r) ids.add("c" + std::to_string(r));
  const Folder folder;
  const training::AttributeSource source = source_of(folder.write(rows));
  training::ReadReport report;
  const auto trained = training::read_attributes(source, ids, {}, report);
  RC_ASSERT(trained.ok());
  RC_PRE(!trained->schema.empty());
  // Serving has the schema from a file.
  auto stored = parse_attribute_schema(attribute_schema_text(trained->schema));
  RC_ASSERT(stored.ok());
  const EncodedAttributes known{*std::move(stored), {}};
  RequestAttributes serving(known);
  training::AttributeSource again = source;
  again.settings.clear();
  const auto evaluated = training::encode_attributes(again, known.schema, ids, report);
  RC_ASSERT(evaluated.ok());
  EncodedRow served;
  for (size_t r = 0; r < rows.size(); ++r) {
    v1::RecommendRequest request;
    send(rows[r], request);
    // What says nothing in these rows is no attribute of the model.
    for (const std::string& name : kNames)
      if (known.schema.find(name) == kNone) request.mutable_attributes()->erase(name);
    RC_ASSERT(serving.encode({}, request.attributes(), nullptr, served).ok());
    must_be_equal(trained->table.rows(), static_cast<int64_t>(r), served);
    must_be_equal(evaluated->table.rows(), static_cast<int64_t>(r), served);
    const std::string bytes = request.SerializeAsString();
    std::string rest;
    const auto wire = WireAttributes::split(bytes, kAttributes, rest);
    RC_ASSERT(wire.has_value());
    RC_ASSERT(wire->count() == request.attributes_size());
    RC_ASSERT(serving.encode({}, {AttributeMap(), &*wire}, nullptr, served).ok());
    must_be_equal(trained->table.rows(), static_cast<int64_t>(r), served);
  }
}

}  // namespace
}  // namespace bouquet::server
