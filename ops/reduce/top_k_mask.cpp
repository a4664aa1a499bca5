#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "ops/declaration.hpp"
#include "ops/isa_dispatch.hpp"
#include "ops/op.hpp"
#include "ops/rows.hpp"

namespace graphrun::ops {
namespace {

struct Arguments {
  const float* x;
  float* y;
  std::int32_t* keys;  ///< as many as a vector is long
  std::size_t vectors;
  std::size_t length;
  std::size_t k;
};

/// An integer that is ordered as the floats are: NaN above all, -0 as +0.
[[gnu::always_inline]] inline std::int32_t key_of(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x + 0.0F);
  const std::int32_t ordered = bits ^ ((bits >> 31) & 0x7FFFFFFF);
  return x != x ? 0x7FFFFFFF : ordered;
}

[[gnu::always_inline]] inline std::size_t count_from(const std::int32_t* keys, std::size_t length,
                                                     std::int32_t least) {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < length; ++i) count += keys[i] >= least ? 1U : 0U;
  return count;
}

struct Body {
  [[gnu::always_inline]] static void run(const Arguments& a) noexcept {
    for (std::size_t v = 0; v < a.vectors; ++v) {
      const float* const x = a.x + v * a.length;
      float* const y = a.y + v * a.length;
      for (std::size_t i = 0; i < a.length; ++i) a.keys[i] = key_of(x[i]);
      const std::int32_t least = kth_largest(a);
      for (std::size_t i = 0; i < a.length; ++i) y[i] = a.keys[i] > least ? 1.0F : 0.0F;
      // Of those that equal the last one chosen, the first.
      std::size_t room = a.k;
      if (least != 0x7FFFFFFF) room -= count_from(a.keys, a.length, least + 1);
      for (std::size_t i = 0; i < a.length && room > 0; ++i) {
        if (a.keys[i] != least) continue;
        y[i] = 1;
        --room;
      }
    }
  }

 private:
  /// Bit by bit from the highest: the largest key that k of them reach.
  [[gnu::always_inline]] static std::int32_t kth_largest(const Arguments& a) noexcept {
    constexpr std::uint32_t sign = 0x80000000U;
    std::uint32_t least = 0;  // of keys with the sign bit turned, which are ordered as unsigned numbers
    for (std::uint32_t bit = sign; bit != 0; bit >>= 1) {
      const auto candidate = static_cast<std::int32_t>((least | bit) ^ sign);
      if (count_from(a.keys, a.length, candidate) >= a.k) least |= bit;
    }
    return static_cast<std::int32_t>(least ^ sign);
  }
};

Type infer(const InferContext& context) {
  const Type& x = context.inputs[0];
  require_f32(x, "x");
  if (x.shape.empty() || !x.shape.back().is_number()) {
    throw OpError(
        fmt::format("it looks along the last axis, which must be a number, but x is {}", to_string(x.shape)),
        {}, "x");
  }
  const std::int64_t k = context.attributes.integer("k");
  if (k > x.shape.back().offset) {
    throw OpError(fmt::format("'k' is at most {}, the last extent of x, not {}", x.shape.back().offset, k),
                  {}, "k");
  }
  return x;
}

/// The last axis is chosen along, and a tensor of one axis has no rows.
std::vector<AxisMap> axes(const AxesContext& context) {
  std::vector<AxisMap> maps = same_axes(context);
  maps[0].back() = contracted;
  return maps;
}

/// A NaN is larger than all else.
bool larger(double a, double b) {
  return a > b || (std::isnan(a) && !std::isnan(b));
}

void reference(const ReferenceContext& context) {
  const HostTensor& x = *context.inputs[0];
  const auto length = static_cast<std::size_t>(x.extents.back());
  const auto k = static_cast<std::ptrdiff_t>(context.node.attributes.integer("k"));
  for (std::size_t begin = 0; begin < x.values.size(); begin += length) {
    std::vector<std::size_t> order(length);
    std::iota(order.begin(), order.end(), begin);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t i, std::size_t j) { return larger(x.values[i], x.values[j]); });
    std::for_each(order.begin(), order.begin() + k, [&](std::size_t i) { context.output.values[i] = 1; });
  }
}

Cost cost(const CostContext& context) {
  const auto count = static_cast<double>(element_count(context.output));
  return {64 * count, 40 * count};  // a pass over the keys for each bit
}

std::unique_ptr<runtime::Call> make(const runtime::BoundNode& bound) {
  class TopK final : public runtime::Call {
   public:
    explicit TopK(const runtime::BoundNode& node)
        : function_(IsaLoops<Body, Arguments>::select(node.isa)),
          length_(static_cast<std::size_t>(node.output.back())),
          k_(static_cast<std::size_t>(node.node.attributes.integer("k"))),
          covered_(node.output),
          whole_(node.output.size() == 1) {}
    void run(const runtime::CallArguments& a) const noexcept override {
      function_({input_as<float>(a, 0), output_as<float>(a), reinterpret_cast<std::int32_t*>(a.scratch),
                 whole_ ? 1 : covered_(a) / length_, length_, k_});
    }
    std::size_t scratch_bytes() const override { return length_ * sizeof(std::int32_t); }

   private:
    IsaLoops<Body, Arguments>::Function function_;
    std::size_t length_;
    std::size_t k_;
    CoveredElements covered_;
    bool whole_;
  };
  return std::make_unique<TopK>(bound);
}

}  // namespace

Op top_k_mask() {
  OpDef op;
  op.name = "top_k_mask";
  op.doc = "1 for each of the k largest elements along the last axis, the first of equals, and 0 elsewhere.";
  op.formula = "y[i] = 1 when fewer than k elements are larger than x[i] or equal and before it, else 0";
  op.shapes = "[..., n] -> [..., n]";
  op.inputs = {{"x", "any shape but a scalar"}};
  op.attributes = {integer("k", std::nullopt, at_least(1), "how many are chosen")};
  op.infer = infer;
  op.axes = axes;
  op.reference = reference;
  op.gradient = ZeroGradient{};
  op.cost = cost;
  return {std::move(op), {.make = make}};
}

}  // namespace graphrun::ops
