#include "train/measure/frechet.hpp"

#include <fmt/format.h>

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "graphrun/error.hpp"

namespace graphrun::train {

namespace {

constexpr std::int64_t widest = 1024;
constexpr const char* code_role = "code";

using Matrix = Eigen::MatrixXd;

struct Normal {
  Eigen::RowVectorXd mean;
  Matrix covariance;
};

void require_rows(const Codes& rows) {
  if (rows.count() < 2) throw Error(ErrorCode::usage, "a covariance needs two rows or more");
  if (rows.width > widest)
    throw Error(ErrorCode::usage,
                fmt::format("the features have {} values, and there may be {} at most", rows.width, widest));
  if (!std::all_of(rows.values.begin(), rows.values.end(), [](float value) { return std::isfinite(value); }))
    throw Error(ErrorCode::not_finite, "the features are not all finite");
}

/// With the unbiased covariance, as is usual.
Normal normal_of(const Codes& rows) {
  using Rows = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Matrix centred = Eigen::Map<const Rows>(rows.values.data(), rows.count(), rows.width).cast<double>();
  Normal normal{centred.colwise().mean(), {}};
  centred.rowwise() -= normal.mean;
  normal.covariance = centred.transpose() * centred / static_cast<double>(rows.count() - 1);
  return normal;
}

/// Rounding may leave an eigenvalue of a covariance a little below 0.
Eigen::VectorXd roots(const Eigen::VectorXd& eigenvalues) {
  return eigenvalues.cwiseMax(0).cwiseSqrt();
}

/// The positive root of a covariance.
Matrix root_of(const Matrix& covariance) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(covariance);
  return eigen.eigenvectors() * roots(eigen.eigenvalues()).asDiagonal() * eigen.eigenvectors().transpose();
}

/// trace((a b)^(1/2)).
double trace_of_root(const Matrix& a, const Matrix& b) {
  const Matrix side = root_of(a);
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(side * b * side, Eigen::EigenvaluesOnly);
  return roots(eigen.eigenvalues()).sum();
}

}  // namespace

double frechet_distance(const Codes& a, const Codes& b) {
  require_rows(a);
  require_rows(b);
  if (a.width != b.width)
    throw Error(ErrorCode::usage,
                fmt::format("rows of {} and of {} values cannot be compared", a.width, b.width));
  const Normal of_a = normal_of(a);
  const Normal of_b = normal_of(b);
  const double distance = (of_a.mean - of_b.mean).squaredNorm() + of_a.covariance.trace() +
                          of_b.covariance.trace() - 2 * trace_of_root(of_a.covariance, of_b.covariance);
  return std::max(distance, 0.0);
}

Codes features_of(Learner& model, const Examples& images) {
  if (!model.model().role(code_role))
    throw Error(ErrorCode::usage,
                fmt::format("model '{}' has no output 'code', whose values would be the features; name a "
                            "node in the model file: outputs: {{code: NODE}}",
                            model.model().name));
  const OutputValues output = std::move(model.run({code_role}, images).front());
  const std::span<const float> values = as_floats(output);
  return {element_count(output.extents) / output.extents.front(), {values.begin(), values.end()}};
}

}  // namespace graphrun::train
