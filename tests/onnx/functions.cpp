// Functions that a file brings are written out where they are called.
#include <fmt/format.h>

#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "onnx/import/rewrites.hpp"
#include "onnx/wire.hpp"
#include "tests/onnx/small_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing::small_files;
using graphrun::testing::contains;
using graphrun::testing::throws;
using onnx::WireMessage;

namespace {

using Names = std::vector<std::string>;

const std::vector<float> x = {1, -2, 3, -4};

/// A node of a function: of ONNX's ops, or a call of another function.
WireMessage inner(const std::string& op, const Names& inputs, const Names& outputs,
                  const std::string& domain = "", const WireMessage* attribute = nullptr) {
  WireMessage message;
  for (const std::string& name : inputs) message.text(1, name);
  for (const std::string& name : outputs) message.text(2, name);
  message.text(4, op);
  if (attribute != nullptr) message.message(5, *attribute);
  message.text(7, domain);
  return message;
}

/// A float, or where it comes from: the attribute of the call.
WireMessage attribute(const std::string& name, std::optional<float> value,
                      const std::string& reference = "") {
  WireMessage message;
  message.text(1, name);
  if (value) message.number(2, *value);
  message.integer(20, 1);
  if (!reference.empty()) message.text(21, reference);
  return message;
}

WireMessage function(const std::string& name, const Names& inputs, const Names& outputs,
                     const std::vector<WireMessage>& nodes, std::int64_t opset = 17) {
  WireMessage message;
  message.text(1, name);
  for (const std::string& input : inputs) message.text(4, input);
  for (const std::string& output : outputs) message.text(5, output);
  for (const WireMessage& node : nodes) message.message(7, node);
  WireMessage version;
  version.text(1, "");
  version.integer(2, opset);
  message.message(9, version);
  message.text(10, "local");
  return message;
}

onnx::NodeRecord call(const std::string& name, const Names& inputs, const Names& outputs,
                      std::vector<onnx::AttributeRecord> attributes = {}) {
  return {"", name, "local", inputs, outputs, std::move(attributes)};
}

onnx::Imported with(const std::vector<WireMessage>& functions, std::vector<onnx::NodeRecord> nodes) {
  WireMessage more;
  for (const WireMessage& one : functions) more.message(25, one);
  return onnx::import_model(onnx::serialise(small_model(std::move(nodes))) + more.bytes(), {});
}

/// leaky_relu(2 a), whose slope the call says, or else is a half.
std::vector<WireMessage> scaled() {
  const WireMessage slope = attribute("alpha", {}, "slope");
  WireMessage leaky =
      function("Scaled", {"a"}, {"b"},
               {inner("Doubled", {"a"}, {"t"}, "local"), inner("LeakyRelu", {"t"}, {"b"}, "", &slope)});
  leaky.message(11, attribute("slope", 0.5F));
  return {leaky, function("Doubled", {"a"}, {"b"}, {inner("Add", {"a", "a"}, {"b"})})};
}

}  // namespace

TEST_CASE("calls of a file's functions become their nodes, with the attributes of the call") {
  const std::vector<float> said =
      run(with(scaled(), {call("Scaled", {"x"}, {"h"}, {{"slope", 0.25F}}), call("Doubled", {"h"}, {"y"})}),
          x, 1);
  CHECK(said == std::vector<float>{4, -2, 12, -4});
  CHECK(run(with(scaled(), {call("Scaled", {"x"}, {"y"})}), x, 1) == std::vector<float>{2, -2, 6, -4});
  // Twice the same function: what is inside has a name of its own each time.
  CHECK(run(with(scaled(), {call("Scaled", {"x"}, {"h"}), call("Scaled", {"h"}, {"y"})}), x, 1) ==
        std::vector<float>{4, -2, 12, -4});
}

TEST_CASE("an output of a function may be its input, or nobody's") {
  const std::vector<WireMessage> both = {
      function("Both", {"a"}, {"a", "n", "n"}, {inner("Neg", {"a"}, {"n"})})};
  CHECK(run(with(both, {call("Both", {"x"}, {"y", "", ""})}), x, 1) == x);
  CHECK(run(with(both, {call("Both", {"x"}, {"", "", "y"})}), x, 1) == std::vector<float>{-1, 2, -3, 4});
}

TEST_CASE("functions that call each other in a circle, or become too much, are refused") {
  const auto called = [](const std::vector<WireMessage>& functions, const std::string& message) {
    return throws([&] { with(functions, {call("F0", {"x"}, {"y"})}); }, ErrorCode::data, message);
  };
  CHECK(called({function("F0", {"a"}, {"b"}, {inner("F1", {"a"}, {"b"}, "local")}),
                function("F1", {"a"}, {"b"}, {inner("F0", {"a"}, {"b"}, "local")})},
               "calls itself"));
  // Ten calls of what makes ten calls, six times over, of nothing in the end.
  std::vector<WireMessage> all;
  for (int depth = 0; depth < 7; ++depth) {
    const std::vector<WireMessage> nodes(depth < 6 ? 10 : 0,
                                         inner("F" + std::to_string(depth + 1), {"a"}, {"b"}, "local"));
    all.push_back(function("F" + std::to_string(depth), {"a"}, {"b"}, nodes));
  }
  CHECK(called(all, "more than 100000 nodes"));
}

TEST_CASE("what functions write anew is counted, whatever attribute it stands in") {
  constexpr std::size_t count = 100;
  const std::vector<std::pair<onnx::AttributeRecord, std::size_t>> attributes = {
      {{"value_floats", std::vector<float>(count)}, count * sizeof(float)},
      {{"value_ints", std::vector<std::int64_t>(count)}, count * sizeof(std::int64_t)},
      {{"value_strings", std::vector<std::string>(count, "text")}, count * 4},
      {{"value_string", std::string(count, 't')}, count},
      {{"value", tensor("", onnx::ElementType::i64, {std::ssize(x)}, std::vector<std::int64_t>{1, 2, 3, 4})},
       x.size() * sizeof(std::int64_t)}};
  for (const auto& [attribute, bytes] : attributes) {
    CAPTURE(attribute.name);
    const onnx::FunctionRecord function{
        "local", "F", "", {}, {"b"}, {}, {{"", "Constant", "", {}, {"b"}, {attribute}}}, 17};
    onnx::GraphRecord graph;
    graph.nodes = {call("F", {}, {"y"}), call("F", {}, {"z"})};
    const std::size_t all = 2 * (bytes + 1);  // with the name of the value
    CHECK(onnx::with_functions_inlined(graph, {function}, all).nodes.size() == 2);
    CHECK(throws([&] { onnx::with_functions_inlined(graph, {function}, all - 1); }, ErrorCode::data,
                 fmt::format("functions that become more than {} bytes", all - 1)));
  }
}

TEST_CASE("a function of another opset than the graph's says so") {
  const std::vector<WireMessage> old = {function("Old", {"a"}, {"b"}, {inner("Neg", {"a"}, {"b"})}, 11)};
  CHECK(throws([&] { with(old, {call("Old", {"x"}, {"y"})}); }, ErrorCode::model,
               "its function 'Old' is of opset 11, its graph of 17"));
}
