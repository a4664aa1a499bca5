#include <array>
#include <chrono>
#include <cstring>
#include <random>

#include "files/safetensors.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::files;
using graphrun::testing::TemporaryFolder;
using graphrun::testing::thrown;
using graphrun::testing::throws;
namespace fs = std::filesystem;

namespace {

template <class T>
std::vector<std::byte> stored(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// One tensor of each type, a scalar, an empty one, and metadata that needs escapes.
struct Example {
  std::vector<float> f32{1.5F, -0.0F, 3e-40F, 1e30F, 5, 6};
  std::vector<double> f64{0.1};
  std::vector<std::int32_t> i32{-1, 2};
  std::vector<std::int64_t> i64{std::int64_t{-1} << 40};
  std::vector<std::uint8_t> u8{1, 2, 255};
  std::map<std::string, std::string> metadata{{"model", "a: \"b\"\n\tü \\"}, {"graphrun.version", "1"}};

  void write(const fs::path& path) const {
    const std::vector<TensorView> tensors{{"bytes", StoredType::u8, {3, 1}, std::as_bytes(std::span(u8))},
                                          {"enc.0/w", StoredType::f32, {2, 3}, std::as_bytes(std::span(f32))},
                                          {"scalar", StoredType::f64, {}, std::as_bytes(std::span(f64))},
                                          {"empty", StoredType::i32, {0, 7}, {}},
                                          {"labels", StoredType::i32, {2}, std::as_bytes(std::span(i32))},
                                          {"steps", StoredType::i64, {1}, std::as_bytes(std::span(i64))}};
    write_safetensors(path, tensors, metadata);
  }
};

/// A file with this header and so many zero bytes of data, as another program might write it.
Bytes file_with(const std::string& json, std::size_t payload) {
  Bytes bytes(8);
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(json.size() >> (8 * i));
  bytes.insert(bytes.end(), json.begin(), json.end());
  bytes.resize(bytes.size() + payload);
  return bytes;
}

bool refused(const Bytes& bytes, const std::string& part) {
  const TemporaryFolder folder;
  write_file(folder / "a.safetensors", bytes);
  return throws([&] { SafetensorsFile(folder / "a.safetensors"); }, ErrorCode::data, part);
}

bool accepted(const std::string& json, std::size_t payload) {
  const TemporaryFolder folder;
  write_file(folder / "a", file_with(json, payload));
  return !thrown([&] { SafetensorsFile(folder / "a").verify(); });
}

std::string tensor(const std::string& name, const std::string& shape, const std::string& offsets,
                   const std::string& type = "F32") {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

}  // namespace

TEST_CASE("safetensors: what is written is read") {
  const TemporaryFolder folder;
  const Example example;
  example.write(folder / "a");
  const SafetensorsFile file(folder / "a");
  CHECK(file.has_sums());
  CHECK(file.metadata() == example.metadata);
  REQUIRE(file.tensors().size() == 6);
  CHECK_NOTHROW(file.verify());
  const auto values = [&](const char* name) { return file.read(*file.find(name)); };
  CHECK(values("bytes") == stored(example.u8));
  CHECK(values("enc.0/w") == stored(example.f32));
  CHECK(values("scalar") == stored(example.f64));
  CHECK(values("labels") == stored(example.i32));
  CHECK(values("steps") == stored(example.i64));
  CHECK(values("empty").empty());
  CHECK(file.find("enc.0/w")->shape == std::vector<std::size_t>{2, 3});
  CHECK(file.find("enc.0/w")->type == StoredType::f32);
  CHECK(file.find("scalar")->shape.empty());
  CHECK(file.find("empty")->shape == std::vector<std::size_t>{0, 7});
  CHECK(file.find("none") == nullptr);
  CHECK(file.find("scalar")->begin == 0);  // eight-byte elements first
}

TEST_CASE("safetensors: the bytes of a small file, fixed for good") {
  const TemporaryFolder folder;
  const std::array<std::uint8_t, 2> values{7, 9};
  const std::vector<TensorView> tensors{{"x", StoredType::u8, {2}, std::as_bytes(std::span(values))}};
  write_safetensors(folder / "a", tensors, {{"k", "v"}});
  std::string text = read_text_file(folder / "a", 1000);
  const std::size_t header = static_cast<std::uint8_t>(text[0]);
  CHECK(text.substr(1, 7) == std::string(7, '\0'));
  CHECK(header % 8 == 0);
  CHECK(text.size() == 8 + header + 2);
  CHECK(text.substr(8 + header) == "\x07\x09");
  const std::string json = text.substr(8, header);
  const std::string sum = json.substr(json.find("crc32.header\":\"") + 15, 8);
  CHECK(json.substr(0, json.find_last_of('}') + 1) ==
        "{\"__metadata__\":{\"graphrun.crc32.header\":\"" + sum +
            "\",\"graphrun.crc32.tensors\":\"77443c9c\",\"k\":\"v\"},"
            "\"x\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}");
}

TEST_CASE("safetensors: a file without tensors") {
  const TemporaryFolder folder;
  write_safetensors(folder / "a", {}, {});
  CHECK(SafetensorsFile(folder / "a").tensors().empty());
  CHECK(accepted("{}", 0));
}

TEST_CASE("safetensors: files of other programs are read without sums") {
  CHECK(accepted("{" + tensor("a", "[2,2]", "[0,16]") + "}", 16));
  CHECK(accepted("{" + tensor("b", "[1]", "[4,8]") + "," + tensor("a", "[1]", "[0,4]") + "}", 8));
  CHECK(accepted(" \t\n{\"__metadata__\":{\"format\":\"pt\"}," + tensor("a", "[]", "[0,4]") + "}   ", 4));
  CHECK(accepted("{" + tensor("a", "[0]", "[0,0]") + "," + tensor("b", "[2,0]", "[0,0]") + "}", 0));
  CHECK(accepted("{" + tensor("b", "[1]", "[0,4]") + "," + tensor("a", "[0]", "[4,4]") + "}", 4));
}

TEST_CASE("safetensors: the header's length cannot be believed") {
  CHECK(refused({}, "less than 8 bytes"));
  CHECK(refused({2, 0, 0, 0, 0, 0, 0}, "less than 8 bytes"));
  CHECK(refused({3, 0, 0, 0, 0, 0, 0, 0, '{', '}'}, "its header should have 3 bytes, the file has 10"));
  CHECK(refused(Bytes(8, 0xff), "its header should have 18446744073709551615 bytes"));
  Bytes huge = file_with("{}", 0);
  huge[4] = 1;
  CHECK(refused(huge, "its header should have 4294967298 bytes"));
  CHECK(refused(Bytes(8, 0), "is no JSON object"));
}

TEST_CASE("safetensors: headers that are no JSON object") {
  CHECK(refused(file_with("[]", 0), "is no JSON object"));
  CHECK(refused(file_with("   ", 0), "is no JSON object"));
  CHECK(refused(file_with("\xef\xbb\xbf{}", 0), "is no JSON object"));
  CHECK(refused(file_with(std::string("{}\0{", 4), 0), "is no JSON object"));
  CHECK(refused(file_with("{} x", 0), "is not valid JSON"));
  CHECK(refused(file_with("{\"a\":", 0), "is not valid JSON"));
  CHECK(refused(file_with("{\"\xff\":1}", 0), "is not valid JSON"));
  CHECK(refused(file_with("{\"a\":1}", 0), "tensor 'a' is no JSON object"));
  CHECK(refused(file_with("{/* comment */}", 0), "is not valid JSON"));
}

TEST_CASE("safetensors: deep nesting is stopped at once") {
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100000; ++i) deep += "[";
  CHECK(refused(file_with(deep, 0), "nested too deeply"));
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  CHECK(refused(file_with(objects, 0), "nested too deeply"));
}

TEST_CASE("safetensors: keys given twice, wherever") {
  const std::string a = tensor("a", "[1]", "[0,4]");
  CHECK(refused(file_with("{" + a + "," + a + "}", 4), "has the key 'a' twice"));
  CHECK(refused(file_with("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0), "has the key 'k' twice"));
  CHECK(
      refused(file_with("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1),
              "has the key 'dtype' twice"));
  CHECK(
      refused(file_with("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "has the key '__metadata__' twice"));
}

TEST_CASE("safetensors: metadata maps text to text") {
  CHECK(refused(file_with("{\"__metadata__\":[]}", 0), "__metadata__ is no JSON object"));
  CHECK(refused(file_with("{\"__metadata__\":{\"a\":1}}", 0), "__metadata__ 'a' is no text"));
}

TEST_CASE("safetensors: entries of tensors that are wrong") {
  const auto wrong = [](const std::string& entry, const std::string& part) {
    return refused(file_with("{\"a\":" + entry + "}", 4), "tensor 'a' " + part);
  };
  CHECK(wrong("{}", "has no 'dtype'"));
  CHECK(wrong("{\"dtype\":\"F32\"}", "has no 'shape'"));
  CHECK(wrong("{\"dtype\":\"F32\",\"shape\":[1]}", "has no 'data_offsets'"));
  CHECK(wrong("{\"dtype\":\"F8_E5M2\"}", "has the dtype \"F8_E5M2\"; F16, BF16, F32, F64,"));
  CHECK(wrong("{\"dtype\":4}", "has the dtype 4"));
  CHECK(wrong("{\"dtype\":\"F32\",\"shape\":1}", "needs a list for 'shape'"));
  for (const char* size : {"-1", "1.0", "1e0", "\"1\"", "null", "18446744073709551616", "-0"}) {
    CHECK(wrong("{\"dtype\":\"F32\",\"shape\":[" + std::string(size) + "],\"data_offsets\":[0,4]}",
                "has a 'shape' that is no whole number from 0 up"));
  }
  CHECK(wrong("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}", "needs two data_offsets"));
  CHECK(wrong("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,2,4]}", "needs two data_offsets"));
  CHECK(wrong("{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,-4]}",
              "has a 'data_offsets' that is no whole"));
}

TEST_CASE("safetensors: offsets that do not fit shapes, overflow, overlap or leave holes") {
  const auto wrong = [](const std::string& tensors, const std::string& part) {
    return refused(file_with("{" + tensors + "}", 16), part);
  };
  CHECK(wrong(tensor("a", "[4]", "[0,12]"), "has data_offsets [0, 12], but its shape [4] takes 16 bytes"));
  CHECK(wrong(tensor("a", "[3]", "[0,16]"), "its shape [3] takes 12 bytes"));
  CHECK(wrong(tensor("a", "[1]", "[8,4]"), "has data_offsets [8, 4]"));
  CHECK(wrong(tensor("a", "[4611686018427387904]", "[0,0]"), "a shape [4611686018427387904] that overflows"));
  CHECK(wrong(tensor("a", "[4294967296,4294967296,4294967296,16]", "[0,16]"), "overflows"));
  CHECK(wrong(tensor("a", "[2]", "[0,8]") + "," + tensor("b", "[3]", "[4,16]"),
              "begins at byte 4 of the data instead of 8: an overlap"));
  CHECK(wrong(tensor("a", "[1]", "[0,4]") + "," + tensor("b", "[2]", "[8,16]"),
              "begins at byte 8 of the data instead of 4: a hole"));
  CHECK(wrong(tensor("a", "[3]", "[4,16]"), "instead of 0: a hole"));
  CHECK(wrong(tensor("a", "[2]", "[0,8]"),
              "holds 16 bytes of data, but its tensors take 8: the file is longer"));
  CHECK(wrong(tensor("a", "[8]", "[0,32]"), "the file is cut off"));
}

TEST_CASE("safetensors: many tensors that claim the same bytes gain nothing") {
  std::string json = "{";
  for (int i = 0; i < 1000; ++i) {
    json += (i == 0 ? "" : ",") + tensor("t" + std::to_string(i), "[1000000]", "[0,4000000]");
  }
  CHECK(refused(file_with(json + "}", 4000000), "an overlap"));
}

TEST_CASE("safetensors: the time for a tensor does not grow with their number") {
  const TemporaryFolder folder;
  const auto seconds = [&](int count) {
    std::vector<TensorView> tensors(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      tensors[static_cast<std::size_t>(i)].name = "t" + std::to_string(i);
      tensors[static_cast<std::size_t>(i)].shape = {0};
    }
    const auto start = std::chrono::steady_clock::now();
    write_safetensors(folder / "many", tensors, {});
    const SafetensorsFile file(folder / "many");
    for (const TensorView& tensor : tensors) REQUIRE(file.find(tensor.name)->name == tensor.name);
    CHECK(file.find("u") == nullptr);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  seconds(1000);
  CHECK(seconds(40'000) < 40 * 8 * std::max(seconds(1000), 1e-3));  // squared it would be 1,600 times
}

TEST_CASE("safetensors: cut off at every byte") {
  const TemporaryFolder folder;
  Example().write(folder / "a");
  const Bytes whole = read_file(folder / "a", 10000);
  for (std::size_t size = whole.size(); size-- > 0;) {
    fs::resize_file(folder / "a", size);
    REQUIRE(throws([&] { SafetensorsFile(folder / "a"); }, ErrorCode::data, "a: error: "));
  }
  Bytes longer = whole;
  longer.push_back(0);
  CHECK(refused(longer, "longer than it should be"));
}

namespace {

bool found_damaged(const fs::path& path) {
  return throws([&] { SafetensorsFile(path).verify(); }, ErrorCode::data, "");
}

/// Changes bytes of a file in place, which is much quicker than writing it anew.
void change_byte(const fs::path& path, std::size_t at, std::uint8_t value) {
  std::FILE* file = std::fopen(path.c_str(), "r+b");
  REQUIRE(file != nullptr);
  REQUIRE(std::fseek(file, static_cast<long>(at), SEEK_SET) == 0);
  REQUIRE(std::fputc(value, file) == value);
  REQUIRE(std::fclose(file) == 0);
}

}  // namespace

TEST_CASE("safetensors: every flipped bit of length, header and data is found") {
  const TemporaryFolder folder;
  Example().write(folder / "a");
  const Bytes whole = read_file(folder / "a", 10000);
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    const auto flipped = static_cast<std::uint8_t>(whole[bit / 8] ^ (1U << (bit % 8)));
    change_byte(folder / "a", bit / 8, flipped);
    INFO("bit " << bit);
    REQUIRE(found_damaged(folder / "a"));
    change_byte(folder / "a", bit / 8, whole[bit / 8]);
  }
  CHECK_NOTHROW(SafetensorsFile(folder / "a").verify());
}

TEST_CASE("safetensors: ten thousand changed bytes in a larger file are all found", "[single-threaded]") {
  constexpr unsigned seed = 1;
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const TemporaryFolder folder;
  std::vector<float> weights(20000);
  for (float& weight : weights) weight = static_cast<float>(random());
  const std::vector<TensorView> tensors{
      {"w", StoredType::f32, {100, 199}, std::as_bytes(std::span(weights).first(19900))},
      {"b", StoredType::f32, {100}, std::as_bytes(std::span(weights).last(100))}};
  write_safetensors(folder / "a", tensors, {{"model", std::string(2000, 'm')}});
  const Bytes whole = read_file(folder / "a", 1 << 20);
  for (int i = 0; i < 10000; ++i) {
    const std::size_t at = random() % whole.size();
    const auto change = static_cast<std::uint8_t>(1 + random() % 255);
    change_byte(folder / "a", at, whole[at] ^ change);
    if (!found_damaged(folder / "a"))
      FAIL("byte " << at << " changed by " << int{change} << " was not found");
    change_byte(folder / "a", at, whole[at]);
  }
}

TEST_CASE("safetensors: damage is told from a wrong format") {
  const TemporaryFolder folder;
  Example().write(folder / "a");
  Bytes bytes = read_file(folder / "a", 10000);
  const std::string text(bytes.begin(), bytes.end());
  const auto changed = [&](std::size_t at) {
    Bytes copy = bytes;
    copy[at] ^= 1;
    write_file(folder / "b", copy);
    return [&folder] { SafetensorsFile(folder / "b").verify(); };
  };
  CHECK(throws(changed(text.find("graphrun.version")), ErrorCode::data, "damaged: the sum of its header"));
  CHECK(throws(changed(text.find("graphrun.crc32.header")), ErrorCode::data,
               "damaged: one of its two sums is missing"));
  CHECK(throws(changed(text.find("graphrun.crc32.tensors")), ErrorCode::data,
               "damaged: one of its two sums is missing"));
  CHECK(
      throws(changed(bytes.size() - 1), ErrorCode::data, "damaged: the sum of tensor 'bytes' does not fit"));
}

TEST_CASE("safetensors: what cannot be written") {
  const TemporaryFolder folder;
  const std::array<std::byte, 4> bytes{};
  const auto write = [&](std::vector<TensorView> tensors, std::map<std::string, std::string> metadata = {}) {
    return [&folder, tensors, metadata] { write_safetensors(folder / "a", tensors, metadata); };
  };
  const TensorView x{"x", StoredType::f32, {1}, bytes};
  CHECK(throws(write({x, x}), ErrorCode::usage, "two tensors are named 'x'"));
  CHECK(throws(write({{"x", StoredType::f32, {2}, bytes}}), ErrorCode::usage, "'x' is given 4 bytes"));
  CHECK(throws(write({{"__metadata__", StoredType::f32, {1}, bytes}}), ErrorCode::usage, "may not be named"));
  CHECK(throws(write({{"\xff", StoredType::f32, {1}, bytes}}), ErrorCode::usage, "not valid UTF-8"));
  CHECK(throws(write({x}, {{"graphrun.crc32.x", ""}}), ErrorCode::usage, "metadata may not be named"));
  CHECK_FALSE(fs::exists(folder / "a"));
  write_safetensors(folder / "a", {&x, 1}, {});
  const SafetensorsFile file(folder / "a");
  std::array<std::byte, 5> room{};
  CHECK(throws([&] { file.read(file.tensors()[0], room); }, ErrorCode::usage,
               "has 4 bytes, room is given for 5"));
}
