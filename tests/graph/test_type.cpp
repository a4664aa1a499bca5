#include <limits>

#include "graph/type.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

TEST_CASE("types, shapes and dimensions print as they are written") {
  CHECK(to_string(Type{DType::f32, batch_of({784})}) == "f32[batch, 784]");
  CHECK(to_string(Type{DType::i32, {}}) == "i32[]");
  CHECK(to_string(Dim{2, 1}) == "2*batch+1");
  CHECK(to_string(Dim{1, -1}) == "batch-1");
  CHECK(to_string(Extents{3, 4}) == "[3, 4]");
}

TEST_CASE("element types are known by name, but for the one that has no values") {
  CHECK(dtype_from("u8") == DType::u8);
  CHECK(dtype_from("f64") == DType::f64);
  CHECK_FALSE(dtype_from("none").has_value());
  CHECK_FALSE(dtype_from("F32").has_value());
  CHECK(bytes_of(DType::f64) == 8);
  CHECK(bytes_of(DType::none) == 0);
}

TEST_CASE("shapes broadcast from the right, and the batch fits nothing but itself and a literal one") {
  CHECK(broadcast(batch_of({3}), shape({3})) == batch_of({3}));
  CHECK(broadcast(shape({1, 3}), batch_of({1})) == batch_of({3}));
  CHECK(broadcast({}, batch_of({})) == batch_of({}));
  CHECK(broadcast(shape({4, 1}), shape({1, 5})) == shape({4, 5}));
  CHECK_FALSE(broadcast(batch_of({}), shape({32})).has_value());
  CHECK_FALSE(broadcast({Dim{1, 0}}, {Dim{1, 1}}).has_value());
  CHECK_FALSE(broadcast(shape({2, 3}), shape({2})).has_value());
  CHECK(broadcast(shape({0}), shape({1})) == shape({0}));
}

TEST_CASE("the number of elements is a polynomial in the batch") {
  using Coefficients = std::vector<std::int64_t>;
  CHECK(element_polynomial({}) == Coefficients{1});
  CHECK(element_polynomial(batch_of({28, 28})) == Coefficients{0, 784});
  CHECK(element_polynomial({rows(), rows()}) == Coefficients{0, 0, 1});
  CHECK(element_polynomial({Dim{1, 1}, Dim{1, -1}}) == Coefficients{-1, 0, 1});
  CHECK(element_polynomial({Dim{2, 1}, Dim{0, 3}, Dim{1, 5}}) == Coefficients{15, 33, 6});
  CHECK(element_polynomial(Shape(50000, Dim{0, 1})) == Coefficients{1});  // and at once
  CHECK(element_polynomial(batch_of({0})) == Coefficients{0});
}

TEST_CASE("binding the batch gives numbers") {
  CHECK(graphrun::bind(batch_of({784}), 32) == Extents{32, 784});
  CHECK(graphrun::bind(Dim{2, 1}, 5) == 11);
  CHECK(element_count(Extents{}) == 1);
  CHECK(element_count(Extents{3, 0, 5}) == 0);
}

TEST_CASE("sizes that overflow are an error, not a small number") {
  constexpr std::int64_t large = std::numeric_limits<std::int64_t>::max();
  CHECK(throws([] { checked_add(large, 1); }, ErrorCode::model, "too large to count"));
  CHECK(throws([] { checked_multiply(large, 2); }, ErrorCode::model, "too large to count"));
  CHECK(throws([] { graphrun::bind(Dim{large, 0}, 2); }, ErrorCode::model, "too large to count"));
  CHECK(throws([] { element_count(Extents{1LL << 32, 1LL << 32}); }, ErrorCode::model, "too large to count"));
  CHECK(throws([] { element_polynomial(batch_of({1LL << 32, 1LL << 32})); }, ErrorCode::model, "too large"));
}

TEST_CASE("axes count from either end") {
  CHECK(normalised_axis(-1, 3) == 2U);
  CHECK(normalised_axis(0, 3) == 0U);
  CHECK_FALSE(normalised_axis(3, 3).has_value());
  CHECK_FALSE(normalised_axis(-4, 3).has_value());
  CHECK_FALSE(normalised_axis(0, 0).has_value());
}
