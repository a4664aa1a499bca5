#include "train/measure/frechet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "graphrun/error.hpp"
#include "train/measure/symmetric_eigen.hpp"

namespace graphrun::train {

namespace {

constexpr std::int64_t widest = 1024;
constexpr const char* code_role = "code";

/// [size, size], row-major.
using Matrix = std::vector<double>;

struct Normal {
  std::vector<double> mean;
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
  const auto width = static_cast<std::size_t>(rows.width);
  Normal normal{std::vector<double>(width), Matrix(width * width)};
  for (std::int64_t row = 0; row < rows.count(); ++row)
    for (std::size_t i = 0; i < width; ++i) normal.mean[i] += static_cast<double>(rows.row(row)[i]);
  for (double& mean : normal.mean) mean /= static_cast<double>(rows.count());
  std::vector<double> centred(width);
  for (std::int64_t row = 0; row < rows.count(); ++row) {
    for (std::size_t i = 0; i < width; ++i)
      centred[i] = static_cast<double>(rows.row(row)[i]) - normal.mean[i];
    for (std::size_t i = 0; i < width; ++i)
      for (std::size_t j = 0; j < width; ++j) normal.covariance[i * width + j] += centred[i] * centred[j];
  }
  for (double& value : normal.covariance) value /= static_cast<double>(rows.count() - 1);
  return normal;
}

double trace(const Matrix& matrix, std::size_t size) {
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += matrix[i * size + i];
  return sum;
}

Matrix product(const Matrix& a, const Matrix& b, std::size_t size) {
  Matrix result(size * size);
  for (std::size_t i = 0; i < size; ++i)
    for (std::size_t k = 0; k < size; ++k)
      for (std::size_t j = 0; j < size; ++j) result[i * size + j] += a[i * size + k] * b[k * size + j];
  return result;
}

/// Rounding may leave an eigenvalue of a covariance a little below 0.
double root(double eigenvalue) {
  return std::sqrt(std::max(eigenvalue, 0.0));
}

/// The positive root of a covariance.
Matrix root_of(const Matrix& covariance, std::size_t size) {
  const SymmetricEigen eigen = symmetric_eigen(covariance, size);
  Matrix result(size * size);
  for (std::size_t k = 0; k < size; ++k)
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j)
        result[i * size + j] +=
            root(eigen.values[k]) * eigen.vectors[k * size + i] * eigen.vectors[k * size + j];
  return result;
}

/// trace((a b)^(1/2)).
double trace_of_root(const Matrix& a, const Matrix& b, std::size_t size) {
  const Matrix side = root_of(a, size);
  double sum = 0;
  for (const double value : symmetric_eigen(product(product(side, b, size), side, size), size).values)
    sum += root(value);
  return sum;
}

}  // namespace

double frechet_distance(const Codes& a, const Codes& b) {
  require_rows(a);
  require_rows(b);
  if (a.width != b.width)
    throw Error(ErrorCode::usage,
                fmt::format("rows of {} and of {} values cannot be compared", a.width, b.width));
  const auto size = static_cast<std::size_t>(a.width);
  const Normal of_a = normal_of(a);
  const Normal of_b = normal_of(b);
  double distance = trace(of_a.covariance, size) + trace(of_b.covariance, size) -
                    2 * trace_of_root(of_a.covariance, of_b.covariance, size);
  for (std::size_t i = 0; i < size; ++i) {
    const double difference = of_a.mean[i] - of_b.mean[i];
    distance += difference * difference;
  }
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
