#include <zlib.h>
#include <zstd.h>

#include "tests/training/reader_fixture.h"

namespace bouquet::training {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(text.size() + 200, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstandard(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string many_rows() {
  std::string text = "customer_id,item_id\n";
  for (int64_t i = 0; i < 30000; ++i) text += "c" + std::to_string(i * 7919 % 1000) + ",i" + std::to_string(i * 104729 % 997) + "\n";
  return text;
}

std::string half(const std::string& bytes) { return bytes.substr(0, bytes.size() / 2); }

class CompressedReading : public ReaderTest {};

TEST_F(CompressedReading, GzipAndZstdGiveTheSameRowsAsPlainText) {
  const std::string text = many_rows();
  const auto plain = pairs(must_read(text));
  EXPECT_EQ(pairs(must_read(gzipped(text), "events.csv.gz")), plain);
  EXPECT_EQ(pairs(must_read(zstandard(text), "events.csv.zst")), plain);
}

TEST_F(CompressedReading, JoinedStreamsAreOneFile) {
  const std::string head = "customer_id,item_id\nann,a\n", tail = "ann,b\n";
  EXPECT_THAT(pairs(must_read(gzipped(head) + gzipped(tail), "events.csv.gz")), ElementsAre("ann:a", "ann:b"));
  EXPECT_THAT(pairs(must_read(gzipped(head + tail) + std::string(512, '\0'), "events.csv.gz")), ElementsAre("ann:a", "ann:b"));
  EXPECT_THAT(pairs(must_read(zstandard(head) + zstandard(tail), "events.csv.zst")), ElementsAre("ann:a", "ann:b"));
}

TEST_F(CompressedReading, EveryTruncationIsRefused) {
  const std::string text = "customer_id,item_id\nann,a\nbob,b\n";
  for (const auto& [bytes, name] : {std::pair{gzipped(text), "events.csv.gz"}, std::pair{zstandard(text), "events.csv.zst"}}) {
    for (size_t size = 1; size < bytes.size(); ++size)
      EXPECT_THAT(error(bytes.substr(0, size), name), HasSubstr("truncated")) << name << size;
    EXPECT_EQ(must_read(bytes, name).events.size(), 2);
  }
}

TEST_F(CompressedReading, TruncationInTheMiddleOfALargeFileIsRefused) {
  const std::string text = many_rows();
  EXPECT_THAT(error(half(gzipped(text)), "events.csv.gz"), HasSubstr("events.csv.gz: the gzip stream ends too early (truncated?)"));
  EXPECT_THAT(error(half(zstandard(text)), "events.csv.zst"), HasSubstr("events.csv.zst: the zstd stream ends too early"));
}

TEST_F(CompressedReading, DamageIsRefused) {
  const std::string text = many_rows();
  std::string bytes = gzipped(text);
  bytes[bytes.size() - 6] ^= 1;  // the checksum
  EXPECT_THAT(error(bytes, "events.csv.gz"), HasSubstr("the gzip stream is damaged"));
  bytes = zstandard(text);
  bytes[bytes.size() / 2] ^= 0x55;
  EXPECT_FALSE(read(bytes, "events.csv.zst").ok());
  EXPECT_THAT(error(gzipped(text) + "rubbish", "events.csv.gz"), HasSubstr("damaged"));
}

TEST_F(CompressedReading, OtherBytesAreRefused) {
  EXPECT_THAT(error("customer_id,item_id\nann,a\n", "events.csv.gz"), HasSubstr("is not a gzip file, though its name ends in .gz"));
  EXPECT_THAT(error("customer_id,item_id\nann,a\n", "events.csv.zst"), HasSubstr("is not a zstd file, though its name ends in .zst"));
  EXPECT_EQ(error("", "events.csv.gz"), "events.csv.gz: is empty (0 bytes)");
  EXPECT_EQ(error(gzipped(""), "events.csv.gz"), "events.csv.gz: is empty");
}

}  // namespace
}  // namespace bouquet::training
