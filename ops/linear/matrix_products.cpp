#include "ops/linear/matrix_products.hpp"

#include "ops/rows.hpp"
#include "runtime/products/provider.hpp"

namespace graphrun::ops {
namespace {

using runtime::MatmulSpec;

MatmulSpec spec_of(const runtime::BoundNode& bound) {
  const Extents& a = bound.inputs[0];
  MatmulSpec spec;
  spec.transpose_a = bound.node.attributes.flag("transpose_a");
  spec.transpose_b = bound.node.attributes.flag("transpose_b");
  spec.rows = bound.output[bound.output.size() - 2];
  spec.columns = bound.output.back();
  spec.inner = spec.transpose_a ? a[a.size() - 2] : a.back();
  return spec;
}

/// The products of one row of axis 0, and how far the operands of the next row are.
struct RowOfProducts {
  explicit RowOfProducts(const runtime::BoundNode& bound)
      : a(row_of(bound.inputs[0], bound.output)),
        b(row_of(bound.inputs[1], bound.output)),
        y(elements_per_row(bound.output)) {
    Extents one = bound.output;
    one[0] = 1;
    const auto alone = [&](Extents operand) {
      if (operand.size() == one.size()) operand[0] = 1;
      return operand;
    };
    places = matrix_places(alone(bound.inputs[0]), alone(bound.inputs[1]), one);
  }

  std::size_t a;
  std::size_t b;
  std::size_t y;
  std::vector<MatrixPlaces> places;

 private:
  /// 0 for an operand that is the same for all rows.
  static std::size_t row_of(const Extents& operand, const Extents& output) {
    const bool has_rows = operand.size() == output.size() && operand[0] == output[0];
    return has_rows ? elements_per_row(operand) : 0;
  }
};

struct State final : runtime::CallState {
  explicit State(std::unique_ptr<runtime::BoundMatmul> given) : product(std::move(given)) {}
  std::unique_ptr<runtime::BoundMatmul> product;
};

class MatrixProducts final : public runtime::Call {
 public:
  explicit MatrixProducts(const runtime::BoundNode& bound)
      : row_(bound),
        product_(runtime::product_provider(spec_of(bound), bound.provider, bound.isa).make(spec_of(bound))) {}

  void run(const runtime::CallArguments& arguments) const noexcept override {
    const auto* const a = input_as<float>(arguments, 0);
    const auto* const b = input_as<float>(arguments, 1);
    auto* const y = output_as<float>(arguments);
    runtime::BoundMatmul& product = *static_cast<State&>(*arguments.state).product;
    const auto rows = static_cast<std::size_t>(arguments.row_count);
    for (std::size_t row = 0; row < rows; ++row) {
      for (const MatrixPlaces& at : row_.places) {
        const bool ok = product.run({.a = a + row * row_.a + at.a,
                                     .b = b + row * row_.b + at.b,
                                     .bias = nullptr,
                                     .output = y + row * row_.y + at.y,
                                     .scratch = arguments.scratch});
        if (!ok && arguments.failed != nullptr) *arguments.failed = true;
      }
    }
  }
  std::size_t scratch_bytes() const override { return product_->scratch_bytes(); }
  std::unique_ptr<runtime::CallState> bind() const override {
    return std::make_unique<State>(product_->bind());
  }
  std::string implementation() const override { return product_->implementation(); }

 private:
  RowOfProducts row_;
  std::unique_ptr<runtime::Matmul> product_;
};

/// By axis of y before the last two: how far the next matrix of the operand is; 0 where it is broadcast.
std::vector<std::size_t> matrix_steps(const Extents& operand, const Extents& y) {
  const std::size_t missing = y.size() - operand.size();
  std::vector<std::size_t> steps(y.size() - 2, 0);
  auto step = static_cast<std::size_t>(operand[operand.size() - 2] * operand.back());
  for (std::size_t axis = operand.size() - 2; axis-- > 0;) {
    if (operand[axis] != 1) steps[axis + missing] = step;
    step *= static_cast<std::size_t>(operand[axis]);
  }
  return steps;
}

}  // namespace

std::vector<MatrixPlaces> matrix_places(const Extents& a, const Extents& b, const Extents& y) {
  const std::vector<std::size_t> steps_a = matrix_steps(a, y);
  const std::vector<std::size_t> steps_b = matrix_steps(b, y);
  const auto matrix = static_cast<std::size_t>(y[y.size() - 2] * y.back());
  std::vector<MatrixPlaces> places = {{}};
  for (std::size_t axis = 0; axis + 2 < y.size(); ++axis) {
    std::vector<MatrixPlaces> next;
    for (const MatrixPlaces& at : places)
      for (std::size_t i = 0; i < static_cast<std::size_t>(y[axis]); ++i)
        next.push_back({at.a + i * steps_a[axis], at.b + i * steps_b[axis], 0});
    places = std::move(next);
  }
  for (std::size_t i = 0; i < places.size(); ++i) places[i].y = i * matrix;
  return places;
}

std::unique_ptr<runtime::Call> make_matrix_products(const runtime::BoundNode& bound) {
  return std::make_unique<MatrixProducts>(bound);
}

}  // namespace graphrun::ops
