// The op list. Each op is a file of this folder that defines one of these functions.
#include "ops/op.hpp"

namespace graphrun::ops {

// Elementwise.
Op abs(), add(), clip(), cos(), div(), elu(), equal(), erf(), exp(), gelu(), greater(), greater_equal(),
    leaky_relu(), less(), less_equal(), linear(), log(), logical_and(), logical_not(), logical_or(),
    logical_xor(), maximum(), minimum(), mod(), mul(), neg(), not_equal(), pow(), relu(), round_bf16(),
    sigmoid(), sign(), silu(), sin(), softplus(), sqrt(), square(), step(), sub(), tanh(), where();
// What graphs are held together with.
Op assign(), cast(), check_finite(), constant(), during(), grad(), input(), param(), running_average(),
    size(), stop_gradient(), straight_through();
// Matrices, reductions, shapes.
Op argmax(), avg_pool(), avg_pool_gradient(), broadcast_to(), centred_sums(), concat(), convolution(),
    convolution_weight_gradient(), extreme_pool(), extreme_pool_gradient(), extreme_pool_pick(), gather(),
    gather_elements(), gru_steps(), gru_steps_gradient(), lstm_steps(), lstm_steps_gradient(), log_softmax(),
    logsumexp(), matmul(), max(), max_pool(), max_pool_gradient(), max_pool_pick(), moments(), normalise(),
    normalised_pool_gradient(), one_hot(), pad_slice(), pooled_moments(), reshape(), resize(),
    resize_gradient(), row_moments(), scatter_add(), scatter_elements_add(), slice(), softmax(), sum(),
    top_k_mask(), transpose(), transposed_convolution(), upsample(), upsample_gradient();
// Draws.
Op bernoulli(), random_normal(), random_uniform();
// Updates of variables.
Op adagrad_update(), adam_update(), adamw_update(), momentum_update(), nadam_update(),
    rmsprop_momentum_update(), rmsprop_update(), sgd_update();

namespace {

// clang-format off
constexpr Op (*makers[])() = {
    // Elementwise.
    abs,
    add,
    clip,
    cos,
    div,
    elu,
    equal,
    erf,
    exp,
    gelu,
    greater,
    greater_equal,
    leaky_relu,
    less,
    less_equal,
    linear,
    log,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    mod,
    mul,
    neg,
    not_equal,
    pow,
    relu,
    round_bf16,
    sigmoid,
    sign,
    silu,
    sin,
    softplus,
    sqrt,
    square,
    step,
    sub,
    tanh,
    where,
    // What graphs are held together with.
    assign,
    cast,
    check_finite,
    constant,
    during,
    grad,
    input,
    param,
    running_average,
    size,
    stop_gradient,
    straight_through,
    // Matrices, reductions, shapes.
    argmax,
    avg_pool,
    avg_pool_gradient,
    broadcast_to,
    centred_sums,
    concat,
    convolution,
    convolution_weight_gradient,
    extreme_pool,
    extreme_pool_gradient,
    extreme_pool_pick,
    gather,
    gather_elements,
    gru_steps,
    gru_steps_gradient,
    log_softmax,
    logsumexp,
    lstm_steps,
    lstm_steps_gradient,
    matmul,
    max,
    max_pool,
    max_pool_gradient,
    max_pool_pick,
    moments,
    normalise,
    normalised_pool_gradient,
    one_hot,
    pad_slice,
    pooled_moments,
    reshape,
    resize,
    resize_gradient,
    row_moments,
    scatter_add,
    scatter_elements_add,
    slice,
    softmax,
    sum,
    top_k_mask,
    transpose,
    transposed_convolution,
    upsample,
    upsample_gradient,
    // Draws.
    bernoulli,
    random_normal,
    random_uniform,
    // Updates of variables.
    adagrad_update,
    adam_update,
    adamw_update,
    momentum_update,
    nadam_update,
    rmsprop_momentum_update,
    rmsprop_update,
    sgd_update,
};
// clang-format on

std::vector<Op> all() {
  std::vector<Op> ops;
  for (Op (*make)() : makers) ops.push_back(make());
  return ops;
}

OpRegistry make_registry() {
  std::vector<OpDef> definitions;
  for (Op& op : all()) definitions.push_back(std::move(op.definition));
  return OpRegistry(std::move(definitions));
}

runtime::KernelRegistry make_kernels() {
  std::vector<std::pair<std::string, runtime::KernelDef>> kernels;
  for (Op& op : all()) kernels.emplace_back(op.definition.name, std::move(op.kernel));
  return runtime::KernelRegistry(std::move(kernels));
}

}  // namespace

const OpRegistry& registry() {
  static const OpRegistry registry = make_registry();
  return registry;
}

const runtime::KernelRegistry& kernels() {
  static const runtime::KernelRegistry kernels = make_kernels();
  return kernels;
}

}  // namespace graphrun::ops
