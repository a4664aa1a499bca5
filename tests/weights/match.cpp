#include "weights/match.hpp"

#include "tests/support/catch.hpp"

using namespace graphrun::weights;

namespace {

/// Modules by name, each of a shape, for places of shapes.
std::vector<Placement> placed(const std::vector<int>& places,
                              const std::vector<std::pair<std::string, int>>& modules) {
  std::vector<ModuleOrder> orders;
  for (const auto& [name, shape] : modules) orders.push_back(module_order(name));
  return placements(places.size(), orders, [&](std::size_t place, std::size_t module) {
    return places[place] == modules[module].second;
  });
}

}  // namespace

TEST_CASE("a number that ends a word orders modules of what stands before it") {
  CHECK(module_order("encoder.12").group == "encoder.");
  CHECK(module_order("encoder.12").number == 12);
  CHECK(module_order("layers.3.conv").group == "layers.");
  CHECK(module_order("fc1").group == "fc");
  CHECK(module_order("fc1").number == 1);
  CHECK(module_order("conv2d_a").group == "conv2d_a");
  CHECK(module_order("head").group == "head");
  CHECK(module_order("layer99999999999999999999.x").number == 999999999);
}

TEST_CASE("numbered modules keep their order, whatever order they have in the file") {
  CHECK(placed({1, 1, 1}, {{"e.10", 1}, {"e.2", 1}, {"e.0", 1}}) == std::vector<Placement>{{2, 1, 0}});
  CHECK(placed({1, 2, 1, 2}, {{"d.0", 1}, {"d.1", 2}, {"e.0", 1}, {"e.1", 2}}).size() == 2);
  CHECK(
      placed({5, 1, 2, 3, 4, 6}, {{"d.0", 3}, {"d.1", 4}, {"d.2", 6}, {"e.0", 5}, {"e.1", 1}, {"e.2", 2}}) ==
      std::vector<Placement>{{3, 4, 5, 0, 1, 2}});
  CHECK(placed({2, 1}, {{"e.0", 1}, {"e.1", 2}}).empty());
}

TEST_CASE("what is not needed is left out: groups first, single modules last") {
  CHECK(placed({1, 2}, {{"e.0", 1}, {"e.1", 2}, {"head", 7}}) == std::vector<Placement>{{0, 1}});
  // One group fits whole: it is not mixed with the other.
  CHECK(placed({1, 2}, {{"e.0", 1}, {"e.1", 2}, {"d.0", 2}, {"d.1", 3}}) == std::vector<Placement>{{0, 1}});
  CHECK(placed({1, 2}, {{"e.0", 1}, {"e.1", 2}, {"e.2", 3}}) == std::vector<Placement>{{0, 1}});
  CHECK(placed({1, 1}, {{"e.0", 1}}).empty());
}

TEST_CASE("many modules of one shape are matched at once") {
  std::vector<std::pair<std::string, int>> modules;
  for (int i = 0; i < 200; ++i) modules.emplace_back("e." + std::to_string(i), 1);
  CHECK(placed(std::vector<int>(200, 1), modules).size() == 1);
  CHECK(placed(std::vector<int>(199, 1), modules).size() == 2);
  modules.back().second = 2;
  CHECK(placed(std::vector<int>(200, 1), modules).empty());
}
