#include "graph/print.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/graphs.hpp"
#include "tests/support/thrown.hpp"

using namespace graphrun;
using namespace graphrun::testing;

namespace {

Graph example() {
  Maker m;
  const Term x = m.input("x", batch_of({784}));
  const Term w = m.param("enc.0.w", shape({784, 256}));
  const Term z = call("matmul", {x, w}, {}, {.name = "enc.0.z"});
  const Term loss = call("sum", {z}, {{"keepdims", true}}, {.name = "a \"loss\""});
  const Term slope = call("exp", {z}, {}, {.name = "grad/enc.0.z/exp"});
  m.builder.add("check_finite", {slope}, {}, {.name = "finite", .controls = {loss}});
  m.output("code", z);
  return m.finish();
}

}  // namespace

TEST_CASE("a graph as text: ids, names, attributes that are not defaults, types, controls, outputs") {
  CHECK(to_text(example()) ==
        "%0 x = input(shape=[batch, 784])  f32[batch, 784]\n"
        "%1 enc.0.w = param(shape=[784, 256])  f32[784, 256]\n"
        "%2 enc.0.z = matmul(%0 x, %1 enc.0.w)  f32[batch, 256]\n"
        "%3 a \"loss\" = sum(%2 enc.0.z, keepdims=true)  f32[1, 1]\n"
        "%4 grad/enc.0.z/exp = exp(%2 enc.0.z)  f32[batch, 256]\n"
        "%5 finite = check_finite(%4 grad/enc.0.z/exp)  after %3 a \"loss\"\n"
        "output code = %2 enc.0.z\n");
  CHECK(to_text(Graph()).empty());
}

TEST_CASE("a graph as DOT: a box for each block, dashed controls, quoted names") {
  CHECK(to_dot(example()) == R"(digraph graphrun {
  rankdir=TB;
  node [shape=box, style=filled, fontname="sans-serif"];
  n0 [label="x\ninput shape=[batch, 784]\nf32[batch, 784]", fillcolor="#cfe8ff"];
  n3 [label="a \"loss\"\nsum keepdims=true\nf32[1, 1]", fillcolor="white"];
  n4 [label="grad/enc.0.z/exp\nexp\nf32[batch, 256]", fillcolor="white"];
  n5 [label="finite\ncheck_finite", fillcolor="white"];
  subgraph "cluster_enc.0" {
  label="enc.0";
  n1 [label="enc.0.w\nparam shape=[784, 256]\nf32[784, 256]", fillcolor="#ffe9b3"];
  n2 [label="enc.0.z\nmatmul\nf32[batch, 256]", fillcolor="white"];
  }
  n0 -> n2;
  n1 -> n2;
  n2 -> n3;
  n2 -> n4;
  n4 -> n5;
  n3 -> n5 [style=dashed];
  "output code" [label="code", shape=plaintext];
  n2 -> "output code";
}
)");
}

TEST_CASE("DOT colours the parts, and leaves the boxes out when asked") {
  const std::string dot = to_dot(example(), {.clusters = false, .colours = true});
  CHECK_FALSE(contains(dot, "cluster"));
  CHECK(contains(dot, R"(matmul\nf32[batch, 256]", fillcolor="#e6f4e6")"));
  CHECK(contains(dot, R"(exp\nf32[batch, 256]", fillcolor="#fbe0e0")"));
  CHECK(contains(dot, R"(check_finite", fillcolor="#eadcf5")"));
}
