#include "runtime/products/repeated_product.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "runtime/machine/aligned.hpp"
#include "runtime/machine/host_state.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/random_values.hpp"

using namespace graphrun::runtime;
using graphrun::testing::random_values;

namespace {

/// A matrix, a bias and rows to meet them, and a product that has taken these.
class Taken {
 public:
  Taken(const MatmulSpec& spec, std::unique_ptr<RepeatedProduct> product)
      : spec_(spec),
        generator_(5),
        product_(std::move(product)),
        bound_(product_->bind()),
        room_(allocate_aligned(product_->room_bytes())),
        x_(random_values(generator_, spec.rows * spec.inner)) {
    take();
  }

  void take() {
    w_ = random_values(generator_, spec_.inner * spec_.columns);
    bias_ = random_values(generator_, spec_.columns);
    bound_->take(w_.data(), spec_.bias ? bias_.data() : nullptr, room_.get());
  }

  /// Rows from `first` on, one below the other.
  std::vector<float> run(std::int64_t first, std::int64_t count) {
    const HostState state;
    const auto rows = static_cast<std::size_t>(spec_.rows);
    std::vector<float> x(rows * product_->x_row());
    std::vector<float> y(rows * product_->y_row());
    for (std::int64_t row = 0; row < count; ++row)
      std::copy_n(&x_[static_cast<std::size_t>((first + row) * spec_.inner)], spec_.inner,
                  &x[static_cast<std::size_t>(row) * product_->x_row()]);
    REQUIRE(bound_->run(x.data(), count, y.data()));
    std::vector<float> made;
    for (std::size_t row = 0; row < static_cast<std::size_t>(count); ++row)
      made.insert(made.end(), &y[row * product_->y_row()], &y[row * product_->y_row()] + spec_.columns);
    return made;
  }

  double exact(std::int64_t row, std::int64_t column) const {
    double sum = spec_.bias ? bias_[static_cast<std::size_t>(column)] : 0;
    for (std::int64_t i = 0; i < spec_.inner; ++i)
      sum += static_cast<double>(x_[static_cast<std::size_t>(row * spec_.inner + i)]) *
             w_[static_cast<std::size_t>(i * spec_.columns + column)];
    return sum;
  }

  double worst() {
    const std::vector<float> made = run(0, spec_.rows);
    double worst = 0;
    for (std::int64_t row = 0; row < spec_.rows; ++row)
      for (std::int64_t column = 0; column < spec_.columns; ++column)
        worst = std::max(worst, std::abs(exact(row, column) -
                                         made[static_cast<std::size_t>(row * spec_.columns + column)]));
    return worst;
  }

 private:
  MatmulSpec spec_;
  std::mt19937 generator_;
  std::unique_ptr<RepeatedProduct> product_;
  std::unique_ptr<BoundRepeatedProduct> bound_;
  AlignedBytes room_;
  std::vector<float> x_;
  std::vector<float> w_;
  std::vector<float> bias_;
};

/// All that are asked for on this machine.
template <class Visit>
void for_each_product(Visit visit) {
  for (const ProviderChoice choice : {ProviderChoice::onednn, ProviderChoice::tiles}) {
    for (const Isa isa : {Isa::avx2, Isa::avx512}) {
      if (isa > detected_isa()) break;
      for (const MatmulSpec& spec : {MatmulSpec{.rows = 32, .columns = 68, .inner = 17, .bias = true},
                                     MatmulSpec{.rows = 64, .columns = 17, .inner = 68},
                                     MatmulSpec{.rows = 16, .columns = 3, .inner = 1, .bias = true},
                                     MatmulSpec{.rows = 64, .columns = 512, .inner = 128, .bias = true}}) {
        CAPTURE(to_string(choice), to_string(isa), spec.rows, spec.columns, spec.inner);
        std::unique_ptr<RepeatedProduct> made = make_repeated_product(spec, choice, isa);
        REQUIRE(made != nullptr);
        CHECK(made->implementation().starts_with(choice == ProviderChoice::tiles ? "tiles:" : "oneDNN "));
        Taken product(spec, std::move(made));
        visit(spec, product);
      }
    }
  }
}

}  // namespace

TEST_CASE("a product that is repeated is that of the matrix it has taken last") {
  for_each_product([](const MatmulSpec& /*spec*/, Taken& product) {
    CHECK(product.worst() < 1e-4);
    product.take();
    CHECK(product.worst() < 1e-4);
  });
}

TEST_CASE("a row of a product that is repeated has the bits that it has alone") {
  for_each_product([](const MatmulSpec& spec, Taken& product) {
    const std::vector<float> all = product.run(0, spec.rows);
    for (const std::int64_t first : {0, 1, 5}) {
      for (const std::int64_t count : {1, 2, 7, 11}) {
        CAPTURE(first, count);
        const auto begin = all.begin() + first * spec.columns;
        CHECK(product.run(first, count) == std::vector<float>(begin, begin + count * spec.columns));
      }
    }
  });
}

TEST_CASE("the oldest instruction set repeats products in loops of the recurrences") {
  const MatmulSpec spec{.rows = 64, .columns = 64, .inner = 16};
  for (const ProviderChoice choice : {ProviderChoice::onednn, ProviderChoice::tiles})
    CHECK(make_repeated_product(spec, choice, Isa::baseline) == nullptr);
}
