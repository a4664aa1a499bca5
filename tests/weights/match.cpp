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

TEST_CASE("names have an order where a number tells them apart") {
  const auto before = [](const std::string& a, const std::string& b) {
    return comes_before(module_order(a), module_order(b));
  };
  CHECK(before("encoder.2", "encoder.10"));
  CHECK(before("encoder.2.conv", "encoder.10.conv"));
  CHECK(before("fc1", "fc2"));
  CHECK(before("layer1.0.conv1", "layer1.0.conv2"));
  CHECK(before("layer1.1.conv2", "layer2.0.conv1"));
  CHECK(before("0", "1"));
  CHECK(before("dense", "dense_1"));
  CHECK(before("dense_2", "dense_10"));
  for (const std::string other : {"layer1.0.bn1", "layer1.0.downsample.0", "head", "layer1.0.conv1"}) {
    CHECK_FALSE(before("layer1.0.conv1", other));
    CHECK_FALSE(before(other, "layer1.0.conv1"));
  }
  CHECK(module_order("encoder.2.conv").group == "encoder..");
  CHECK(before("layer1.x", "layer99999999999999999999.x"));
}

TEST_CASE("modules in modules keep the order of each number") {
  // Two blocks of two layers of one shape, and a shortcut whose number says nothing about the others.
  const std::vector<std::pair<std::string, int>> modules = {
      {"net.1.conv2", 1}, {"net.0.conv1", 1}, {"net.1.conv1", 1}, {"net.0.conv2", 1}, {"net.0.short.0", 2}};
  CHECK(placed({1, 1, 2, 1, 1}, modules) == std::vector<Placement>{{1, 3, 4, 2, 0}});
  CHECK(placed({1, 1}, {{"s.0.0", 1}, {"s.0.2", 1}}) == std::vector<Placement>{{0, 1}});
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
  // Without an order there are more ways than can be tried: two are enough to ask.
  std::vector<std::pair<std::string, int>> twins;
  std::vector<int> places;
  for (int i = 0; i < 40; ++i) twins.emplace_back(std::string(static_cast<std::size_t>(i + 1), 'a'), 1);
  for (int i = 0; i < 39; ++i) places.push_back(1);
  CHECK(placed(places, twins).size() == 2);
}

TEST_CASE("places may stay empty where a file has a part of the model") {
  const auto part = [](const std::vector<int>& places,
                       const std::vector<std::pair<std::string, int>>& modules) {
    std::vector<ModuleOrder> orders;
    for (const auto& [name, shape] : modules) orders.push_back(module_order(name));
    return placements(
        places.size(), orders,
        [&](std::size_t place, std::size_t module) { return places[place] == modules[module].second; },
        Filling::some_places);
  };
  CHECK(part({1, 2, 3, 4}, {{"a.0", 2}, {"a.1", 3}}) == std::vector<Placement>{{no_module, 0, 1, no_module}});
  // What fits nowhere is left, what fits somewhere is not; order counts.
  CHECK(part({1, 2, 3}, {{"a.0", 9}, {"a.1", 2}}) == std::vector<Placement>{{no_module, 1, no_module}});
  CHECK(part({1, 2}, {{"a.0", 2}, {"a.1", 1}}).empty());
  CHECK(part({1, 1}, {{"a.0", 1}}).size() == 2);
  CHECK(part({1, 2}, {{"a.0", 7}}).empty());
  // Where all places can be filled, they are.
  CHECK(part({1, 2}, {{"a.0", 1}, {"a.1", 2}, {"b.0", 1}}) == std::vector<Placement>{{0, 1}});
}
