// The picture of a graph: each node in a box of its own, and the same text for the same graph.
#include <regex>
#include <string>
#include <vector>

#include "graph/picture.hpp"
#include "graphrun/error.hpp"
#include "ops/op.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;

namespace {

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

std::vector<Box> boxes_of(const std::string& svg) {
  static const std::regex rectangle(
      "<rect x=\"([0-9.]+)\" y=\"([0-9.]+)\" width=\"([0-9.]+)\" height=\"([0-9.]+)\"");
  std::vector<Box> boxes;
  for (std::sregex_iterator match(svg.begin(), svg.end(), rectangle), end; match != end; ++match)
    boxes.push_back(
        {std::stod((*match)[1]), std::stod((*match)[2]), std::stod((*match)[3]), std::stod((*match)[4])});
  return boxes;
}

bool overlap(const Box& a, const Box& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

/// A ladder: each rung uses the one before and the first, so that edges pass many layers.
Graph ladder(std::size_t rungs) {
  Builder builder(ops::registry());
  const NodeId first = builder.constant(1);
  NodeId last = first;
  for (std::size_t i = 0; i < rungs; ++i) last = builder.add("add", {last, first});
  builder.output("y<&>", last);
  return std::move(builder).finish();
}

std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("every node of a picture has a box, and no two boxes meet") {
  const Graph graph = ladder(20);
  const std::string svg = to_svg(graph);
  const std::vector<Box> boxes = boxes_of(svg);
  REQUIRE(boxes.size() == graph.size());
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) CHECK_FALSE(overlap(boxes[i], boxes[j]));
  CHECK(count(svg, "marker-end") == 2 * 20 - 1);  // the first rung uses one node twice
  CHECK(to_svg(graph) == svg);
}

TEST_CASE("names in a picture are text, whatever is in them") {
  Builder builder(ops::registry());
  NodeDetails details;
  details.name = "a<b>&c";
  builder.output("y", builder.add("constant", {}, {{"values", std::vector<double>{1}}}, details));
  const std::string svg = to_svg(std::move(builder).finish());
  CHECK(testing::contains(svg, ">a&lt;b&gt;&amp;c</text>"));
}

TEST_CASE("nobody is shown a picture of more nodes than can be read") {
  CHECK(testing::throws([] { to_svg(ladder(most_nodes_of_picture)); }, ErrorCode::usage,
                        "a picture of 3001 nodes could not be read: at most 3000; --dot and --json"));
}
