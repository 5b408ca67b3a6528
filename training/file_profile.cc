#include "training/file_profile.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "training/cell_values.h"

namespace bouquet::training {
namespace {

constexpr size_t kFirstRows = 5;
constexpr size_t kKeptBadRows = 20;
constexpr int64_t kFewCategories = 1000;

std::string plain_number(double value) { return cell_text(Cell::of_float(value)); }

class Profiler : public RowSink {
 public:
  explicit Profiler(FileProfile& profile) : profile_(profile) {}
  void start_block() {
    arena_.clear();
    bad_.clear();
  }
  void add_row(int64_t, std::span<const Cell> cells) override {
    ++profile_.rows;
    for (size_t c = 0; c < cells.size(); ++c) {
      profile_.columns[c].add(cells[c]);
      if (profile_.columns[c].first.size() < kFirstRows) profile_.columns[c].first.push_back(cell_text(cells[c]));
    }
  }
  void add_bad_row(int64_t row, std::string message) override {
    ++profile_.rows;
    ++profile_.bad_rows;
    if (bad_.size() < kKeptBadRows) bad_.emplace_back(row, std::move(message));
  }
  TextArena& arena() override { return arena_; }
  const std::vector<std::pair<int64_t, std::string>>& bad() const { return bad_; }

 private:
  FileProfile& profile_;
  TextArena arena_;
  std::vector<std::pair<int64_t, std::string>> bad_;
};

bool looks_like_a_date(std::string_view text) { return text.size() >= 10 && text[4] == '-' && text[7] == '-'; }

bool is_flag(std::string_view text) { return text == "true" || text == "false" || text == "True" || text == "False"; }

}  // namespace

void DistinctEstimate::add(std::string_view text) {
  const uint64_t hash = XXH3_64bits(text.data(), text.size());
  const auto rank = static_cast<uint8_t>(__builtin_clzll(hash << 12 | 0x800) + 1);
  uint8_t& highest = registers_[hash >> 52];
  highest = std::max(highest, rank);
}

int64_t DistinctEstimate::count() const {
  constexpr double kRegisters = 4096;
  double sum = 0;
  int empty = 0;
  for (const uint8_t rank : registers_) {
    sum += std::exp2(-static_cast<double>(rank));
    empty += rank == 0;
  }
  const double estimate = 0.7213 / (1 + 1.079 / kRegisters) * kRegisters * kRegisters / sum;
  if (estimate <= 2.5 * kRegisters && empty > 0) return std::llround(kRegisters * std::log(kRegisters / empty));
  return std::llround(estimate);
}

void ColumnProfile::add(const Cell& cell, bool texts_are_texts) {
  digest = digest * 0x9e3779b97f4a7c15ull + 1;
  if (cell.is_null()) {
    ++nulls;
    return;
  }
  const std::string text = cell_text(cell);
  digest += XXH3_64bits(text.data(), text.size());
  distinct.add(text);
  const bool is_text = cell.kind == Cell::Kind::kField || cell.kind == Cell::Kind::kText;
  const bool may_be_read = is_text && !texts_are_texts;
  double number = 0;
  if (cell.kind == Cell::Kind::kNested || cell.kind == Cell::Kind::kTexts || cell.kind == Cell::Kind::kNumbers) {
    ++lists;
    sets += cell.kind == Cell::Kind::kTexts;
    vectors += cell.kind == Cell::Kind::kNumbers;
  } else if (cell.kind == Cell::Kind::kBool || (may_be_read && is_flag(text))) {
    ++flags;
  } else if (cell.kind == Cell::Kind::kTime || cell.kind == Cell::Kind::kNaiveTime || (may_be_read && looks_like_a_date(text))) {
    TimeParser parser;
    int64_t time = 0;
    if (read_time(cell, parser, time) == nullptr) {
      earliest = times == 0 ? time : std::min(earliest, time);
      latest = times == 0 ? time : std::max(latest, time);
      ++times;
    }
  } else if ((!is_text || may_be_read) && read_number(cell, number) == nullptr) {
    smallest = numbers == 0 ? number : std::min(smallest, number);
    largest = numbers == 0 ? number : std::max(largest, number);
    ++numbers;
    integers += number == std::floor(number);
  } else if (text.find('|') != std::string::npos) {
    ++bars;
  }
  spaces += text.find(' ') != std::string::npos;
  shortest = values == 0 ? text.size() : std::min(shortest, text.size());
  longest = values == 0 ? text.size() : std::max(longest, text.size());
  ++values;
}

std::string ColumnProfile::type() const {
  if (values == 0) return "empty";
  if (times == values) return "time";
  if (flags == values) return "flag";
  if (integers == values) return "whole number";
  if (numbers == values) return "number";
  if (lists == values && vectors * 2 >= lists) return "vector";
  if (lists == values && sets * 2 >= lists) return "set of categories";
  if (lists == values) return "list";
  if (bars * 10 > values) return "set of categories";
  const int64_t different = distinct.count();
  return different <= kFewCategories && different * 10 <= values ? "category" : "text";
}

std::string ColumnProfile::range() const {
  if (values == 0 || lists == values || flags == values) return "";
  if (times == values) return cell_text(Cell::of(Cell::Kind::kTime, earliest)) + " to " + cell_text(Cell::of(Cell::Kind::kTime, latest));
  if (numbers == values) return plain_number(smallest) + " to " + plain_number(largest);
  return std::to_string(shortest) + " to " + std::to_string(longest) + " bytes";
}

absl::StatusOr<FileProfile> profile_file(const std::string& path, int64_t max_rows) {
  auto reader = open_table(path, {});
  if (!reader.ok()) return reader.status();
  FileProfile profile;
  profile.path = path;
  profile.format = (*reader)->format();
  const std::vector<std::string>& names = (*reader)->columns();
  Projection projection(names.size());
  for (size_t c = 0; c < names.size(); ++c) {
    projection.add(c, static_cast<int>(c));
    profile.columns.emplace_back().name = names[c];
  }
  Profiler profiler(profile);
  Block block;
  while (max_rows == 0 || profile.rows < max_rows) {
    const auto more = (*reader)->next_block(projection, block);
    if (!more.ok()) return more.status();
    if (!*more) break;
    profiler.start_block();
    if (auto status = (*reader)->parse(block, projection, profiler); !status.ok()) return status;
    for (const auto& [row, message] : profiler.bad())
      if (profile.first_bad_rows.size() < kKeptBadRows) profile.first_bad_rows.push_back((*reader)->place(block, row) + ": " + message);
  }
  return profile;
}

}  // namespace bouquet::training
