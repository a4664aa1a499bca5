#include "files/gzip.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::files;
using graphrun::testing::gzip_bytes;
using graphrun::testing::throws;

namespace {

/// All that is in `file`, read `step` bytes at a time.
Bytes decompressed(std::span<const std::uint8_t> file, std::size_t step = 7) {
  MemorySource memory(file);
  GzipSource source(memory, "file.gz");
  Bytes all;
  Bytes piece(step);
  while (const std::size_t got = source.read(piece)) {
    all.insert(all.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
  }
  CHECK(source.read(piece) == 0);
  return all;
}

Bytes numbered(std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(i * 31);
  return bytes;
}

Bytes joined(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

TEST_CASE("CRC-32 of the usual check value, whole and in pieces") {
  const auto bytes = as_bytes("123456789");
  CHECK(crc32(bytes) == 0xcbf43926);
  CHECK(crc32(bytes.subspan(4), crc32(bytes.first(4))) == 0xcbf43926);
}

TEST_CASE("gzip is decompressed whatever the pieces") {
  const Bytes bytes = numbered(60000);
  for (const std::size_t step : {1U, 100U, 100000U}) CHECK(decompressed(gzip_bytes(bytes), step) == bytes);
  CHECK(decompressed(gzip_bytes({})).empty());
}

TEST_CASE("gzip with real compression") {
  // printf 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' | gzip -n9
  const Bytes file{0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x4c,
                   0x24, 0x0e, 0x00, 0x00, 0x25, 0x8a, 0x5b, 0xc9, 0x28, 0x00, 0x00, 0x00};
  MemorySource memory(file);
  GzipSource source(memory, "file.gz");
  Bytes text(100);
  CHECK(source.read_all(text) == 40);
  CHECK(text[39] == 'a');
}

TEST_CASE("several gzip members behind each other are one stream") {
  const Bytes bytes = numbered(500);
  CHECK(decompressed(joined(gzip_bytes(bytes), gzip_bytes(bytes))) == joined(bytes, bytes));
  CHECK(decompressed(joined(gzip_bytes({}), gzip_bytes(bytes))) == bytes);
}

TEST_CASE("a gzip file cut off anywhere is an error") {
  const Bytes whole = gzip_bytes(numbered(40));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE(throws([&] { decompressed(cut); }, ErrorCode::data, "file.gz: error: the gzip data is cut off"));
  }
}

TEST_CASE("a damaged gzip file is an error") {
  const Bytes whole = gzip_bytes(numbered(40));
  const auto damaged_at = [&](std::size_t index) {
    Bytes damaged = whole;
    damaged[index] ^= 1;
    return [damaged] { decompressed(damaged); };
  };
  CHECK(throws(damaged_at(0), ErrorCode::data, "damaged: incorrect header check"));
  CHECK(throws(damaged_at(20), ErrorCode::data, "damaged: incorrect data check"));
  CHECK(throws(damaged_at(whole.size() - 8), ErrorCode::data, "damaged: incorrect data check"));
  CHECK(throws(damaged_at(whole.size() - 1), ErrorCode::data, "damaged: incorrect length check"));
}

TEST_CASE("zeros behind the last gzip member are padding") {
  const Bytes bytes = numbered(40);
  const Bytes two = joined(gzip_bytes(bytes), gzip_bytes(bytes));
  for (const std::size_t zeros : {1U, 3U, 512U, 200'000U}) {
    CHECK(decompressed(joined(gzip_bytes(bytes), Bytes(zeros, 0))) == bytes);
    CHECK(decompressed(joined(two, Bytes(zeros, 0)), 100'000) == joined(bytes, bytes));
  }
}

TEST_CASE("other bytes behind the last gzip member are an error") {
  const Bytes whole = gzip_bytes(numbered(40));
  CHECK(throws([&] { decompressed(joined(whole, {'x'})); }, ErrorCode::data, "gzip data is"));
  for (const std::size_t zeros : {1U, 200'000U}) {
    const Bytes padded = joined(whole, Bytes(zeros, 0));
    CHECK(throws([&] { decompressed(joined(padded, {'x'})); }, ErrorCode::data,
                 "damaged: other bytes stand behind the zeros at its end"));
    CHECK(throws([&] { decompressed(joined(padded, whole)); }, ErrorCode::data, "behind the zeros"));
  }
}
