// Ops in forms that single exporters and opsets give them.
#include <cmath>

#include "tests/onnx/small_files.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing::small_files;
using graphrun::testing::contains;
using graphrun::testing::throws;

namespace {

using onnx::ElementType;
using Longs = std::vector<std::int64_t>;

const std::vector<float> two_rows = {1, -2, 3, 0.5F, -1, 4, 2, 7};

/// y[:, first:first + 2] = two more than x there, as PyTorch writes it with a free batch: by the number of
/// each row and the places in it.
std::vector<onnx::NodeRecord> written_rows(bool counts_from_the_end = false) {
  std::vector<onnx::NodeRecord> nodes = {
      node("Shape", {"x"}, {"shape"}),
      node("Gather", {"shape", "zero"}, {"n"}),
      node("Range", {"zero", "n", "one"}, {"rows"}),
      node("Reshape", {"rows", "column"}, {"r"}),
      node("Expand", {"r", "n_2"}, {"r2"}),
      node("Unsqueeze", {"r2", "last"}, {"r3"}),
      node("Expand", {"places", "n_2"}, {"p2"}),
      node("Unsqueeze", {"p2", "last"}, {"p3"}),
      node("Concat", {"r3", "p3"}, {"index"}, {{"axis", std::int64_t{-1}}}),
      node("Gather", {"x", "places"}, {"part"}, {{"axis", std::int64_t{1}}}),
      node("Add", {"part", "two"}, {"more"}),
      node("ScatterND", {"x", "index", "more"}, {"y"})};
  if (counts_from_the_end) {
    nodes[3] = node("Sub", {"n", "rows"}, {"back"});
    nodes.insert(nodes.begin() + 4, node("Reshape", {"back", "column"}, {"r"}));
  }
  const std::vector<onnx::NodeRecord> sizes = {
      node("Unsqueeze", {"n", "front"}, {"n1"}),
      node("Concat", {"n1", "pair"}, {"n_2"}, {{"axis", std::int64_t{0}}})};
  nodes.insert(nodes.begin() + 2, sizes.begin(), sizes.end());
  return nodes;
}

std::vector<onnx::TensorRecord> numbers_of_rows() {
  return {tensor("zero", ElementType::i64, {}, Longs{0}),
          tensor("one", ElementType::i64, {}, Longs{1}),
          tensor("column", ElementType::i64, {2}, Longs{-1, 1}),
          integers("last", {-1}),
          integers("front", {0}),
          integers("pair", {2}),
          integers("places", {1, 3}),
          tensor("two", ElementType::f32, {}, std::vector<float>{2})};
}

std::vector<float> mapped(const std::string& op, const std::vector<float>& x) {
  return run(imported(small_model({node(op, {"x"}, {"y"})})), x, 2);
}

}  // namespace

TEST_CASE("what is written into each row of a free batch goes there") {
  const onnx::Imported made = imported(small_model(written_rows(), numbers_of_rows()));
  CHECK(run(made, two_rows, 2) == std::vector<float>{1, 0, 3, 2.5F, -1, 6, 2, 9});
  CHECK(run(made, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 3) ==
        std::vector<float>{1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14});
}

TEST_CASE("of each row of a free batch comes what its own index says") {
  std::vector<onnx::NodeRecord> nodes = {
      node("Shape", {"x"}, {"shape"}),
      node("Gather", {"shape", "zero"}, {"n"}),
      node("Range", {"zero", "n", "one"}, {"rows"}),
      node("Unsqueeze", {"rows", "last"}, {"r"}),
      node("ArgMax", {"x"}, {"place"}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{1}}}),
      node("Concat", {"r", "place"}, {"index"}, {{"axis", std::int64_t{-1}}}),
      node("GatherND", {"x", "index"}, {"best"}),
      node("Unsqueeze", {"best", "last"}, {"b"}),
      node("Add", {"x", "b"}, {"y"})};
  const std::vector<float> with_largest = {4, 1, 6, 3.5F, 6, 11, 9, 14};
  CHECK(run(imported(small_model(nodes, numbers_of_rows())), two_rows, 2) == with_largest);
  nodes[6] = node("GatherND", {"x", "place"}, {"best"}, {{"batch_dims", std::int64_t{1}}});
  CHECK(run(imported(small_model(nodes, numbers_of_rows())), two_rows, 2) == with_largest);
}

TEST_CASE("series are turned round, each up to its length") {
  const std::vector<onnx::AttributeRecord> axes = {{"batch_axis", std::int64_t{0}},
                                                   {"time_axis", std::int64_t{1}}};
  const onnx::Imported all_alike = imported(small_model(
      {node("Shape", {"x"}, {"shape"}), node("Gather", {"shape", "front"}, {"n"}),
       node("Expand", {"three", "n"}, {"lengths"}), node("ReverseSequence", {"x", "lengths"}, {"y"}, axes)},
      {integers("front", {0}), tensor("three", ElementType::i64, {}, Longs{3})}));
  CHECK(run(all_alike, two_rows, 2) == std::vector<float>{3, -2, 1, 0.5F, 2, 4, -1, 7});
  const onnx::Imported each = imported(small_model(
      {node("ArgMax", {"x"}, {"lengths"}, {{"axis", std::int64_t{1}}, {"keepdims", std::int64_t{0}}}),
       node("ReverseSequence", {"x", "lengths"}, {"y"}, axes)}));
  CHECK(run(each, two_rows, 2) == std::vector<float>{-2, 1, 3, 0.5F, 2, 4, -1, 7});
  CHECK(throws(
      [&] {
        imported(small_model({node("ReverseSequence", {"x", "n"}, {"y"}, axes)}, {integers("n", {3, 3})}));
      },
      ErrorCode::model, "lengths that are not one for each series"));
}

TEST_CASE("features are picked by a list of places, and classes by the place of the largest") {
  const auto extractor = [](const std::string& from, const std::string& places, const std::string& to) {
    onnx::NodeRecord made = node("ArrayFeatureExtractor", {from, places}, {to});
    made.domain = "ai.onnx.ml";
    return made;
  };
  CHECK(run(imported(small_model({extractor("x", "places", "y")}, {integers("places", {3, 0})})), two_rows,
            2) == std::vector<float>{0.5F, 1, 7, -1});
  const std::vector<onnx::NodeRecord> named = {
      node("ArgMax", {"x"}, {"place"}, {{"axis", std::int64_t{1}}}), extractor("classes", "place", "names"),
      node("Reshape", {"names", "column"}, {"c"}), node("Cast", {"c"}, {"f"}, {{"to", std::int64_t{1}}}),
      node("Add", {"x", "f"}, {"y"})};
  const std::vector<onnx::TensorRecord> numbers = {integers("classes", {10, 20, 30, 40}),
                                                   tensor("column", ElementType::i64, {2}, Longs{-1, 1})};
  CHECK(run(imported(small_model(named, numbers)), two_rows, 2) ==
        std::vector<float>{31, 28, 33, 30.5F, 39, 44, 42, 47});
}

TEST_CASE("numbers of the rows that anything else is made of are refused") {
  CHECK(throws([] { imported(small_model(written_rows(true), numbers_of_rows())); }, ErrorCode::model,
               "ScatterND: indices that depend on what the model is given"));
  std::vector<onnx::NodeRecord> nodes = {node("Shape", {"x"}, {"shape"}),
                                         node("Gather", {"shape", "zero"}, {"n"}),
                                         node("Range", {"zero", "n", "one"}, {"rows"}),
                                         node("Reshape", {"rows", "column"}, {"r"}),
                                         node("Cast", {"r"}, {"f"}, {{"to", std::int64_t{1}}}),
                                         node("Add", {"x", "f"}, {"y"})};
  CHECK(throws([&] { imported(small_model(nodes, numbers_of_rows())); }, ErrorCode::model,
               "Range: it counts the rows, which no op of graphrun's does (1 node: rows)"));
}

TEST_CASE("angles of sines, cosines and tangents are right all over") {
  const std::vector<float> shares = {-1, -0.999F, -0.4F, 0, 1e-4F, 0.3F, 0.9999F, 1};
  const std::vector<float> sines = mapped("Asin", shares);
  const std::vector<float> cosines = mapped("Acos", shares);
  const std::vector<float> wide = {-1e9F, -3, -1, -0.2F, 0, 0.45F, 2.5F, 1e30F};
  const std::vector<float> tangents = mapped("Atan", wide);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    INFO(shares[i] << ", " << wide[i]);
    CHECK(std::abs(sines[i] - std::asin(shares[i])) < 4e-7F);
    CHECK(std::abs(cosines[i] - std::acos(shares[i])) < 4e-7F);
    CHECK(std::abs(tangents[i] - std::atan(wide[i])) < 4e-7F);
  }
}

TEST_CASE("a group normalisation before opset 21 scales its groups") {
  onnx::ModelRecord model = small_model({node("GroupNormalization", {"x", "scale", "shift"}, {"y"},
                                              {{"num_groups", std::int64_t{2}}, {"epsilon", 0.0F}})},
                                        {floats("scale", {2}, 1), floats("shift", {2}, 0)});
  model.opset = 18;
  // Of two numbers one is a deviation above the mean, and one below.
  CHECK(run(imported(model), two_rows, 2) == std::vector<float>{1, -1, 1.5F, -1, -1, 1, -1, 1.5F});
}

TEST_CASE("equations sum by products where they are products, and with whatever axes before") {
  const auto summed = [](const std::string& equation) {
    return imported(
        small_model({node("Einsum", {"x", "w"}, {"y"}, {{"equation", equation}})}, {floats("w", {4, 4})}));
  };
  const std::vector<float> flat = run(summed("ni,ij->nj"), two_rows, 2);
  CHECK(run(summed("...i,ij->...j"), two_rows, 2) == flat);
  CHECK(run(summed("...i,ij"), two_rows, 2) == flat);
  CHECK(contains(summed("...i,ij->...j").model, "op: dense"));
  // x (0.5 + 0.25 (4 i + j)): the first row's sum of x is 2.5, that of i x is 5.5.
  CHECK(flat[0] == 2.5F * 0.5F + 5.5F);
  CHECK(flat[1] == 2.5F * 0.75F + 5.5F);
  CHECK(run(summed("ni,ji->nj"), two_rows, 2)[0] == 1 * 0.5F - 2 * 0.75F + 3 * 1.0F + 0.5F * 1.25F);
  CHECK(throws([&] { summed("ni,ii->ni"); }, ErrorCode::model, "a diagonal in an equation"));
  CHECK(throws([&] { summed("ni,ij->jj"); }, ErrorCode::model, "a diagonal in an equation"));
  CHECK(throws([&] { summed("ni,ij->nk"); }, ErrorCode::model, "whose result has a letter of no operand"));
  CHECK(throws([&] { summed("ni,ij,jk->nk"); }, ErrorCode::model, "another number of operands"));
}
