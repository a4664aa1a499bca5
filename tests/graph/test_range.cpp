#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "graph/range_fault.hpp"
#include "graph/type.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;

TEST_CASE("a range holds its numbers, and never NaN") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const Range share = {.low = 0, .high = 1, .below = true};
  CHECK(share.contains(0));
  CHECK(!share.contains(1));
  CHECK(!share.contains(-0.1));
  CHECK(!above(0).contains(0));
  CHECK(above(0).contains(1e-300));
  CHECK(!at_least(0).contains(infinity));
  CHECK(!finite().contains(-infinity));
  CHECK(Range{}.contains(infinity));
  for (const Range& range : {share, finite(), Range{}}) CHECK(!range.contains(std::nan("")));
}

TEST_CASE("what a range leaves out it leaves out in f32 too") {
  const Range share = {.low = 0, .high = 1, .below = true};
  CHECK(range_fault(share, 0.9999999).empty());
  CHECK(range_fault(share, 1.5) == "at least 0 and below 1, not 1.5");
  CHECK(range_fault(share, 0.99999999) == "at least 0 and below 1, not 0.99999999, which is 1 in f32");
  CHECK(range_fault(above(0), 1e-50) == "above 0, not 1e-50, which is 0 in f32");
  CHECK(range_fault(above(0), 1e-40) == "above 0, not 1e-40, which is 0 in f32");  // as kernels take it
  CHECK(range_fault(finite(), 1e39) == "finite, not 1e+39, which is inf in f32");
  CHECK(range_fault(Range{.low = 0, .high = 0.1}, 0.1).empty());  // though 0.1 is more in f32
}

TEST_CASE("a range is written as an interval and told in words") {
  const std::pair<std::string, std::string> ranges[] = {
      {"[0, 1)", "at least 0 and below 1"}, {"(0, 1]", "above 0 and at most 1"},
      {" [ 1 ,inf) ", "at least 1"},        {"(0,inf)", "above 0"},
      {"(-inf, 2.5]", "at most 2.5"},       {"(-inf, inf)", "finite"},
      {"[-inf, inf)", "below infinity"},    {"[-inf, inf]", ""}};
  for (const auto& [written, told] : ranges) {
    INFO(written);
    const std::optional<Range> range = range_from(written);
    REQUIRE(range);
    CHECK(to_string(*range) == told);
  }
  for (const std::string wrong :
       {"", "[0, 1", "0, 1", "[0 1]", "[1, 0]", "[a, b]", "[nan, 1]", "[0, 1, 2]"}) {
    INFO(wrong);
    CHECK(!range_from(wrong));
  }
}

TEST_CASE("an element type holds what can be converted to it and means the same") {
  CHECK(holds(DType::f32, 3.4028235e38));
  CHECK(!holds(DType::f32, 3.5e38));
  CHECK(holds(DType::f32, std::nan("")));
  CHECK(holds(DType::i32, -2147483648.0));
  CHECK(!holds(DType::i32, 2147483648.0));
  CHECK(!holds(DType::i32, 0.5));
  CHECK(!holds(DType::u8, -1));
  CHECK(!holds(DType::u8, std::nan("")));
}
