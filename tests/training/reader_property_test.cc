// What a naive writer writes reads back the same, wherever blocks are cut.
#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

#include "tests/training/reader_fixture.h"
#include "training/table_reader.h"
#include "training/text_blocks.h"

namespace bouquet::training {
namespace {

using Row = std::vector<std::string>;

std::string written(const std::string& field, bool always_quoted) {
  if (!always_quoted && field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string out = "\"";
  for (const char c : field) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

class Collected : public RowSink {
 public:
  void add_row(int64_t, std::span<const Cell> cells) override {
    Row row;
    for (const Cell& cell : cells) row.emplace_back(cell.text);
    rows.push_back(row);
  }
  void add_bad_row(int64_t, std::string message) override { bad.push_back(message); }
  TextArena& arena() override { return arena_; }
  std::vector<Row> rows;
  std::vector<std::string> bad;

 private:
  TextArena arena_;
};

class CsvProperty : public ReaderTest {
 protected:
  Collected collect(const std::string& text, size_t block_bytes) {
    auto reader = open_table(write("rows.csv", text), {.block_bytes = block_bytes});
    EXPECT_TRUE(reader.ok()) << reader.status();
    Collected collected;
    if (!reader.ok()) return collected;
    Projection projection((*reader)->columns().size());
    for (size_t c = 0; c < (*reader)->columns().size(); ++c) projection.add(c, static_cast<int>(c));
    Block block;
    for (;;) {
      const auto more = (*reader)->next_block(projection, block);
      EXPECT_TRUE(more.ok()) << more.status();
      if (!more.ok() || !*more) return collected;
      EXPECT_TRUE((*reader)->parse(block, projection, collected).ok());
    }
  }
};

rc::Gen<std::string> any_field() { return rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab1 ,;\"\n\r\t\xc3"))); }

RC_GTEST_FIXTURE_PROP(CsvProperty, ReadsBackWhatANaiveWriterWrote, ()) {
  const auto columns = *rc::gen::inRange<size_t>(2, 5);
  const auto rows = *rc::gen::container<std::vector<Row>>(rc::gen::container<Row>(columns, any_field()));
  const bool always_quoted = *rc::gen::arbitrary<bool>();
  const std::string line_end = *rc::gen::element<std::string>("\n", "\r\n");
  const auto block_bytes = *rc::gen::inRange<size_t>(1, 200);
  std::string text;
  for (size_t c = 0; c < columns; ++c) text += (c > 0 ? ",column" : "column") + std::to_string(c);
  text += line_end;
  for (const Row& row : rows) {
    for (size_t c = 0; c < columns; ++c) text += (c > 0 ? "," : "") + written(row[c], always_quoted);
    text += line_end;
  }
  if (*rc::gen::arbitrary<bool>()) text.resize(text.size() - line_end.size());
  const Collected collected = collect(text, block_bytes);
  RC_ASSERT(collected.bad.empty());
  RC_ASSERT(collected.rows == rows);
}

RC_GTEST_FIXTURE_PROP(CsvProperty, BlocksDoNotChangeWhatUglyTextMeans, ()) {
  const auto body = *rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab,,,\"\"\"\n\n\r")));
  const std::string text = "a,b\n" + body + "\n";
  if (find_row_ends("a,b\n" + body + "\n", ',').open) return;  // refused as a whole
  const Collected whole = collect(text, 1 << 20);
  const Collected cut = collect(text, *rc::gen::inRange<size_t>(1, 20));
  RC_ASSERT(whole.rows == cut.rows);
  RC_ASSERT(whole.bad == cut.bad);
}

}  // namespace
}  // namespace bouquet::training
