#include "runtime/lower/lowering.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>

#include "graph/broadcast.hpp"
#include "graph/interpreter.hpp"
#include "graph/print.hpp"
#include "graph/term.hpp"
#include "ops/op.hpp"
#include "runtime/execute/session.hpp"
#include "runtime/lower/lower.hpp"
#include "runtime/lower/predict.hpp"
#include "runtime/products/tiled_matmul.hpp"
#include "tests/runtime/network.hpp"
#include "tests/support/catch.hpp"

using namespace graphrun;
using namespace graphrun::runtime;

namespace {

// ---- Random graphs
// -----------------------------------------------------------------------------------------

constexpr Dim n = Dim::batch();
Dim k(std::int64_t number) {
  return Dim::number(number);
}

/// Elementwise chains over every kind of broadcasting, reductions, reshapes and products, over and over.
class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : generator_(seed), builder_(ops::registry()) {
    const std::vector<Shape> shapes = {{n, k(7)},   {n, k(7)}, {n, k(1)},    {k(7)},          {k(1), k(7)},
                                       {},          {n},       {n, n},       {n, k(3), k(7)}, {k(3), k(1)},
                                       {n, k(600)}, {k(600)},  {k(4), k(7)}, {k(7), k(3)}};
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      pool_.push_back(builder_.add("input", {}, {{"shape", shapes[i]}}, {.name = "in" + std::to_string(i)}));
    }
    for (int i = 0; i < 40; ++i) grow();
    for (int i = 0; i < 6; ++i)
      builder_.output("out" + std::to_string(i), pool_[pool_.size() - 1 - pick(12)]);
  }

  Graph take() { return std::move(builder_).finish(); }

 private:
  std::size_t pick(std::size_t count) { return generator_() % count; }
  NodeId any() { return pool_[pool_.size() - 1 - pick(std::min<std::size_t>(pool_.size(), 24))]; }
  void keep(NodeId id) { pool_.push_back(id); }

  void grow() {
    const NodeId a = any();
    const Shape shape = builder_.type(a).shape;
    switch (pick(8)) {
      case 0:
      case 1:
      case 2:
        return binary(a);
      case 3:
        return keep(builder_.add("tanh", {a}));
      case 4:
        return keep(builder_.add("sigmoid", {a}));
      case 5:
        return reduce(a, shape);
      case 6:
        return product(a, shape);
      default:
        return reshape(a, shape);
    }
  }

  void binary(NodeId a) {
    const NodeId b = any();
    if (!broadcast(builder_.type(a).shape, builder_.type(b).shape)) return;
    const char* const names[] = {"add", "sub", "mul", "maximum"};
    // Bounded, so that errors stay small.
    keep(builder_.add("tanh", {builder_.add(names[pick(4)], {a, b})}));
  }

  void reduce(NodeId a, const Shape& shape) {
    if (shape.empty()) return;
    Axes axes{pick(3) == 0, {}};
    if (!axes.all) axes.list = {static_cast<std::int64_t>(pick(shape.size()))};
    const char* const op = pick(3) == 0 ? "max" : "sum";
    const NodeId reduced = builder_.add(op, {a}, {{"axis", axes}, {"keepdims", pick(2) == 0}});
    keep(builder_.add("tanh", {builder_.add("mul", {reduced, builder_.constant(0.01)})}));
  }

  void product(NodeId a, const Shape& shape) {
    if (shape.size() < 2) return;
    const NodeId b = any();
    const Shape& other = builder_.type(b).shape;
    if (other.size() < 2) return;
    const bool ta = pick(2) == 0;
    const bool tb = pick(2) == 0;
    if (shape[shape.size() - (ta ? 2 : 1)] != other[other.size() - (tb ? 1 : 2)]) return;
    if (!broadcast(Shape(shape.begin(), shape.end() - 2), Shape(other.begin(), other.end() - 2))) return;
    const NodeId product = builder_.add("matmul", {a, b}, {{"transpose_a", ta}, {"transpose_b", tb}});
    keep(builder_.add("tanh", {product}));
  }

  void reshape(NodeId a, const Shape& shape) {
    Shape to;
    if (shape == Shape{n, k(7)}) to = {n, k(7), k(1)};
    if (shape == Shape{n, k(3), k(7)}) to = {n, k(21)};
    if (shape == Shape{n}) to = {n, k(1)};
    if (shape == Shape{n, k(1)}) to = {n};
    if (shape == Shape{k(7)}) to = {k(7), k(1)};
    if (!to.empty()) keep(builder_.add("reshape", {a}, {{"shape", to}}));
  }

  std::mt19937 generator_;
  Builder builder_;
  std::vector<NodeId> pool_;
};

graphrun::testing::Values random_inputs(const Graph& graph, std::int64_t batch, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> distribution(-1, 1);
  graphrun::testing::Values values;
  for (const Node& node : graph.nodes()) {
    if (!node.op->traits.input) continue;
    const Extents extents = graphrun::bind(node.type.shape, batch);
    std::vector<float> elements(static_cast<std::size_t>(element_count(extents)));
    for (float& element : elements) element = distribution(generator);
    values.set(node.name, extents, std::move(elements));
  }
  return values;
}

std::vector<std::vector<float>> outputs_of(const std::shared_ptr<const Graph>& graph, std::int64_t batch,
                                           const graphrun::testing::Values& inputs,
                                           const LoweringOptions& lowering) {
  SessionOptions options;
  options.threads = 2;
  options.executor = ExecutorKind::threads;
  options.lowering = lowering;
  options.poison_workspace = true;
  Session session(ops::registry(), ops::kernels(), options);
  const ProgramId program = session.add(graph);
  std::vector<std::vector<float>> values;
  for (const PlanOutput& output : session.prepare(program, batch).outputs)
    values.emplace_back(output.bytes / 4);
  std::vector<Fetch> fetches;
  for (std::size_t i = 0; i < values.size(); ++i) {
    fetches.push_back({graph->outputs()[i].name, std::as_writable_bytes(std::span(values[i]))});
  }
  const auto feeds = inputs.feeds();
  session.run(program, {.batch = batch, .feeds = feeds, .fetches = fetches, .random = {}, .stop = {}});
  return values;
}

bool near(const std::vector<float>& values, const std::vector<double>& exact) {
  return values.size() == exact.size() &&
         std::equal(values.begin(), values.end(), exact.begin(),
                    [](float a, double b) { return std::abs(a - b) <= 2e-5 * std::max(1.0, std::abs(b)); });
}

// ---- Golden text
// -------------------------------------------------------------------------------------------

std::string groups_of(const std::shared_ptr<const Graph>& graph, std::int64_t batch,
                      const LoweringOptions& options = {}) {
  return lower(graph, batch, ops::kernels(), options)->groups;
}

std::string line_with(const std::string& text, std::string_view part) {
  const std::size_t found = text.find(part);
  if (found == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', found) + 1;
  return text.substr(begin, text.find('\n', found) - begin);
}

/// x, w, b -> tanh(x @ w + b), its mean square, and what an update of nothing reads.
std::shared_ptr<const Graph> one_layer() {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(8)}}}, {.name = "x"}));
  const Term w(builder, builder.add("param", {}, {{"shape", Shape{k(8), k(4)}}}, {.name = "w"}));
  const Term b(builder, builder.add("param", {}, {{"shape", Shape{k(4)}}}, {.name = "b"}));
  const Term z = call("matmul", {x, w}, {}, {.name = "z"});
  const Term s(builder, builder.add("add", {z, b}, {}, {.name = "s"}));
  const Term h = call("tanh", {s}, {}, {.name = "h"});
  const Term square = call("square", {h}, {}, {.name = "square"});
  const Term row = call("sum", {square}, {{"axis", Axes{false, {1}}}}, {.name = "row"});
  const Term half = call("mul", {row, constant_like(row, 0.5)}, {}, {.name = "half"});
  builder.output("rows", half);
  builder.output("loss", call("sum", {half}, {}, {.name = "loss"}));
  return std::make_shared<const Graph>(std::move(builder).finish());
}

// ---- Fused forms
// ----------------------------------------------------------------------------------------------

NodeId add_tree(Builder& builder, const PatternTerm& term, const std::vector<NodeId>& names, bool commuted) {
  if (term.op.empty()) return names[term.name];
  std::vector<NodeId> inputs;
  for (const PatternTerm& input : term.inputs) inputs.push_back(add_tree(builder, input, names, commuted));
  if (commuted && ops::registry().get(term.op).traits.bitwise_commutative) std::ranges::reverse(inputs);
  Attributes attributes;
  if (term.op == "sum") attributes = {{"axis", Axes{false, {1}}}};
  return builder.add(term.op, inputs, attributes);
}

/// The tree of a pattern; the name numbered `scalar`, if there is one, is one number for all elements.
std::shared_ptr<const Graph> graph_of(const Pattern& pattern, bool commuted, std::size_t scalar) {
  Builder builder(ops::registry());
  std::vector<NodeId> names;
  for (std::size_t i = 0; i < pattern.names(); ++i) {
    const Shape shape = i == scalar ? Shape{} : Shape{n, k(605)};
    names.push_back(builder.add("input", {}, {{"shape", shape}}, {.name = "in" + std::to_string(i)}));
  }
  builder.output("y", add_tree(builder, pattern.root(), names, commuted));
  return std::make_shared<const Graph>(std::move(builder).finish());
}

/// How many kernels run the elementwise group that this op is in.
std::size_t kernels_of(const Graph& graph, std::int64_t batch, std::string_view op) {
  const BoundGraph bound = bind_graph(graph, batch, ops::kernels(), {});
  for (const Group& group : partition_graph(bound, {}).groups) {
    const auto of_op = [&](NodeId id) { return graph.node(id).op->name == op; };
    if (group.kind != GroupKind::elementwise || std::ranges::none_of(group.members, of_op)) continue;
    const ElementwiseProgram program = elementwise_program(bound, group, detected_isa());
    return program.instructions.size() + program.reductions.size();
  }
  return 0;
}

void check_form(const Pattern& pattern) {
  constexpr std::int64_t batch = 19;
  for (const bool commuted : {false, true}) {
    for (std::size_t scalar = 0; scalar <= pattern.names(); ++scalar) {
      if (scalar < pattern.names() && pattern.names() == 1) continue;
      const auto graph = graph_of(pattern, commuted, scalar);
      CAPTURE(to_text(*graph));
      // An op on that number alone stays outside.
      if (scalar == pattern.names()) CHECK(kernels_of(*graph, batch, pattern.root().op) == 1);
      const auto inputs = random_inputs(*graph, batch, 7);
      for (int isa = 0; isa <= static_cast<int>(detected_isa()); ++isa) {
        LoweringOptions fused;
        fused.isa = static_cast<Isa>(isa);
        LoweringOptions unfused = fused;
        unfused.fusion = false;
        CHECK(outputs_of(graph, batch, inputs, fused) == outputs_of(graph, batch, inputs, unfused));
      }
    }
  }
}

}  // namespace

TEST_CASE("random graphs agree with the f64 reference, each optimisation on and off") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    const auto graph = std::make_shared<const Graph>(RandomGraph(seed).take());
    for (const std::int64_t batch : {1, 37}) {
      const auto inputs = random_inputs(*graph, batch, seed);
      HostVariables none;
      const auto exact = interpret(*graph, none, {batch, inputs.host(), {}});
      for (int off = 0; off < 5; ++off) {
        LoweringOptions options;
        options.fusion = off != 1;
        options.post_ops = off != 2;
        options.memory_sharing = off != 3;
        options.keep_values = off == 4;
        options.isa = std::min(static_cast<Isa>(off % 3), detected_isa());
        const auto values = outputs_of(graph, batch, inputs, options);
        for (std::size_t i = 0; i < values.size(); ++i) {
          CAPTURE(seed, batch, off, i, graph->node(graph->outputs()[i].node).name);
          CHECK(near(values[i], exact[graph->outputs()[i].node].values));
        }
      }
    }
  }
}

TEST_CASE("a bias rides on a product, and a chain, from its activation to its reduction, is one group") {
  CHECK(groups_of(one_layer(), 32) ==
        "0 rows product z s -> s\n"
        "1 rows elementwise h square row -> row\n"
        "2 rows elementwise half -> half\n"
        "3 whole elementwise loss -> loss\n");
}

TEST_CASE("a layer of series runs as one of rows: bias and activation ride on one product of all steps") {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(5), k(6)}}}, {.name = "x"}));
  const Term w(builder, builder.add("param", {}, {{"shape", Shape{k(6), k(4)}}}, {.name = "w"}));
  const Term b(builder, builder.add("param", {}, {{"shape", Shape{k(4)}}}, {.name = "b"}));
  const Term z = call("matmul", {x, w}, {}, {.name = "z"});
  const Term s = call("add", {z, b}, {}, {.name = "s"});
  builder.output("h", call("tanh", {s}, {}, {.name = "h"}));
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  CHECK(groups_of(graph, 32) == "0 rows product z s h -> h\n");
}

TEST_CASE("an activation rides on its product when anything but a chain reads it") {
  const auto graph = graphrun::testing::autoencoder({.widths = {8, 4}, .training = false});
  const std::string groups = groups_of(graph, 32);
  INFO(groups);
  for (const auto* op : {"tanh", "sigmoid"}) {
    const std::string line = line_with(groups, op);
    CHECK(line.find("rows product") != std::string::npos);
  }
}

namespace {

/// The gradients of a layer with their readers; `late` puts the bias gradient before the product's left
/// operand, so that the product cannot make it.
std::shared_ptr<const Graph> layer_gradients(std::int64_t units, bool late, bool series) {
  Builder builder(ops::registry());
  const auto input = [&](const char* name, std::int64_t last) {
    const Shape shape = series ? Shape{n, k(6), k(last)} : Shape{n, k(last)};
    return Term(builder, builder.add("input", {}, {{"shape", shape}}, {.name = name}));
  };
  const auto rows = [&](const Term& all, std::int64_t last) {
    return series ? call("reshape", {all}, {{"shape", Shape{Dim{6, 0}, k(last)}}}) : all;
  };
  const Term x = input("x", 40);
  const Term g = input("g", units);
  const Axes all_but_last{false, series ? std::vector<std::int64_t>{1, 0} : std::vector<std::int64_t>{0}};
  const Term bias = call("sum", {g}, {{"axis", all_but_last}}, {.name = "bias"});
  const Term left = late ? x * (0.01 * call("sum", {bias}, {})) : x;
  const Term weight =
      call("matmul", {rows(left, 40), rows(g, units)}, {{"transpose_a", true}}, {.name = "weight"});
  builder.output("bias", bias);
  builder.output("weight", weight);
  builder.output("reader", call("tanh", {bias * 0.01}));
  return std::make_shared<const Graph>(std::move(builder).finish());
}

}  // namespace

TEST_CASE("a bias gradient is summed by the product that makes the weight gradient") {
  for (const std::int64_t units : {3, 16, 40, 100}) {
    for (const auto& [late, series] :
         {std::pair{false, false}, std::pair{true, false}, std::pair{false, true}, std::pair{true, true}}) {
      CAPTURE(units, late, series);
      const auto graph = layer_gradients(units, late, series);
      const bool sums = detected_isa() != Isa::baseline;
      const std::string line = line_with(groups_of(graph, 50), "product");
      CHECK((line.find("bias") != std::string::npos) == (sums && !late));
      const auto inputs = random_inputs(*graph, 50, 3);
      HostVariables none;
      const auto exact = interpret(*graph, none, {50, inputs.host(), {}});
      const auto values = outputs_of(graph, 50, inputs, {});
      for (std::size_t i = 0; i < values.size(); ++i) {
        CHECK(near(values[i], exact[graph->outputs()[i].node].values));
      }
    }
  }
}

TEST_CASE("a value that is stretched costs nothing inside a group") {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(8)}}}, {.name = "x"}));
  const Term s(builder, builder.add("input", {}, {{"shape", Shape{n, k(1)}}}, {.name = "s"}));
  const Term wide = call("broadcast_to", {s}, {{"shape", Shape{n, k(8)}}}, {.name = "wide"});
  const Term y = call("tanh", {x * wide}, {}, {.name = "y"});
  builder.output("y", y);
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  CHECK(groups_of(graph, 32) == "0 rows elementwise wide mul:3 y -> y\n");
}

TEST_CASE("without fusion and post-ops every node is a group") {
  LoweringOptions options;
  options.fusion = false;
  options.post_ops = false;
  CHECK(groups_of(one_layer(), 32, options) ==
        "0 rows product z -> z\n"
        "1 rows elementwise s -> s\n"
        "2 rows elementwise h -> h\n"
        "3 rows elementwise square -> square\n"
        "4 rows elementwise row -> row\n"
        "5 rows elementwise half -> half\n"
        "6 whole elementwise loss -> loss\n");
}

TEST_CASE("loss value and gradient of the output are one pass over the output") {
  const auto graph = graphrun::testing::autoencoder({.widths = {8, 4}});
  CHECK(kernels_of(*graph, 32, "square") == 2);
  const std::string groups = groups_of(graph, 32);
  INFO(groups);
  // The last layer's slope, the squares and their sum over the row: one group that stores two values.
  const std::string line = line_with(groups, "square");
  CHECK(line.find("rows elementwise") != std::string::npos);
  CHECK(line.find("sum") != std::string::npos);
  CHECK(std::count(line.begin() + static_cast<std::ptrdiff_t>(line.find("->")), line.end(), ' ') == 2);
}

TEST_CASE("a fused form is one kernel and has the bits of its ops, as they stand and commuted") {
  for (const OpDef& op : ops::registry().ops()) {
    const KernelDef* const kernel = ops::kernels().find(op);
    if (kernel == nullptr) continue;
    for (const auto& form : kernel->forms) check_form(form.pattern);
    for (const auto& form : kernel->folds) check_form(form.pattern);
  }
}

TEST_CASE("what lies within a fused form may be wanted beside it, and a near miss is none") {
  Builder builder(ops::registry());
  const auto named = [&](const char* name) {
    return Term(builder, builder.add("input", {}, {{"shape", Shape{n, k(600)}}}, {.name = name}));
  };
  const Term g = named("g");
  const Term y = named("y");
  const Term z = named("z");
  const Term slope = y * (1.0 - y);
  builder.output("both", g * slope);
  builder.output("slope", slope);
  builder.output("other", g * (y * (1.0 - z)));
  const Term error = y - z;
  builder.output("errors", call("sum", {call("square", {error})}, {{"axis", Axes{false, {1}}}}));
  builder.output("next", error * g);
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  const auto inputs = random_inputs(*graph, 5, 1);
  LoweringOptions unfused;
  unfused.fusion = false;
  CHECK(outputs_of(graph, 5, inputs, {}) == outputs_of(graph, 5, inputs, unfused));
}

TEST_CASE("a pattern that cannot be read is refused") {
  for (const char* text : {"", "g", "mul(g", "mul(g, )", "mul(g) ", "sum(a, b, c, d, e)"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(Pattern(text), Error);
  }
  CHECK(Pattern("mul(g, mul(y, sub(one, y)))").names() == 3);
}

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
        const bool product = first.call == nullptr;
        if (!of_rows && product) largest = std::max(largest, task.nanoseconds);
      }
      // An eighth, and as much again for pieces of at least 28 rows and what joins them.
      CHECK(largest < total / (4 * static_cast<double>(workers)));
    }
  }
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
}

TEST_CASE("a unit continues the task it waits for, although it also waits for what that one waits for") {
  // The slope of tanh reads the activation, for which the cotangent's task has waited.
  const auto graph = graphrun::testing::autoencoder({.widths = {784, 256, 128, 64, 2}});
  const auto plan = lower(graph, 64, ops::kernels());
  CHECK(plan->statistics.slices == 2);
  CHECK(plan->statistics.tasks <= 38);  // 43 if each slope of the narrow layers had its own
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

TEST_CASE(
    "with oneDNN every product and every lone function is one of its primitives, and nothing else changes") {
  const auto graph = graphrun::testing::autoencoder({.widths = {130, 601, 33}});
  LoweringOptions options;
  options.provider = ProviderChoice::onednn;
  const auto library = lower(graph, 160, ops::kernels(), options);
  options.provider = ProviderChoice::tiles;
  const auto tiles = lower(graph, 160, ops::kernels(), options);
  CHECK(library->groups == tiles->groups);
  std::size_t gradients = 0;
  for (const Unit& unit : library->units) {
    const std::string primitive = library->implementation(unit);
    CAPTURE(graph->node(unit.node).name, primitive);
    if (unit.call == nullptr) {
      CHECK(primitive.starts_with("oneDNN "));
    } else if (graph->node(unit.node).op->name == "mul" && primitive.starts_with("oneDNN ")) {
      ++gradients;
    }
  }
  CHECK(gradients >= 3 * library->statistics.slices);  // the slopes of the hidden layers
  CHECK(library->warnings.empty());
  for (const Unit& unit : tiles->units) {
    if (unit.call != nullptr) CHECK(tiles->implementation(unit).empty());
  }
}

TEST_CASE("a function that stands alone runs in oneDNN when that was asked for") {
  Builder builder(ops::registry());
  const Term x(builder, builder.add("input", {}, {{"shape", Shape{n, k(70)}}}, {.name = "x"}));
  for (const char* op : {"tanh", "sigmoid", "gelu", "softplus", "relu", "exp"})
    builder.output(op, call(op, {x}));
  const auto graph = std::make_shared<const Graph>(std::move(builder).finish());
  LoweringOptions options;
  options.fusion = false;
  options.provider = ProviderChoice::onednn;
  const auto plan = lower(graph, 37, ops::kernels(), options);
  std::size_t primitives = 0;
  for (const std::string& name : plan->implementations) primitives += name.empty() ? 0U : 1U;
  CHECK(primitives == 4);  // relu hides NaN there, exp has no name here
  const auto inputs = random_inputs(*graph, 37, 3);
  HostVariables none;
  const auto exact = interpret(*graph, none, {37, inputs.host(), {}});
  const auto values = outputs_of(graph, 37, inputs, options);
  for (std::size_t i = 0; i < values.size(); ++i)
    CHECK(near(values[i], exact[graph->outputs()[i].node].values));
}
