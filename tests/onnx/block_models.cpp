#include "tests/onnx/block_models.hpp"

namespace graphrun::testing {

namespace {

std::string model(const std::string& inputs, const std::string& nodes, const std::string& output = "y") {
  return "graphrun: 1\nname: block\ninputs:\n" + inputs + "nodes:\n" + nodes + "outputs: {code: " + output +
         "}\n";
}

const std::string row = "  x: {shape: [batch, 6]}\n";
const std::string series = "  x: {shape: [batch, 5, 3]}\n";
const std::string image = "  x: {shape: [batch, 6, 4, 3]}\n";

}  // namespace

const std::vector<BlockModel>& block_models() {
  static const std::vector<BlockModel> models = {
      {"dense", model(row, "  y: {op: dense, in: x, units: 4, act: tanh}\n"), {"Gemm", "Tanh"}},
      {"dense_without_bias", model(row, "  y: {op: dense, in: x, units: 4, bias: false}\n"), {"MatMul"}},
      {"dense_tied",
       model(row, "  h: {op: dense, in: x, units: 4}\n  y: {op: dense, in: h, units: 6, tie: h}\n"),
       {"Gemm", "Gemm"}},
      {"residual",
       model(row, "  h: {op: dense, in: x, units: 6, act: relu}\n  y: x + h\n"),
       {"Gemm", "Relu", "Add"}},
      {"product_used_twice",
       model(row,
             "  w: {op: param, shape: [6, 6], init: glorot_uniform}\n"
             "  b: {op: param, shape: [6], init: {constant: {value: 0.5}}}\n"
             "  h: x @ w\n  y: (h + b) * h\n"),
       {"MatMul", "Add", "Mul"}},
      {"batch_norm_of_rows", model(row, "  y: {op: batch_norm, in: x}\n"), {"BatchNormalization"}},
      {"batch_norm_of_images",
       model(image, "  y: {op: batch_norm, in: x}\n"),
       {"Transpose", "BatchNormalization", "Transpose"}},
      {"batch_norm_of_sequences",
       model("  x: {shape: [batch, 5, 3]}\n", "  y: {op: batch_norm, in: x}\n"),
       {"Add", "Sqrt", "Div", "Sub", "Mul", "Add"}},
      {"layer_norm",
       model("  x: {shape: [batch, 5, 3]}\n", "  y: {op: layer_norm, in: x, epsilon: 0.01}\n"),
       {"LayerNormalization"}},
      {"layer_norm_of_images",
       model(image, "  c: {op: conv2d, in: x, channels: 5}\n  y: {op: layer_norm, in: c}\n"),
       {"Transpose", "Conv", "Transpose", "LayerNormalization"}},
      {"convolutions",
       model(image,
             "  a: {op: conv2d, in: x, channels: 4, kernel: 3, pad: 1, act: relu}\n"
             "  b: {op: conv2d, in: a, channels: 2, kernel: 2, stride: 2, bias: false}\n"
             "  y: {op: conv_transpose2d, in: b, channels: 3, act: sigmoid}\n"),
       {"Transpose", "Conv", "Relu", "Conv", "ConvTranspose", "Sigmoid", "Transpose"}},
      {"uneven_convolutions",
       model(
           image,
           "  a: {op: conv2d, in: x, channels: 6, kernel: [3, 2], pad: [2, 0, 1, 0], groups: 3, act: relu}\n"
           "  b: {op: conv2d, in: a, channels: 6, kernel: [1, 2], dilation: [1, 2], stride: [2, 1], groups: "
           "6}\n"
           "  y: {op: conv_transpose2d, in: b, channels: 4, kernel: [3, 2], stride: [2, 1], pad: [0, 1, 0, "
           "0],\n"
           "      groups: 2}\n"),
       {"Transpose", "Conv", "Relu", "Conv", "ConvTranspose", "Transpose"}},
      {"uneven_pools",
       model(image,
             "  a: max_pool(x, kernel=[2, 3], stride=[1, 2], pad=[0, 1])\n"
             "  y: avg_pool(a, kernel=[3, 1], stride=1, pad=[1, 2, 0, 0])\n"),
       {"Transpose", "MaxPool", "AveragePool", "Transpose"}},
      {"series", model("  x: {shape: [batch, 12, 3]}\n",
                       "  a: {op: conv1d, in: x, channels: 4, kernel: 5, stride: 2, pad: [2, 1], act: relu}\n"
                       "  y: {op: conv_transpose1d, in: a, channels: 2}\n")},
      {"dense_of_series",
       model("  x: {shape: [batch, 5, 3]}\n", "  y: {op: dense, in: x, units: 4, act: tanh}\n"),
       {"MatMul", "Add", "Tanh"}},
      {"attention",
       model("  x: {shape: [batch, 5, 3]}\n",
             "  q: {op: dense, in: x, units: 4}\n  k: {op: dense, in: x, units: 4}\n"
             "  a: softmax(matmul(q, k, transpose_b=true))\n  y: a @ x\n"),
       {"MatMul", "Add", "MatMul", "Add", "Transpose", "MatMul", "Softmax", "MatMul"}},
      {"lstm",
       model(series, "  y: {op: lstm, in: x, units: 4}\n"),
       {"Transpose", "LSTM", "Squeeze", "Transpose"}},
      {"gru_backwards",
       model(series, "  y: {op: gru, in: x, units: 4, reverse: true}\n"),
       {"Transpose", "GRU", "Squeeze", "Transpose"}},
      {"last_of_recurrences",
       model(series, "  l: {op: lstm, in: x, units: 3}\n  g: {op: gru, in: l, units: 2}\n  y: g.last\n")},
      {"masked_lstm", model(series + "  m: {shape: [batch, 5]}\n",
                            "  y: {op: masked_lstm, in: [x, m], units: 4, reverse: true}\n")},
      {"masked_gru",
       model(series + "  m: {shape: [batch, 5]}\n", "  y: {op: masked_gru, in: [x, m], units: 4}\n")},
      {"all_states", model(series,
                           "  u: {op: param, shape: [3, 12], init: glorot_uniform}\n"
                           "  b: {op: constant, values: 0, shape: [12]}\n"
                           "  s: {op: param, shape: [1, 6], init: glorot_uniform}\n"
                           "  m: {op: constant, values: 1, shape: [1, 5]}\n"
                           "  p: {op: dense, in: x, units: 12}\n"
                           "  y: {op: lstm_steps, in: [p, u, b, m, s]}\n")},
      {"whole_numbers",
       model("  y: {from: labels}\n",
             "  a: (y + 3) % 4 - y / 2\n  b: where(y > 2 and not y == 5 or y < 1, maximum(a, y), -y)\n"
             "  z: cast(b * 2, dtype=f32)\n",
             "z")},
      {"resized",
       model(image, "  y: resize(x, size=[9, 3], mode=bilinear)\n"),
       {"Transpose", "Shape", "Gather", "Concat", "Resize", "Transpose"}},
      {"transposed_with_size", model(image,
                                     "  w: {op: param, shape: [3, 3, 2, 3], init: glorot_uniform}\n"
                                     "  y: transposed_convolution(x, w, stride=2, pad=1, size=[12, 8])\n")},
      {"flattened_images",
       model(image,
             "  a: {op: conv2d, in: x, channels: 4, act: relu}\n"
             "  f: relu(flatten(a) * 2 - 0.5)\n"
             "  y: {op: dense, in: f, units: 5}\n"),
       {"Transpose", "Conv", "Relu", "Reshape", "Mul", "Sub", "Relu", "Gemm"}},
      {"flattened_and_normalised",
       model(image,
             "  a: {op: conv2d, in: x, channels: 4}\n"
             "  n: {op: batch_norm, in: flatten(a)}\n"
             "  y: {op: dense, in: n, units: 5}\n"),
       {"Transpose", "Conv", "Reshape", "BatchNormalization", "Gemm"}},
      {"flattened_and_used_elsewhere",
       model(image,
             "  a: {op: conv2d, in: x, channels: 4}\n  f: flatten(a)\n"
             "  d: {op: dense, in: f, units: 32}\n  y: d + f\n"),
       {"Transpose", "Conv", "Transpose", "Reshape", "Gemm", "Add"}},
      {"images_of_rows",
       model(row,
             "  d: {op: dense, in: x, units: 48, act: relu}\n"
             "  n: {op: batch_norm, in: d}\n"
             "  g: {op: reshape, in: n, shape: [batch, 4, 4, 3]}\n"
             "  y: {op: conv_transpose2d, in: relu(g), channels: 1}\n"),
       {"Gemm", "Relu", "BatchNormalization", "Reshape", "Relu", "ConvTranspose", "Reshape"}},
      {"images_of_rows_with_vectors", model(row,
                                            "  s: {op: param, shape: [48], init: glorot_uniform}\n"
                                            "  d: {op: dense, in: x, units: 48}\n"
                                            "  e: d * exp(s) + 1\n"
                                            "  g: {op: reshape, in: e, shape: [batch, 4, 4, 3]}\n"
                                            "  y: {op: conv2d, in: g, channels: 2}\n")},
      {"rows_there_and_back",
       model(image,
             "  a: {op: conv2d, in: x, channels: 4, pad: 1}\n"
             "  d: {op: dense, in: flatten(a), units: 96, act: relu}\n"
             "  g: {op: reshape, in: d, shape: [batch, 6, 4, 4]}\n"
             "  y: {op: conv2d, in: g, channels: 2}\n"),
       {"Transpose", "Conv", "Reshape", "Gemm", "Relu", "Reshape", "Conv", "Transpose"}},
      {"images_with_all_kinds_of_operands",
       model(image,
             "  c: {op: param, shape: [3], init: glorot_uniform}\n"
             "  wc: {op: param, shape: [4, 3], init: glorot_uniform}\n"
             "  hwc: {op: param, shape: [6, 4, 3], init: glorot_uniform}\n"
             "  w1: {op: param, shape: [4, 1], init: glorot_uniform}\n"
             "  p: max_pool(x, kernel=1)\n"
             "  y: where(p > hwc, p * c + wc, p / (w1 + 3)) + exp(wc) + sum(p, axis=3, keepdims=true) + "
             "sum(p, axis=[1, 2], keepdims=true)\n")},
      {"pooled_images",
       model(image,
             "  p: avg_pool(max_pool(x, kernel=3, stride=1, pad=1), kernel=2)\n"
             "  y: {op: mean, in: p, axis: [1, 2]}\n"),
       {"Transpose", "MaxPool", "AveragePool", "ReduceMean"}},
      {"normalised_and_pooled",
       model(image,
             "  c: {op: conv2d, in: x, channels: 4}\n  b: {op: batch_norm, in: c}\n"
             "  y: relu(max_pool(b, kernel=2))\n"),
       {"Transpose", "Conv", "BatchNormalization", "MaxPool", "Relu", "Transpose"}},
      {"reductions_of_images", model(image,
                                     "  p: max_pool(x, kernel=2)\n"
                                     "  y: sum(sum(p, axis=1), axis=1) + sum(max(p, axis=2), axis=1) * 2\n")},
      {"channels_of_images",
       model(image,
             "  a: {op: conv2d, in: x, channels: 4}\n"
             "  b: concat(a, a * 2, axis=3)\n"
             "  c: slice(b, axis=3, start=1, stop=7, step=2)\n"
             "  d: slice(c, axis=1, start=1)\n"
             "  y: softmax(d) + log_softmax(d, axis=2)\n"),
       {"Transpose", "Conv", "Mul", "Concat", "Slice", "Slice", "Softmax", "LogSoftmax", "Add", "Transpose"}},
      {"largest_channel",
       model(image, "  a: {op: conv2d, in: x, channels: 4}\n  y: argmax(a)\n"),
       {"Transpose", "Conv", "ArgMax", "Cast"}},
      {"enlarged_images",
       model(image, "  a: upsample(x, factor=3)\n  y: upsample(a, factor=2, mode=bilinear)\n"),
       {"Transpose", "Resize", "Resize", "Transpose"}},
      {"noise_is_left_out",
       model(row,
             "  n: {op: gaussian_noise, in: x, amount: 0.3, when: train}\n"
             "  y: {op: dropout, in: n, amount: 0.5}\n"),
       {"Identity"}},
      {"embedding",
       model("  y: {from: labels}\n",
             "  t: {op: param, shape: [10, 3], init: glorot_uniform}\n  z: gather(t, y)\n", "z"),
       {"Cast", "GreaterOrEqual", "Less", "And", "Where", "Gather", "Unsqueeze", "Where"}},
      {"codebook", model(row,
                         "  t: {op: param, shape: [10, 6], init: glorot_uniform}\n"
                         "  i: argmin(pairwise_distance(x, t))\n  y: straight_through(gather(t, i), x)\n")},
      {"shapes_with_the_batch",
       model(row,
             "  a: {op: reshape, in: x, shape: [-1, 3]}\n"
             "  b: {op: reshape, in: \"concat(a, a, axis=0)\", shape: [batch, 12]}\n"
             "  c: {op: broadcast_to, in: \"sum(b, axis=0, keepdims=true)\", shape: [batch, 12]}\n"
             "  y: b + c / batch\n")},
      {"pairs_of_rows", model(row, "  y: 4 / (4 + pairwise_distance(x, x))\n")},
      {"rows_chosen", model(row, "  y: x * top_k_mask(x, k=2)\n"), {"TopK", "OneHot", "ReduceSum", "Mul"}},
      {"losses", model("  x: {shape: [batch, 6]}\n  y: {from: labels}\n",
                       "  h: {op: dense, in: x, units: 10}\n"
                       "  p: sigmoid(h)\n  t: slice(concat(x, x), stop=10)\n"
                       "  a: {op: cross_entropy, in: [h, y]}\n"
                       "  b: {op: bce, in: [p, t]}\n"
                       "  c: {op: mse, in: [p, t]}\n"
                       "  d: {op: psnr, in: [p, t]}\n"
                       "  e: {op: accuracy, in: [h, y]}\n"
                       "  f: {op: gaussian_kl, in: [h, t]}\n"
                       "  g: {op: bce_with_logits, in: [h, t]}\n"
                       "  z: a + d + e + sum(b + c + f + g, axis=1)\n",
                       "z")},
      {"slope", model(row, "  h: {op: dense, in: x, units: 4, act: tanh}\n  y: grad(sum(h ** 2), x)\n")},
      {"names_that_meet", model("  code: {shape: [batch, 6]}\n", "  y: code * 2\n")},
      {"one_node_in_two_roles",
       "graphrun: 1\nname: block\ninputs: {x: {shape: [batch, 6]}}\nnodes: {y: x * 2}\n"
       "outputs: {code: y, image: y, same: x}\n",
       {"Mul", "Identity", "Identity"}},
  };
  return models;
}

}  // namespace graphrun::testing
