#include "kernels/batch_norm.h"

#include <algorithm>
#include <vector>

#include "kernels/batch_norm_rows.h"
#include "kernels/jobs.h"

namespace avbench::kernels {
namespace {

// Rows in chunks of 16 KiB; a job is some chunks, the same ones whatever the number of threads.
class Chunks {
 public:
  Chunks(int64_t rows, int64_t channels)
      : rows_(rows),
        size_(std::max<int64_t>(1, 4096 / channels)),
        count_((rows + size_ - 1) / size_),
        per_job_(std::max<int64_t>(1, (count_ + kJobs - 1) / kJobs)) {}

  int64_t jobs() const { return (count_ + per_job_ - 1) / per_job_; }

  // call(first row, rows) for each chunk of a job.
  template <typename Call>
  void each(int64_t job, const Call& call) const {
    const int64_t end = std::min(count_, (job + 1) * per_job_);
    for (int64_t chunk = job * per_job_; chunk < end; ++chunk) {
      const int64_t first = chunk * size_;
      call(first, std::min(size_, rows_ - first));
    }
  }

 private:
  static constexpr int64_t kJobs = 64;
  int64_t rows_, size_, count_, per_job_;
};

// Mean and sum of squared deviations of what was merged so far.
struct Moments {
  explicit Moments(int64_t channels) : mean(channels), squares(channels) {}

  template <typename Number>
  void merge(int64_t other_rows, const Number* other_mean, const Number* other_squares) {
    const auto before = static_cast<double>(rows), added = static_cast<double>(other_rows);
    rows += other_rows;
    const double share = added / static_cast<double>(rows);
    for (size_t c = 0; c < mean.size(); ++c) {
      const double distance = other_mean[c] - mean[c];
      mean[c] += distance * share;
      squares[c] += other_squares[c] + distance * distance * before * share;
    }
  }

  int64_t rows = 0;
  std::vector<double> mean, squares;
};

}  // namespace

void batch_moments(int64_t positions, int64_t channels, const float* x, double* mean,
                   double* variance) {
  const Chunks chunks(positions, channels);
  std::vector<Moments> parts(chunks.jobs(), Moments(channels));
  run_jobs(chunks.jobs(), [&] {
    return [&, of_chunk = std::vector<float>(2 * channels)](int64_t job) mutable {
      float* chunk_mean = of_chunk.data();
      float* chunk_squares = chunk_mean + channels;
      chunks.each(job, [&](int64_t first, int64_t rows) {
        row_moments({rows, channels}, x + first * channels, chunk_mean, chunk_squares);
        parts[job].merge(rows, chunk_mean, chunk_squares);
      });
    };
  });
  Moments all(channels);
  for (const Moments& part : parts) all.merge(part.rows, part.mean.data(), part.squares.data());
  for (int64_t c = 0; c < channels; ++c) {
    mean[c] = all.mean[c];
    variance[c] = all.squares[c] / static_cast<double>(positions);
  }
}

void batch_normalize(int64_t positions, int64_t channels, const float* x, const double* mean,
                     const double* factor, const float* weight, const float* bias,
                     const float* residual, bool rectify, float* y) {
  const std::vector<float> center(mean, mean + channels);
  std::vector<float> scale(channels), shift(channels);
  for (int64_t c = 0; c < channels; ++c) {
    const double both = factor[c] * weight[c];
    scale[c] = static_cast<float>(both);
    shift[c] = static_cast<float>(bias[c] - (mean[c] - center[c]) * both);
  }
  const Chunks chunks(positions, channels);
  run_jobs(chunks.jobs(), [&] {
    return [&](int64_t job) {
      chunks.each(job, [&](int64_t first, int64_t rows) {
        const int64_t at = first * channels;
        normalize_rows({rows, channels}, x + at, center.data(), scale.data(), shift.data(),
                       residual != nullptr ? residual + at : nullptr, rectify, y + at);
      });
    };
  });
}

void batch_normalize_backward(int64_t positions, int64_t channels, const float* x, const float* gy,
                              const float* y, const double* mean, const double* factor,
                              const float* weight, const BatchNormGradient& gradient) {
  const std::vector<float> center(mean, mean + channels);
  const Chunks chunks(positions, channels);
  // For each job: sums of the gradient, and of the gradient times the deviation.
  std::vector<double> parts(chunks.jobs() * 2 * channels);
  run_jobs(chunks.jobs(), [&] {
    return [&, of_chunk = std::vector<float>(2 * channels)](int64_t job) mutable {
      double* part = parts.data() + job * 2 * channels;
      chunks.each(job, [&](int64_t first, int64_t rows) {
        const int64_t at = first * channels;
        row_gradient_sums({rows, channels}, x + at, {gy + at, y != nullptr ? y + at : nullptr},
                          center.data(), of_chunk.data(), of_chunk.data() + channels,
                          gradient.residual != nullptr ? gradient.residual + at : nullptr);
        for (int64_t c = 0; c < 2 * channels; ++c) part[c] += of_chunk[c];
      });
    };
  });
  std::vector<double> sums(2 * channels);
  for (int64_t job = 0; job < chunks.jobs(); ++job) {
    for (int64_t c = 0; c < 2 * channels; ++c) sums[c] += parts[job * 2 * channels + c];
  }
  std::vector<float> scale(channels), slope(channels), offset(channels);
  for (int64_t c = 0; c < channels; ++c) {
    // The deviations were taken from the mean in float32.
    const double sum = sums[c];
    const double product = sums[channels + c] - sum * (mean[c] - center[c]);
    const double both = factor[c] * weight[c], share = both / static_cast<double>(positions);
    gradient.bias[c] = static_cast<float>(sum);
    gradient.weight[c] = static_cast<float>(product * factor[c]);
    scale[c] = static_cast<float>(both);
    slope[c] = static_cast<float>(-share * product * factor[c] * factor[c]);
    offset[c] = static_cast<float>(-share * sum + slope[c] * (center[c] - mean[c]));
  }
  // What passed the rectifier is there already if a residual took it.
  const bool passed = gradient.residual != nullptr;
  run_jobs(chunks.jobs(), [&] {
    return [&](int64_t job) {
      chunks.each(job, [&](int64_t first, int64_t rows) {
        const int64_t at = first * channels;
        const RectifiedGradient of_output{passed ? gradient.residual + at : gy + at,
                                          passed || y == nullptr ? nullptr : y + at};
        row_input_gradient({rows, channels}, x + at, of_output, center.data(), scale.data(),
                           slope.data(), offset.data(), gradient.x + at);
      });
    };
  });
}

}  // namespace avbench::kernels
