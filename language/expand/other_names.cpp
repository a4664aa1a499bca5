#include "language/expand/other_names.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace graphrun {
namespace {

struct OtherNames {
  NameOf kind;
  std::vector<std::string_view> names;  ///< in small letters, without _
  std::string_view sentence;
};

const std::vector<OtherNames>& all_names() {
  static const std::vector<OtherNames> names = {
      {NameOf::op,
       {"linear", "fc", "fullyconnected", "innerproduct", "affine", "denselayer", "lazylinear"},
       "A fully connected layer is `dense`."},
      {NameOf::op,
       {"mseloss", "meansquarederror", "l2loss", "l2", "squarederror", "euclidean"},
       "The mean squared error is `mse`."},
      {NameOf::op,
       {"l1loss", "l1", "mae", "maeloss", "meanabsoluteerror", "absoluteerror"},
       "The mean absolute error is a formula: {of: \"abs(y - x)\", reduce: mean}."},
      {NameOf::op,
       {"bceloss", "binarycrossentropy", "binarycrossentropyloss"},
       "The binary cross entropy of probabilities is `bce`, that of logits `bce_with_logits`."},
      {NameOf::op,
       {"bcewithlogitsloss", "bcelogits", "sigmoidcrossentropy", "binarycrossentropywithlogits",
        "sigmoidcrossentropywithlogits"},
       "The binary cross entropy of logits is `bce_with_logits`."},
      {NameOf::op,
       {"crossentropyloss", "categoricalcrossentropy", "sparsecategoricalcrossentropy", "nll", "nllloss",
        "softmaxcrossentropy", "softmaxcrossentropywithlogits", "ce", "xent"},
       "The cross entropy of logits and labels is `cross_entropy`."},
      {NameOf::op,
       {"kl", "kld", "kldiv", "kldivergence", "kldivloss", "klloss"},
       "The divergence of a Gaussian code from the standard one is `gaussian_kl`."},
      {NameOf::op, {"conv", "convolution2d", "convlayer", "conv2dlayer"}, "A convolution layer is `conv2d`."},
      {NameOf::op,
       {"convtranspose", "convtranspose2d", "conv2dtranspose", "deconv", "deconv2d", "deconvolution",
        "transposedconv2d"},
       "A transposed convolution layer is `conv_transpose2d`."},
      {NameOf::op,
       {"conv3d", "convolution3d", "convtranspose3d", "conv3dtranspose", "transposedconv3d", "maxpool3d",
        "maxpooling3d", "avgpool3d", "averagepooling3d"},
       "Windows go over two axes: make the third one channels, by `reshape`, and take the op of images."},
      {NameOf::op,
       {"batchnorm1d", "batchnorm2d", "batchnormalization", "bn"},
       "Normalisation by the batch is `batch_norm`."},
      {NameOf::op, {"layernormalization"}, "Normalisation of each example is `layer_norm`."},
      {NameOf::op, {"maxpool2d", "maxpooling", "maxpooling2d"}, "The largest of each window is `max_pool`."},
      {NameOf::op,
       {"avgpool2d", "averagepooling", "averagepooling2d", "meanpool"},
       "The mean of each window is `avg_pool`."},
      {NameOf::op, {"upsampling", "upsampling2d", "interpolate", "resize"}, "Enlarging is `upsample`."},
      {NameOf::op, {"lrelu"}, "It is called `leaky_relu`."},
      {NameOf::op, {"swish"}, "Swish is `silu`."},
      {NameOf::op, {"identity", "none", "noop"}, "What leaves its input as it is, is `linear`."},
      {NameOf::op, {"view", "unsqueeze", "squeeze", "expanddims"}, "Another shape is given by `reshape`."},
      {NameOf::op, {"permute", "swapaxes", "t"}, "Axes are exchanged by `transpose`."},
      {NameOf::op, {"cat", "concatenate", "concatenation", "hstack", "vstack"}, "Joining is `concat`."},
      {NameOf::op, {"dot", "mm", "bmm", "gemm"}, "The matrix product is `matmul`, in a formula a @ b."},
      {NameOf::op, {"multiply", "times", "hadamard"}, "A product of elements is `mul`, in a formula a * b."},
      {NameOf::op, {"subtract", "minus"}, "A difference is `sub`, in a formula a - b."},
      {NameOf::op, {"divide", "truediv"}, "A quotient is `div`, in a formula a / b."},
      {NameOf::op, {"plus", "addition"}, "A sum of two is `add`, in a formula a + b."},
      {NameOf::op, {"power"}, "A power is `pow`, in a formula a ** b."},
      {NameOf::op, {"ln"}, "The natural logarithm is `log`."},
      {NameOf::op, {"detach", "stopgrad", "nograd"}, "What no gradient passes is `stop_gradient`."},
      {NameOf::op,
       {"randn", "normal", "gaussian", "randnlike"},
       "Standard normal numbers are `random_normal`."},
      {NameOf::op, {"rand", "uniform", "randlike"}, "Uniform numbers are `random_uniform`."},
      {NameOf::op,
       {"noise", "addnoise"},
       "Noise is `gaussian_noise`, `masking`, `salt_pepper` or `dropout`."},
      {NameOf::op, {"mask", "maskingnoise", "corrupt", "corruption"}, "Setting values to 0 is `masking`."},
      {NameOf::op, {"saltandpepper", "saltpeppernoise"}, "It is called `salt_pepper`."},
      {NameOf::op, {"reducemean", "average", "avg"}, "The mean over axes is `mean`."},
      {NameOf::op, {"reducesum"}, "The sum over axes is `sum`."},
      {NameOf::op, {"parameter", "variable", "weight", "weights"}, "A parameter of its own is `param`."},
      {NameOf::op, {"embedding", "lookup", "indexselect"}, "Rows of a table are taken by `gather`."},
      {NameOf::op, {"inputlayer", "placeholder"}, "An input is declared under `inputs:`."},
      {NameOf::op,
       {"sequential", "functional", "modulelist"},
       "Each layer is a node that names what it is computed from; `repeat:` makes several."},
      {NameOf::op,
       {"acc", "categoricalaccuracy", "sparsecategoricalaccuracy"},
       "The share of right answers is `accuracy`."},
      {NameOf::initializer, {"xavier", "xavieruniform", "glorot"}, "Xavier's start is `glorot_uniform`."},
      {NameOf::initializer, {"xaviernormal"}, "Xavier's normal start is `glorot_normal`."},
      {NameOf::initializer, {"kaiming", "kaiminguniform", "he", "heetal"}, "He's start is `he_uniform`."},
      {NameOf::initializer, {"kaimingnormal", "msra"}, "He's normal start is `he_normal`."},
      {NameOf::initializer, {"lecun"}, "LeCun's start is `lecun_uniform`."},
      {NameOf::initializer,
       {"gaussian", "randomnormal", "truncatednormal", "randn"},
       "Write {normal: {mean: 0, std: 0.01}}."},
      {NameOf::initializer,
       {"random", "rand", "randomuniform"},
       "Write {uniform: {low: -0.05, high: 0.05}}."},
      {NameOf::initializer, {"default", "torch", "pytorch"}, "PyTorch's start is `torch_linear`."},
      {NameOf::initializer, {"zero"}, "It is called `zeros`."},
      {NameOf::initializer, {"one"}, "It is called `ones`."},
      {NameOf::dtype, {"float", "float32", "fp32", "single", "double", "float64"}, "32-bit floats are f32."},
      {NameOf::dtype, {"int", "integer", "int32", "int64", "long"}, "Integers are i32."},
      {NameOf::dtype, {"byte", "uint8"}, "Bytes are u8."},
      {NameOf::optimizer,
       {"momentum", "sgdm", "gd", "gradientdescent", "nesterov"},
       "Write {op: sgd, momentum: 0.9}."},
  };
  return names;
}

/// In small letters, without _ and -, and without a module in front.
std::string bare(std::string_view name) {
  if (const std::size_t dot = name.rfind('.'); dot != std::string_view::npos) name.remove_prefix(dot + 1);
  std::string text;
  for (const char c : name)
    if (c != '_' && c != '-') text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

}  // namespace

std::string known_elsewhere(NameOf kind, std::string_view name) {
  const std::string written = bare(name);
  for (const OtherNames& other : all_names()) {
    const bool meant = std::find(other.names.begin(), other.names.end(), written) != other.names.end();
    if (other.kind == kind && meant) return std::string(other.sentence);
  }
  return {};
}

std::string_view attribute_elsewhere(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 27> names = {
      {{"outfeatures", "units"},
       {"features", "units"},
       {"neurons", "units"},
       {"nodes", "units"},
       {"size", "units"},
       {"outputdim", "units"},
       {"activation", "act"},
       {"nonlinearity", "act"},
       {"usebias", "bias"},
       {"initializer", "init"},
       {"kernelinitializer", "init"},
       {"weightinit", "init"},
       {"outchannels", "channels"},
       {"filters", "channels"},
       {"kernelsize", "kernel"},
       {"poolsize", "kernel"},
       {"padding", "pad"},
       {"strides", "stride"},
       {"rate", "amount"},
       {"p", "amount"},
       {"stddev", "amount"},
       {"std", "amount"},
       {"dim", "axis"},
       {"dims", "axis"},
       {"axes", "axis"},
       {"reduction", "reduce"},
       {"epsilon", "eps"}}};
  const std::string written = bare(name);
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&written](const auto& pair) { return pair.first == written; });
  return found == names.end() ? std::string_view() : found->second;
}

bool means_batch(std::string_view size) {
  constexpr std::array<std::string_view, 11> ways = {"None", "none", "null", "-1", "?",         "N",
                                                     "B",    "n",    "b",    "~",  "batch_size"};
  return std::find(ways.begin(), ways.end(), size) != ways.end();
}

}  // namespace graphrun
