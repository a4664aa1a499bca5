#include <string>
#include <vector>

#include "errors/nearest.hpp"
#include "tests/support/catch.hpp"

TEST_CASE("a slip among very many names is found, and costs little") {
  std::vector<std::string> names;
  for (int i = 0; i < 50000; ++i) names.push_back("encoder_layer_" + std::to_string(i));
  names.push_back("reconstruction");
  CHECK(graphrun::nearest_name("reconstructoin", names) == "reconstruction");
  // All alike: no more tables than fit into a millisecond or two.
  const std::vector<std::string> alike(20000, std::string(30, 'a') + std::string(30, 'b'));
  CHECK(graphrun::nearest_name(std::string(30, 'b') + std::string(30, 'a'), alike).empty());
}

TEST_CASE("the nearest name is one slip away") {
  const std::vector<std::string> names = {"units", "hidden", "repeat", "relu", "leaky_relu", "w"};
  CHECK(graphrun::nearest_name("unit", names) == "units");
  CHECK(graphrun::nearest_name("Units", names) == "units");
  CHECK(graphrun::nearest_name("untis", names) == "units");
  CHECK(graphrun::nearest_name("reapet", names) == "repeat");
  CHECK(graphrun::nearest_name("rleu", names) == "relu");
  CHECK(graphrun::nearest_name("momentum", names).empty());
  CHECK(graphrun::nearest_name("", names).empty());
  CHECK(graphrun::nearest_name(std::string(100000, 'u'), names).empty());
}

TEST_CASE("without a near name the suggestion lists what there is") {
  const std::vector<std::string> names = {"sgd", "adam"};
  CHECK(graphrun::suggestion("adma", names) == "Did you mean 'adam'?");
  CHECK(graphrun::suggestion("momentum", names) == "There are: sgd, adam.");
  CHECK(graphrun::suggestion("x", {}).empty());
}
