// Inputs with published results, naive references and numerical gradients for tests of losses.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <functional>
#include <vector>

namespace avbench {

using Matrix = std::vector<std::vector<double>>;

inline at::Tensor to_tensor(const Matrix& rows) {
  at::Tensor x = at::empty(
      {static_cast<int64_t>(rows.size()), static_cast<int64_t>(rows.at(0).size())}, at::kDouble);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t j = 0; j < rows[i].size(); ++j) {
      x.data_ptr<double>()[i * rows[i].size() + j] = rows[i][j];
    }
  }
  return x;
}

inline Matrix to_matrix(const at::Tensor& x) {
  Matrix rows(x.size(0), std::vector<double>(x.size(1)));
  for (int64_t i = 0; i < x.size(0); ++i) {
    for (int64_t j = 0; j < x.size(1); ++j) rows[i][j] = x[i][j].item<double>();
  }
  return rows;
}

template <class F>
at::Tensor golden_matrix(F value) {
  Matrix rows(4, std::vector<double>(6));
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 6; ++j) rows[i][j] = value(i, j);
  }
  return to_tensor(rows);
}

// The inputs of the golden values: no random generator, so that any program can make them.
inline at::Tensor golden_z1() {
  return golden_matrix(
      [](int i, int j) { return std::sin(0.5 + 0.7 * i + 0.3 * j + 0.05 * i * j); });
}
inline at::Tensor golden_z2() {
  return golden_matrix(
      [](int i, int j) { return std::cos(0.2 + 0.6 * i + 0.4 * j + 0.03 * i * j); });
}

inline double naive_cosine(const std::vector<double>& x, const std::vector<double>& y) {
  double xy = 0, xx = 0, yy = 0;
  for (size_t k = 0; k < x.size(); ++k) {
    xy += x[k] * y[k];
    xx += x[k] * x[k];
    yy += y[k] * y[k];
  }
  return xy / (std::max(std::sqrt(xx), 1e-12) * std::max(std::sqrt(yy), 1e-12));
}

// The sum over the anchors of one side: -log(h(a_i, b_i) / (sum_j h(a_i, b_j) +
// sum_{j != i} h(a_i, a_j))), written as the formula stands.
inline double naive_contrast(const Matrix& a, const Matrix& b, double temperature) {
  const auto h = [&](const std::vector<double>& x, const std::vector<double>& y) {
    return std::exp(naive_cosine(x, y) / temperature);
  };
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    double all = 0;
    for (size_t j = 0; j < b.size(); ++j) all += h(a[i], b[j]);
    for (size_t j = 0; j < a.size(); ++j) all += j == i ? 0 : h(a[i], a[j]);
    sum -= std::log(h(a[i], b[i]) / all);
  }
  return sum;
}

inline Matrix naive_columns(const Matrix& rows, bool centred) {
  Matrix columns(rows.at(0).size(), std::vector<double>(rows.size()));
  for (size_t j = 0; j < columns.size(); ++j) {
    double mean = 0;
    for (size_t i = 0; i < rows.size(); ++i) mean += rows[i][j] / static_cast<double>(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) columns[j][i] = rows[i][j] - (centred ? mean : 0);
  }
  return columns;
}

// Eq. 5 and 6 of AVCL by loops.
inline double naive_redundancy(const Matrix& a, const Matrix& b, double lambda, bool centred) {
  const Matrix x = naive_columns(a, centred), y = naive_columns(b, centred);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < y.size(); ++j) {
      const double c = naive_cosine(x[i], y[j]);
      sum += i == j ? (1 - c) * (1 - c) : lambda * c * c;
    }
  }
  return sum;
}

// Eq. 5 on columns of mean 0 and variance 1, with batch norm's 1e-5 under the root.
inline double naive_standardised_redundancy(const Matrix& v, const Matrix& a, double lambda) {
  const size_t rows = v.size(), columns = v[0].size();
  const auto standardised = [&](const Matrix& x, size_t row, size_t column) {
    double mean = 0, variance = 0;
    for (size_t i = 0; i < rows; ++i) mean += x[i][column] / static_cast<double>(rows);
    for (size_t i = 0; i < rows; ++i) {
      variance += (x[i][column] - mean) * (x[i][column] - mean) / static_cast<double>(rows);
    }
    return (x[row][column] - mean) / std::sqrt(variance + 1e-5);
  };
  double sum = 0;
  for (size_t i = 0; i < columns; ++i) {
    for (size_t j = 0; j < columns; ++j) {
      double c = 0;
      for (size_t b = 0; b < rows; ++b) {
        c += standardised(v, b, i) * standardised(a, b, j) / static_cast<double>(rows);
      }
      sum += i == j ? (1 - c) * (1 - c) : lambda * c * c;
    }
  }
  return sum;
}

// Central differences of a scalar function of a float64 matrix.
inline at::Tensor numerical_gradient(const std::function<double(const at::Tensor&)>& f,
                                     const at::Tensor& at_point, double step = 1e-6) {
  at::Tensor x = at_point.detach().clone();
  at::Tensor gradient = at::zeros_like(x);
  for (int64_t k = 0; k < x.numel(); ++k) {
    double& value = x.data_ptr<double>()[k];
    const double kept = value;
    value = kept + step;
    const double above = f(x);
    value = kept - step;
    const double below = f(x);
    value = kept;
    gradient.data_ptr<double>()[k] = (above - below) / (2 * step);
  }
  return gradient;
}

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace avbench
