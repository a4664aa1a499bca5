#include <array>
#include <limits>

#include "tests/support/catch.hpp"
#include "tests/support/thrown.hpp"
#include "train/learn/figures.hpp"

using namespace graphrun;
using namespace graphrun::train;
using graphrun::testing::throws;

TEST_CASE("epoch figures weigh each batch by its rows") {
  FigureSum sum({"loss", "kl"});
  sum.add(std::array<float, 2>{1.0F, 4.0F}, 3);
  sum.add(std::array<float, 2>{5.0F, 0.0F}, 1);
  const Figures means = sum.means();
  CHECK(means.count == 4);
  CHECK(means.at("loss") == 2.0);
  CHECK(means.at("kl") == 3.0);
  CHECK(throws([&] { means.at("bce"); }, ErrorCode::usage, "no figure 'bce'"));
}

TEST_CASE("a figure of steps whose turn it was not is absent, not a number") {
  FigureSum sum({"loss", "d", "loss", "g"});
  const float absent = std::numeric_limits<float>::quiet_NaN();
  sum.add_learnt(std::array<float, 4>{2.0F, 2.0F, absent, absent}, 4);
  CHECK(sum.means().at("loss") == 2.0);
  CHECK(!sum.means().find("g"));
  sum.add_learnt(std::array<float, 4>{4.0F, 4.0F, 5.0F, 5.0F}, 4);
  CHECK(sum.means().at("loss") == 3.0 + 5.0);
  CHECK(sum.means().find("g") == 5.0);
}

TEST_CASE("figures continue from saved sums") {
  FigureSum sum({"loss"});
  sum.restore(std::array<double, 1>{6.0}, 3);
  sum.add(std::array<float, 1>{2.0F}, 1);
  CHECK(sum.means().at("loss") == 2.0);
  CHECK(throws([&] { sum.restore(std::array<double, 2>{1.0, 2.0}, 3); }, ErrorCode::data, "2 running sums"));
}

TEST_CASE("only the terms that are learnt are reported while learning") {
  ModelDefinition model;
  model.objective = 5;
  model.loss = {{{"bce", 1, {}}, 2}, {{"kl", 3, {}}, 4}};
  model.metrics = {{"psnr", 6, {}}};
  CHECK(figure_names(model, {}, true).outputs ==
        std::vector<std::string>{"loss", "loss.bce", "loss.kl", "metric.psnr"});
  CHECK(figure_names(model, {1}, false).names == std::vector<std::string>{"loss", "kl"});
}
