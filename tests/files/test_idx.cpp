#include "files/idx.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/idx_files.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::files;
using graphrun::testing::gzip_bytes;
using graphrun::testing::idx_bytes;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;

namespace {

IdxArray read_bytes(const Bytes& bytes) {
  MemorySource source(bytes);
  return read_idx(source, bytes.size(), "file");
}

/// Whether reading these bytes is an Error{data} with this text.
bool refused(const Bytes& bytes, const std::string& part) {
  return throws([&] { read_bytes(bytes); }, ErrorCode::data, part);
}

}  // namespace

TEST_CASE("IDX values of other types than bytes are read, big-endian as they are") {
  const auto of = [](std::uint8_t code, const Bytes& data) {
    Bytes file{0, 0, code, 1, 0, 0, 0, 2};
    file.insert(file.end(), data.begin(), data.end());
    const IdxArray array = read_bytes(file);
    return as_f32(array.type, std::as_bytes(std::span(array.values)));
  };
  using Values = std::vector<float>;
  CHECK(of(0x09, {0xff, 3}) == Values{-1, 3});
  CHECK(of(0x0b, {1, 0, 0xff, 0xfe}) == Values{256, -2});
  CHECK(of(0x0c, {0, 0, 0, 7, 0, 1, 0, 0}) == Values{7, 65536});
  CHECK(of(0x0d, {0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0}) == Values{1, -2.5F});
  CHECK(of(0x0e, {0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 4, 0, 0, 0, 0, 0, 0}) == Values{1, -2.5F});
  CHECK(refused({0, 0, 0x0c, 1, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0}, "promises [2] values"));
}

TEST_CASE("IDX images and labels are read, plain and compressed") {
  const TemporaryFolder folder;
  const Bytes images = idx_bytes({2, 1, 3}, {1, 2, 3, 4, 5, 255});
  write_file(folder / "plain", images);
  write_file(folder / "compressed", gzip_bytes(images));
  for (const char* name : {"plain", "compressed"}) {
    const IdxArray array = read_idx(folder / name);
    CHECK(array.shape == std::vector<std::size_t>{2, 1, 3});
    CHECK(array.values == Bytes{1, 2, 3, 4, 5, 255});
  }
  CHECK(read_bytes(idx_bytes({3}, {7, 8, 9})).values == Bytes{7, 8, 9});
  CHECK(read_bytes(idx_bytes({0, 28, 28}, {})).values.empty());
  CHECK(read_bytes(idx_bytes({1, 2, 1, 2}, {1, 2, 3, 4})).shape.size() == 4);
}

TEST_CASE("what is no IDX file is told apart") {
  CHECK(refused({0x93, 'N', 'U', 'M', 'P', 'Y'}, "is no IDX file: it begins with bytes 93 4e 55 4d"));
  CHECK(refused({0x93, 'N', 'U', 'M', 'P', 'Y'}, "looks like NPY"));
  CHECK(refused({0x89, 'P', 'N', 'G'}, "looks like a PNG"));
  CHECK(refused({'P', 'K', 3, 4}, "looks like a zip"));
  CHECK(refused({'<', 'h', 't', 'm', 'l'}, "looks like a web page"));
  CHECK(refused({0, 0, 0x0a, 1, 0, 0, 0, 0}, "type 0x0a; 0x08 (u8), 0x09 (i8)"));
  CHECK(refused({0, 0, 8, 0}, "has 0 IDX dimensions"));
  CHECK(refused({0, 0, 8, 5}, "has 5 IDX dimensions; 1 to 4"));
}

TEST_CASE("IDX cut off at every byte is an error, plain and compressed") {
  const TemporaryFolder folder;
  const Bytes plain = idx_bytes({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  for (const Bytes& whole : {plain, gzip_bytes(plain)}) {
    write_file(folder / "cut", whole);
    for (std::size_t size = whole.size(); size-- > 0;) {
      std::filesystem::resize_file(folder / "cut", size);
      REQUIRE(throws([&] { read_idx(folder / "cut"); }, ErrorCode::data, "cut"));
    }
  }
}

TEST_CASE("IDX that is too short, too long, or promises too much") {
  CHECK(refused({0, 0, 8}, "ends within its IDX header"));
  CHECK(refused({0, 0, 8, 1, 0, 0}, "ends within its IDX header"));
  CHECK(refused(idx_bytes({2, 3}, {1, 2, 3, 4, 5}), "promises [2, 3] values, more than the 17 bytes"));
  CHECK(refused(idx_bytes({2, 3}, {1, 2, 3, 4, 5, 6, 7}), "goes on after the [2, 3] values"));
  CHECK(refused(idx_bytes({0xffffffff, 0xffffffff, 0xffffffff, 16}, {}), "more than the 4294967296"));
  CHECK(refused(idx_bytes({65536, 65536}, {}), "believed to hold: it is cut off, or its header is wrong"));
}

TEST_CASE("compressed IDX that promises more than it holds or holds more than it promises") {
  const TemporaryFolder folder;
  const auto refused_file = [&](const Bytes& bytes, const std::string& part) {
    write_file(folder / "a.gz", gzip_bytes(bytes));
    return throws([&] { read_idx(folder / "a.gz"); }, ErrorCode::data, part);
  };
  CHECK(refused_file(idx_bytes({2, 3}, {1, 2, 3, 4, 5}), "ends after 5 of 6"));
  CHECK(refused_file(idx_bytes({2, 3}, {1, 2, 3, 4, 5, 6, 7}), "goes on after"));
  CHECK(refused_file(idx_bytes({60000, 28, 28}, {}),
                     "believed to hold: it is cut off, or its header is wrong"));
}
