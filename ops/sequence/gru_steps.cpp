#include "ops/sequence/gru_cell.hpp"
#include "ops/sequence/recurrence_kernel.hpp"

namespace graphrun::ops {

Op gru_steps() {
  return recurrence<GruCell>(
      {.name = "gru_steps",
       .doc = "The steps of gated recurrent units, h after each; the block gru is a layer of it.",
       .formula = "r, z = sigmoid of parts of p[t] + h u + b; h = (1 - z) tanh(p[t] + r (h u + b)) + z h, of "
                  "the last "
                  "parts",
       .shapes =
           "[n, steps, 3 units], [units, 3 units], [3 units], [n, steps], [n, units] -> [n, steps, units]"});
}

}  // namespace graphrun::ops
