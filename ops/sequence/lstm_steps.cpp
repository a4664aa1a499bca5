#include "ops/sequence/lstm_cell.hpp"
#include "ops/sequence/recurrence_kernel.hpp"

namespace graphrun::ops {

Op lstm_steps() {
  return recurrence<LstmCell>(
      {.name = "lstm_steps",
       .doc = "The steps of long short-term memory, h and c after each; the block lstm is a layer of it.",
       .formula = "i, f, v, o = parts of p[t] + h u + b; c = sigmoid(f) c + sigmoid(i) tanh(v), h = "
                  "sigmoid(o) tanh(c)",
       .shapes = "[n, steps, 4 units], [units, 4 units], [4 units], [n, steps], [n, 2 units] -> [n, steps, 2 "
                 "units]"});
}

}  // namespace graphrun::ops
