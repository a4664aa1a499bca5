// Plans: slices, tasks, buffers, predictions.
#include <algorithm>

#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/lower/lowering.hpp"
#include "runtime/lower/predict.hpp"
#include "runtime/machine/cache.hpp"
#include "runtime/products/tiled_matmul.hpp"
#include "tests/runtime/lowered.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::runtime;
using namespace graphrun::runtime::testing;

TEST_CASE("a plan is the same whoever makes it") {
  const auto graph = graphrun::testing::autoencoder({.widths = {200, 160, 80, 8}});
  const auto first = lower(graph, 160, ops::kernels());
  const auto second = lower(graph, 160, ops::kernels());
  CHECK(first->groups == second->groups);
  CHECK(first->statistics.workspace_bytes == second->statistics.workspace_bytes);
  CHECK(first->units.size() == second->units.size());
  CHECK(first->tasks.size() == second->tasks.size());
}

TEST_CASE("memory is shared: a forward pass needs little more than its two widest layers") {
  const auto graph = graphrun::testing::autoencoder({.widths = {256, 256, 256, 256, 256}, .training = false});
  const auto shared = lower(graph, 128, ops::kernels());
  LoweringOptions options;
  options.memory_sharing = false;
  const auto separate = lower(graph, 128, ops::kernels(), options);
  const auto layer = static_cast<std::size_t>(128 * 256 * 4);
  CHECK(separate->statistics.workspace_bytes >= 8 * layer);
  CHECK(shared->statistics.workspace_bytes + shared->statistics.scratch_bytes_per_worker < 4 * layer);
}

TEST_CASE("slices are even shares of sixteen rows") {
  const auto graph = graphrun::testing::autoencoder({.widths = {400, 300, 20}, .training = false});
  for (const std::int64_t batch : {1, 16, 17, 64, 100, 500, 1024}) {
    CAPTURE(batch);
    const auto plan = lower(graph, batch, ops::kernels());
    std::vector<std::pair<std::int64_t, std::int64_t>> rows;
    for (const Unit& unit : plan->units) {
      if (unit.call == nullptr) rows.emplace_back(unit.row_begin, unit.row_count);
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    CHECK(rows.size() == plan->statistics.slices);
    std::int64_t next = 0;
    for (const auto& [begin, count] : rows) {
      CHECK(begin == next);
      CHECK(begin % 16 == 0);
      next = begin + count;
    }
    CHECK(next == batch);
  }
  CHECK(lower(graph, 1, ops::kernels())->statistics.slices == 1);
  CHECK(lower(graph, 512, ops::kernels())->statistics.slices == 4);
  CHECK(lower(graph, 1024, ops::kernels())->statistics.slices == 4);
  CHECK(lower(graph, 2048, ops::kernels())->statistics.slices == 8);
}

TEST_CASE("slices follow the workers where products run in tiles, and the batch alone elsewhere") {
  if (!has_tiles(detected_isa())) return;
  const auto graph = graphrun::testing::autoencoder({.widths = {400, 300, 20}});
  const auto slices = [&](ProviderChoice provider, std::int64_t batch, std::size_t workers) {
    LoweringOptions options;
    options.provider = provider;
    options.workers = workers;
    return lower(graph, batch, ops::kernels(), options)->statistics.slices;
  };
  using enum ProviderChoice;
  for (const std::size_t workers : {1, 2, 4}) CHECK(slices(tiles, 1024, workers) == 4);  // as for one
  CHECK(slices(tiles, 256, 1) == 2);
  CHECK(slices(tiles, 1024, 3) == 6);
  CHECK(slices(tiles, 1024, 16) == 16);
  CHECK(slices(tiles, 100, 16) == 7);  // no less than sixteen rows each
  for (const std::size_t workers : {1, 3, 16}) CHECK(slices(onednn, 1024, workers) == 4);
}

TEST_CASE("no task of a whole batch is larger than its share of what a worker does") {
  if (!has_tiles(detected_isa())) return;
  for (const bool clip : {false, true}) {
    const auto graph = graphrun::testing::autoencoder({.widths = {784, 1000, 500, 30}, .clip_norm = clip});
    for (const std::size_t workers : {1, 4, 16}) {
      CAPTURE(clip, workers);
      LoweringOptions options;
      options.provider = ProviderChoice::tiles;
      options.workers = workers;
      const auto plan = lower(graph, 512, ops::kernels(), options);
      double total = 0;
      double largest = 0;
      for (const Task& task : plan->tasks) {
        total += task.nanoseconds;
        const Unit& first = plan->units[task.first_unit];
        const Shape& shape = graph->node(first.node).type.shape;
        const bool of_rows = !shape.empty() && shape[0].is_batch();
        // Products, updates and what is done to gradients element by element before.
        const Traits& traits = graph->node(first.node).op->traits;
        const bool may_be_cut = first.call == nullptr || traits.elementwise || traits.by_element;
        if (!of_rows && may_be_cut) largest = std::max(largest, task.nanoseconds);
      }
      // An eighth, and as much again for pieces of at least 28 rows and what joins them.
      CHECK(largest < total / (4 * static_cast<double>(workers)));
    }
  }
}

TEST_CASE("a weight gradient of many rows is cut into pieces that fit a cache, of no fewer rows than pay") {
  constexpr std::int64_t rows = 8192;
  constexpr std::int64_t columns = 1000;
  const auto graph = graphrun::testing::autoencoder({.widths = {rows, columns}});
  const auto pieces = [&](ProviderChoice provider, Isa isa) {
    LoweringOptions options;
    options.provider = provider;
    options.isa = isa;
    options.workers = 1;  // more of them are a reason for more pieces
    std::int64_t count = 0;
    const auto plan = lower(graph, 128, ops::kernels(), options);
    for (const Unit& unit : plan->units)
      if (unit.call == nullptr && graph->node(unit.node).type.shape == Shape{k(rows), k(columns)}) ++count;
    return count;
  };
  const auto pieces_of = [](std::int64_t rows_each) { return (rows + rows_each - 1) / rows_each; };
  constexpr std::int64_t row_bytes = columns * 4;
  constexpr std::int64_t small_cache = 256 << 10;
  const auto own_cache = std::max(small_cache, static_cast<std::int64_t>(second_level_cache_bytes() / 4));
  CHECK(pieces(ProviderChoice::tiles, Isa::avx512) == pieces_of(own_cache / row_bytes));
  CHECK(pieces(ProviderChoice::tiles, Isa::avx2) ==
        pieces_of(std::max<std::int64_t>(512, own_cache / row_bytes)));
  // oneDNN's bits follow the pieces, which therefore follow no machine.
  CHECK(pieces(ProviderChoice::onednn, Isa::avx512) == pieces_of(small_cache / row_bytes));
}

TEST_CASE("a prediction is the work by the cores, a chain of tasks takes its length, memory holds both up") {
  const auto plan_of = [](std::vector<double> nanoseconds, std::vector<std::pair<unsigned, unsigned>> edges) {
    Plan plan;
    for (unsigned task = 0; task < nanoseconds.size(); ++task) {
      Task record;
      record.work.other_ns = nanoseconds[task];
      record.first_successor = static_cast<std::uint32_t>(plan.successors.size());
      for (const auto& [from, to] : edges) {
        if (from == task) plan.successors.push_back(to);
        if (to == task) ++record.dependencies;
      }
      record.successors = static_cast<std::uint32_t>(plan.successors.size()) - record.first_successor;
      plan.tasks.push_back(record);
    }
    return plan;
  };
  const auto predicted = [](const Plan& plan, std::size_t cores) {
    return predict_step(plan, cores, {}).tasks_ns / 1e6;
  };
  const Plan alone = plan_of({1e6, 1e6, 1e6, 1e6}, {});
  CHECK(predicted(alone, 1) == 4);
  CHECK(predicted(alone, 2) == Approx(2).margin(0.01));
  CHECK(predicted(alone, 3) == Approx(2).margin(0.01));
  CHECK(predicted(alone, 64) == Approx(1).margin(0.01));
  const Plan chain = plan_of({1e6, 2e6, 3e6}, {{0, 1}, {1, 2}});
  CHECK(predicted(chain, 64) == Approx(6).margin(0.01));
  // The long chain goes first, although the short tasks were ready as early.
  const Plan mixed = plan_of({1e6, 1e6, 1e6, 3e6}, {{2, 3}});
  CHECK(predicted(mixed, 2) == Approx(4).margin(0.01));
  Plan moving = plan_of({1e6, 1e6, 1e6, 1e6}, {});
  moving.statistics.bytes_per_step = 3e8;
  CHECK(predict_step(moving, 4, {.bandwidth = 100}).step_ns() == 3e6);
  CHECK(predict_step(moving, 4, {.bandwidth = 100}).bound_by_memory());
  CHECK_FALSE(predict_step(moving, 1, {.bandwidth = 100}).bound_by_memory());
  Plan serial = plan_of({1e6, 1e6, 1e6, 1e6}, {});
  serial.serial = true;
  CHECK(predicted(serial, 4) == 4);
  // The same of times that were measured.
  CHECK(schedule_ns(mixed, 2, std::vector<double>{2e6, 2e6, 1e6, 3e6}) / 1e6 == Approx(4).margin(0.01));
  CHECK(schedule_ns(mixed, 1, std::vector<double>{2e6, 2e6, 1e6, 3e6}) == 8e6);
}

TEST_CASE("cores that use the memory at once share it, those that compute meanwhile take nothing of it") {
  const auto plan_of = [](std::vector<Work> works) {
    Plan plan;
    for (const Work& work : works) {
      Task record;
      record.work = work;
      plan.tasks.push_back(record);
    }
    return plan;
  };
  const auto predicted_ms = [](const Plan& plan, std::size_t cores, double bandwidth) {
    return predict_step(plan, cores, {.bandwidth = bandwidth, .core_bandwidth = 30}).tasks_ns / 1e6;
  };
  const Work moves{.stored_bytes = 30e6};
  const Work computes{.other_ns = 1e6};
  const Plan two = plan_of({moves, moves});
  CHECK(predicted_ms(two, 1, 30) == 2);
  CHECK(predicted_ms(two, 2, 60) == Approx(1).margin(0.01));
  CHECK(predicted_ms(two, 2, 30) == Approx(2).margin(0.01));
  CHECK(predicted_ms(two, 1, 15) == 4);  // a core reaches no more than there is
  CHECK(predicted_ms(plan_of({moves, computes}), 2, 30) == Approx(1).margin(0.01));
  // At the memory for half of its time, so that half a core is in the way of the other.
  CHECK(predicted_ms(
            plan_of({{.stored_bytes = 30e6, .other_ns = 1e6}, {.stored_bytes = 30e6, .other_ns = 1e6}}), 2,
            30) == Approx(2.5).margin(0.01));
}

namespace {

double stored_bytes(const Plan& plan) {
  double bytes = 0;
  for (const Task& task : plan.tasks) bytes += task.work.stored_bytes;
  return bytes;
}

/// Of what is made of an input of so many columns, on one core.
template <class Make>
double predicted_ns(std::int64_t columns, Isa isa, Make make) {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(columns)}}}, {.name = "x"}));
  builder.output("y", make(builder, x));
  LoweringOptions options;
  options.isa = isa;
  options.provider = ProviderChoice::tiles;
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  return predict_step(*lower(graph, 64, ops::kernels(), options), 1, {}).tasks_ns;
}

}  // namespace

TEST_CASE(
    "weights that no cache keeps come from the memory for the first rows that meet them, and for the "
    "update") {
  const auto plan = [](std::int64_t wide) {
    return lower(graphrun::testing::autoencoder({.widths = {784, wide, 30}}), 128, ops::kernels());
  };
  const auto large = plan(1000);
  const double weights = 2.0 * (784 * 1000 + 1000 * 30);
  const double biases = 2 * 1000 + 30 + 784;
  // Adam reads weights, two slots and gradients, and writes all but the gradients.
  CHECK(stored_bytes(*large) == Approx(4 * weights + 4 * 7 * (weights + biases)));
  CHECK(stored_bytes(*plan(100)) == 0);
}

TEST_CASE(
    "functions take their time: e^x several times as long as a sum, half of it in vectors twice as long") {
  const auto of = [](const char* op, Isa isa) {
    return predicted_ns(1'000, isa, [&](Builder&, const Term& x) { return call(op, {x}); });
  };
  CHECK(of("exp", Isa::avx2) > 3 * of("neg", Isa::avx2));
  CHECK(of("erf", Isa::avx2) > 2 * of("exp", Isa::avx2));
  CHECK(of("erf", Isa::avx512) < 0.6 * of("erf", Isa::avx2));
  const auto drawn = [](const char* op) {
    return predicted_ns(1'000, Isa::avx2, [&](Builder& builder, const Term&) {
      return Term(builder, builder.add(op, {}, {{"shape", Shape{n, k(1'000)}}}, {.name = "drawn"}));
    });
  };
  CHECK(drawn("random_normal") > 1.5 * drawn("random_uniform"));
}

TEST_CASE("columns of a product are made by panels, which cost the same when they are not full") {
  const auto product = [](std::int64_t columns) {
    return predicted_ns(512, Isa::avx2, [&](Builder& builder, const Term& x) {
      const Term w(builder, builder.add("param", {}, {{"shape", Shape{k(512), k(columns)}}}, {.name = "w"}));
      return call("matmul", {x, w});
    });
  };
  CHECK(product(33) == Approx(product(48)));
  CHECK(product(49) > 1.2 * product(48));
}

TEST_CASE("a core of the same peak takes longer where vectors are short: each is loaded and counted for") {
  const auto graph = graphrun::testing::autoencoder({.widths = {784, 1000, 500, 30}});
  const auto predicted = [&](Isa isa, double peak) {
    LoweringOptions options;
    options.isa = isa;
    return predict_step(*lower(graph, 512, ops::kernels(), options), 1, {.peak = peak}).step_ns();
  };
  const double longer = predicted(Isa::avx2, 100) / predicted(Isa::avx512, 100);
  CHECK(longer > 1.03);
  CHECK(longer < 1.1);
  // So twice the peak is less than twice the speed.
  CHECK(predicted(Isa::avx2, 100) / predicted(Isa::avx2, 200) < 1.8);
}

TEST_CASE("a unit continues the task it waits for, although it also waits for what that one waits for") {
  // The slope of tanh reads the activation, for which the cotangent's task has waited.
  const auto graph = graphrun::testing::autoencoder({.widths = {784, 256, 128, 64, 2}});
  LoweringOptions options;
  options.fused_update = false;  // into how many pieces updates are cut follows the machine's cache
  const auto plan = lower(graph, 64, ops::kernels(), options);
  CHECK(plan->statistics.slices == 2);
  CHECK(plan->statistics.tasks <= 34);  // 41 if each slope of the narrow layers had its own
}

TEST_CASE("slices of one worker follow each other through wide layers, those of several go on alone") {
  const auto graph = graphrun::testing::autoencoder({.widths = {784, 256, 16}, .training = false});
  const auto tasks_with = [&](std::int64_t batch, std::size_t workers) {
    LoweringOptions options;
    options.workers = workers;
    const auto plan = lower(graph, batch, ops::kernels(), options);
    CHECK(plan->statistics.slices == (batch == 64 ? 2 : 4));
    return plan->statistics.tasks;
  };
  CHECK(tasks_with(64, 1) > tasks_with(64, 2));
  // 256 rows of a slice make more than they read of the weights.
  CHECK(tasks_with(1024, 1) == tasks_with(1024, 4));
}

TEST_CASE("ten thousand nodes are planned, in a chain and side by side, in few buffers") {
  for (const bool wide : {false, true}) {
    Builder builder(ops::registry());
    const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(4)}}}, {.name = "x"}));
    Term h = x;
    Term total = x;
    for (int i = 0; i < 10'000; ++i) {
      h = call("tanh", {wide ? x * static_cast<double>(i) : h});
      if (wide) total = total + h;
    }
    builder.output("h", wide ? total : h);
    const auto plan = lower(std::make_shared<const Graph>(std::move(builder).finish()), 32, ops::kernels());
    CHECK(plan->statistics.groups > 0);
    CHECK(plan->statistics.workspace_bytes < 1'000'000);  // 5 MB if every node had its own
  }
}
