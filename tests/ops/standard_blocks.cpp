#include "ops/standard_blocks.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/catch.hpp"

TEST_CASE("the standard blocks of the library are those of ops/std.yaml") {
  std::ifstream file(GRAPHRUN_SOURCE_DIR "/ops/std.yaml", std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  REQUIRE(!text.empty());
  CHECK(graphrun::ops::standard_blocks() == text);
}
