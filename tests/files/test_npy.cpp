#include <cmath>
#include <cstring>
#include <limits>

#include "files/file.hpp"
#include "files/npy.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::files;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::throws;

namespace {

/// An NPY file with this header and so many bytes 0, 1, 2, … of data.
Bytes npy(const std::string& header, std::size_t payload, std::uint8_t version = 1) {
  Bytes bytes{0x93, 'N', 'U', 'M', 'P', 'Y', version, 0};
  for (std::size_t i = 0; i < (version == 1 ? 2U : 4U); ++i) {
    bytes.push_back(static_cast<std::uint8_t>(header.size() >> (8 * i)));
  }
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (std::size_t i = 0; i < payload; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  return bytes;
}

NpyArray read_bytes(const Bytes& bytes) {
  MemorySource source(bytes);
  return read_npy(source, bytes.size(), "a.npy");
}

bool refused(const Bytes& bytes, const std::string& part) {
  return throws([&] { read_bytes(bytes); }, ErrorCode::data, part);
}

std::string header(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }    \n";
}

}  // namespace

TEST_CASE("NPY: what is written is read, and looks as NumPy writes it") {
  const TemporaryFolder folder;
  const std::vector<float> values{1.5F, -0.0F, 3e-40F, 4, 5, 6};
  write_npy(folder / "a", StoredType::f32, std::vector<std::size_t>{2, 3}, std::as_bytes(std::span(values)));
  const NpyArray array = read_npy(folder / "a");
  CHECK(array.type == StoredType::f32);
  CHECK(array.shape == std::vector<std::size_t>{2, 3});
  REQUIRE(array.bytes.size() == 24);
  CHECK(std::memcmp(array.bytes.data(), values.data(), 24) == 0);
  const std::string text = read_text_file(folder / "a", 1000);
  CHECK(text.size() == 128 + 24);
  CHECK(text.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(text.substr(10, 118) ==
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" + std::string(58, ' ') + "\n");
}

TEST_CASE("NPY: every type, rank and version") {
  const TemporaryFolder folder;
  const std::vector<std::int32_t> numbers{-1, 7};
  write_npy(folder / "a", StoredType::i32, std::vector<std::size_t>{2}, std::as_bytes(std::span(numbers)));
  CHECK(read_npy(folder / "a").type == StoredType::i32);
  CHECK(read_npy(folder / "a").shape == std::vector<std::size_t>{2});
  CHECK(read_bytes(npy(header("<f8", "(1, 1)"), 8)).type == StoredType::f64);
  CHECK(read_bytes(npy(header("<i8", "(1,)"), 8)).type == StoredType::i64);
  CHECK(read_bytes(npy(header("|u1", "(3,)"), 3)).bytes[2] == std::byte{2});
  CHECK(read_bytes(npy(header("<f4", "()"), 4)).shape.empty());
  CHECK(read_bytes(npy(header("<f4", "(0, 5)"), 0)).bytes.empty());
  CHECK(read_bytes(npy(header("<f4", "(2L, 1L)"), 8)).shape == std::vector<std::size_t>{2, 1});
  for (const std::uint8_t version : Bytes{2, 3})
    CHECK(read_bytes(npy(header("<f4", "(2,)"), 8, version)).shape[0] == 2);
  CHECK(read_bytes(npy("{\"shape\":(1,),\"fortran_order\":True,\"descr\":\"<f4\"}", 4)).shape[0] == 1);
}

TEST_CASE("NPY: Fortran order is transposed") {
  const NpyArray array = read_bytes(npy(header("|u1", "(2, 3)", "True"), 6));
  const std::vector<int> expected{0, 2, 4, 1, 3, 5};
  for (std::size_t i = 0; i < 6; ++i) CHECK(std::to_integer<int>(array.bytes[i]) == expected[i]);
  const NpyArray cube = read_bytes(npy(header("|u1", "(2, 1, 2)", "True"), 4));
  CHECK(std::to_integer<int>(cube.bytes[1]) == 2);
}

TEST_CASE("NPY: half precision, small integers, truth values, and either order of bytes") {
  const auto of = [](const std::string& descr, const Bytes& data) {
    Bytes file = npy(header(descr, "(2,)"), 0);
    file.insert(file.end(), data.begin(), data.end());
    const NpyArray array = read_bytes(file);
    return as_f32(array.type, array.bytes);
  };
  using Values = std::vector<float>;
  CHECK(of("<f2", {0x00, 0x3c, 0x00, 0xc1}) == Values{1, -2.5F});
  CHECK(of(">f2", {0x3c, 0x00, 0xc1, 0x00}) == Values{1, -2.5F});
  CHECK(of("<i2", {0xff, 0xff, 0x00, 0x01}) == Values{-1, 256});
  CHECK(of(">u2", {0xff, 0xff, 0x01, 0x00}) == Values{65535, 256});
  CHECK(of("|i1", {0x80, 0x7f}) == Values{-128, 127});
  CHECK(of("|b1", {0, 1}) == Values{0, 1});
  CHECK(of(">i4", {0, 0, 1, 0, 0xff, 0xff, 0xff, 0xfe}) == Values{256, -2});
  CHECK(of(">f8", {0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0}) == Values{1, -2});
}

TEST_CASE("half precision is read exactly, to its smallest and largest numbers") {
  CHECK(from_f16(0x0001) == 0x1p-24F);
  CHECK(from_f16(0x8001) == -0x1p-24F);
  CHECK(from_f16(0x03ff) == 0x3ffp-24F);
  CHECK(from_f16(0x0400) == 0x1p-14F);
  CHECK(from_f16(0x7bff) == 65504);
  CHECK(std::signbit(from_f16(0x8000)));
  CHECK(from_f16(0xfc00) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(from_f16(0x7e00)));
  CHECK(from_bf16(0x3f80) == 1);
  CHECK(from_bf16(0xc020) == -2.5F);
}

TEST_CASE("NPY: types that are not read, and why") {
  const auto of_type = [](const std::string& descr) { return npy(header(descr, "(1,)"), 8); };
  CHECK(refused(of_type("|O"), "holds Python objects, which are never read"));
  CHECK(refused(of_type("<f16"), "holds values of type '<f16'; numbers of f2, f4, f8,"));
  CHECK(refused(of_type(""), "holds values of type ''"));
  CHECK(refused(of_type("<c8"), "holds values of type '<c8'"));
  CHECK(refused(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 4),
                "structures are not read"));
}

TEST_CASE("NPY: texts are read as UTF-8, without what fills them up") {
  const auto texts = [](const std::string& descr, const Bytes& data) {
    Bytes file = npy(header(descr, "(2,)"), 0);
    file.insert(file.end(), data.begin(), data.end());
    MemorySource source(file);
    return std::get<NpyTexts>(read_npy_content(source, file.size(), "a.npy")).values;
  };
  using Texts = std::vector<std::string>;
  CHECK(texts("|S3", {'c', 'a', 't', 'o', 'x', 0}) == Texts{"cat", "ox"});
  CHECK(texts("|S2", {0xc3, 0xa9, 0, 0}) == Texts{"\u00e9", ""});
  CHECK(texts("<U1", {0xe9, 0, 0, 0, '=', 0, 0, 0}) == Texts{"\u00e9", "="});
  CHECK(texts("<U1", {0x00, 0xf6, 0x01, 0, 0xac, 0x20, 0, 0}) == Texts{"\U0001F600", "\u20ac"});
  CHECK(texts(">U1", {0, 0, 0x20, 0xac, 0, 0, 0, 'x'}) == Texts{"\u20ac", "x"});
  const auto is_refused = [&](const std::string& descr, const Bytes& data, const std::string& part) {
    return throws([&] { texts(descr, data); }, ErrorCode::data, part);
  };
  CHECK(is_refused("|S1", {'a', 0xff}, "not UTF-8 in text 1"));
  CHECK(is_refused("<U1", {0, 0xd8, 0, 0, 'a', 0, 0, 0}, "holds 0xd800 in text 0, which is no character"));
  CHECK(is_refused("<U1", {'a', 0, 0, 0}, "holds 4 bytes of data, which an array"));
  CHECK(is_refused("|S0", {}, "holds texts of type '|S0'"));
  CHECK(is_refused("<Ux", {}, "holds texts of type '<Ux'"));
  CHECK(refused(npy(header("|S4", "(2,)"), 8), "holds texts, and numbers are expected here"));
}

TEST_CASE("NPY: headers outside the grammar") {
  const auto wrong = [](const std::string& text, const std::string& part) {
    return refused(npy(text, 4), part);
  };
  CHECK(wrong("", "'{' is missing (at character 1)"));
  CHECK(wrong("{'descr': '<f4'}", "'descr', 'fortran_order' or 'shape' is missing"));
  CHECK(wrong(header("<f4", "(1,)") + "x", "more text behind it"));
  CHECK(wrong("{'descr': '<f4', 'descr': '<f4'}", "a key is there twice"));
  CHECK(wrong("{'other': 1}", "unknown key 'other'"));
  CHECK(wrong("{'descr: 1}", "a quote is not closed"));
  CHECK(wrong("{'de\\x73cr': 1}", "escapes are not read"));
  CHECK(wrong("{'fortran_order': 1}", "True or False is missing"));
  CHECK(wrong(header("<f4", "(1)"), "a tuple of one needs a comma"));
  CHECK(wrong(header("<f4", "(-1,)"), "no whole number from 0 up"));
  CHECK(wrong(header("<f4", "(1.0,)"), "')' is missing"));
  CHECK(wrong(header("<f4", "(99999999999999999999,)"), "no whole number from 0 up"));
  CHECK(wrong(header("<f4", "(__import__('os'),)"), "no whole number from 0 up"));
  CHECK(wrong(header("<f4", "(,)"), "no whole number from 0 up"));
  std::string many = "(";
  for (int i = 0; i < 40; ++i) many += "1,";
  CHECK(wrong(header("<f4", many + ")"), "more than 32 dimensions"));
}

TEST_CASE("NPY: what is no NPY file, another version, a header too long") {
  CHECK(refused({'x', 1, 2, 3, 4, 5, 6, 7, 8}, "is no NPY file"));
  CHECK(refused(npy(header("<f4", "(1,)"), 4, 4), "has NPY version 4.0"));
  CHECK(refused(npy(std::string(10001, ' '), 0, 2), "has an NPY header of 10001 characters; at most 10000"));
  CHECK(refused({0x93, 'N', 'U', 'M', 'P', 'Y', 2, 0, 255, 255, 255, 255}, "4294967295 characters"));
}

TEST_CASE("NPY: data that does not fit the shape") {
  CHECK(refused(npy(header("<f4", "(2,)"), 7),
                "holds 7 bytes of data, which an array of shape [2] and type <f4"));
  CHECK(refused(npy(header("<f4", "(2,)"), 9), "holds 9 bytes"));
  CHECK(refused(npy(header("<f4", "(4294967296, 4294967296, 16)"), 0), "shape [4294967296, 4294967296, 16]"));
  CHECK(refused(npy(header("<f4", "(1000000000, 1000)"), 4), "holds 4 bytes"));
  const TemporaryFolder folder;
  CHECK(throws([&] { write_npy(folder / "a", StoredType::f32, std::vector<std::size_t>{2}, {}); },
               ErrorCode::usage, "an array of shape [2] is given 0 bytes"));
}

TEST_CASE("NPY: cut off at every byte") {
  const Bytes whole = npy(header("<f4", "(2, 1)"), 8);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    REQUIRE(refused(cut, "a.npy: error: "));
  }
}
