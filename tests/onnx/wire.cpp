#include "onnx/wire.hpp"

#include <bit>
#include <limits>
#include <stdexcept>

#include "onnx/records.hpp"
#include "tests/onnx/reader.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using testing::fields;
using testing::read_message;
using testing::WireField;

TEST_CASE("numbers are written seven bits a byte, the lowest first") {
  onnx::WireMessage message;
  message.integer(1, 150);  // the example of the format's own description
  CHECK(message.bytes() == std::string("\x08\x96\x01"));
  onnx::WireMessage far;
  far.integer(2047, 0);
  CHECK(far.bytes() == std::string("\xF8\x7F\x00", 3));
}

TEST_CASE("what is written is read back: numbers, texts, messages") {
  onnx::WireMessage inner;
  inner.text(2, "testing");
  CHECK(inner.bytes() == std::string("\x12\x07testing"));
  onnx::WireMessage message;
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{127}, std::int64_t{128}, std::int64_t{-1},
        std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()})
    message.integer(3, value);
  message.number(4, -0.15625F);
  message.message(5, inner);
  message.text(6, std::string("\0\xFF", 2));
  message.text(7, std::string(300, 'a'));

  const std::vector<WireField> read = read_message(message.bytes());
  REQUIRE(read.size() == 10);
  CHECK(static_cast<std::int64_t>(read[3].integer) == -1);
  CHECK(static_cast<std::int64_t>(read[4].integer) == std::numeric_limits<std::int64_t>::min());
  CHECK(static_cast<std::int64_t>(read[5].integer) == std::numeric_limits<std::int64_t>::max());
  CHECK(std::bit_cast<float>(static_cast<std::uint32_t>(read[6].integer)) == -0.15625F);
  CHECK(read[7].bytes == inner.bytes());
  CHECK(read[8].bytes == std::string("\0\xFF", 2));
  CHECK(read[9].bytes.size() == 300);
  CHECK_THROWS_AS(read_message(message.bytes().substr(0, message.bytes().size() - 1)), std::runtime_error);
}

TEST_CASE("a model is written with every record in its field") {
  onnx::ModelRecord model;
  model.opset = 20;
  model.ir_version = 9;
  model.metadata = {{"key", "value"}};
  model.graph.name = "tiny";
  model.graph.inputs = {{"x", onnx::ElementType::u8, {{0, "batch"}, {3, ""}}}};
  model.graph.outputs = {{"y", onnx::ElementType::f32, {}}};
  model.graph.initializers = {
      {"w", onnx::ElementType::f32, {2, 1}, std::string("\0\0\x80\x3F\0\0\0\x40", 8)}};
  model.graph.nodes = {{"n",
                        "Op",
                        "",
                        {"x", "", "w"},
                        {"y", "z"},
                        {{"a", std::int64_t{-2}},
                         {"b", 0.5F},
                         {"c", std::string("text")},
                         {"d", std::vector<std::int64_t>{1, -1}}}}};
  const std::string bytes = onnx::serialise(model);

  const testing::ReadModel read = testing::read_model(bytes);
  CHECK(read.opset == 20);
  CHECK(read.ir_version == 9);
  CHECK(read.inputs == std::vector<std::string>{"x 2 [batch, 3]"});
  CHECK(read.outputs == std::vector<std::string>{"y 1 []"});
  CHECK(read.tensor("w").values == std::vector<float>{1, 2});
  CHECK(read.tensor("w").shape == std::vector<std::int64_t>{2, 1});
  CHECK(read.nodes.at(0).inputs == std::vector<std::string>{"x", "", "w"});
  CHECK(read.nodes.at(0).outputs == std::vector<std::string>{"y", "z"});
  CHECK(read.metadata == std::vector<std::pair<std::string, std::string>>{{"key", "value"}});

  const std::vector<WireField> attributes = fields(testing::bytes_of(testing::bytes_of(bytes, 7), 1), 5);
  REQUIRE(attributes.size() == 4);
  const std::uint64_t types[] = {2, 1, 3, 7};
  for (std::size_t i = 0; i < 4; ++i) CHECK(fields(attributes[i].bytes, 20).at(0).integer == types[i]);
  CHECK(static_cast<std::int64_t>(fields(attributes[0].bytes, 3).at(0).integer) == -2);
  CHECK(testing::bytes_of(attributes[2].bytes, 4) == "text");
  CHECK(fields(attributes[3].bytes, 8).size() == 2);
}
