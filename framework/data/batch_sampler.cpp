#include "data/batch_sampler.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "runtime/philox_stream.h"

namespace avbench::data {
namespace {

void check(int64_t indices, int64_t batch_size) {
  if (indices < 1) throw std::invalid_argument("a batch sampler needs at least one sample");
  if (batch_size < 1)
    throw std::invalid_argument("a batch sampler needs a batch size of at least one");
}

}  // namespace

std::vector<int64_t> all_indices(int64_t n) {
  std::vector<int64_t> indices(n);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

BatchSampler training_sampler(std::vector<int64_t> indices, int64_t batch_size, uint64_t seed) {
  const auto n = static_cast<int64_t>(indices.size());
  check(n, batch_size);
  const int64_t rows = std::min(n, batch_size), batches = n / rows;
  const auto shared = std::make_shared<const std::vector<int64_t>>(std::move(indices));
  const auto requests = [=](int64_t batch) {
    const int64_t epoch = batch / batches, first = batch % batches * rows;
    std::vector<SampleRequest> result(rows);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t position = runtime::permute(first + row, n, seed, epoch);
      result[row] = {.index = (*shared)[position], .seed = seed, .epoch = epoch};
    }
    return result;
  };
  return {requests, batches};
}

BatchSampler training_sampler(int64_t n, int64_t batch_size, uint64_t seed) {
  return training_sampler(all_indices(n), batch_size, seed);
}

BatchSampler evaluation_sampler(std::vector<int64_t> indices, int64_t clips, int64_t batch_size,
                                bool spread, int64_t crops) {
  check(static_cast<int64_t>(indices.size()), batch_size);
  if (clips < 1) throw std::invalid_argument("an evaluation needs at least one clip a file");
  if (crops < 1) throw std::invalid_argument("an evaluation needs at least one crop a clip");
  const int64_t views = clips * crops, total = static_cast<int64_t>(indices.size()) * views;
  const auto shared = std::make_shared<const std::vector<int64_t>>(std::move(indices));
  const auto requests = [=](int64_t batch) {
    const int64_t first = batch * batch_size, last = std::min(first + batch_size, total);
    std::vector<SampleRequest> result;
    for (int64_t i = first; i < last; ++i) {
      result.push_back({.index = (*shared)[i / views],
                        .clip = i % views / crops,
                        .clips = clips,
                        .crop = i % crops,
                        .crops = crops,
                        .spread = spread});
    }
    return result;
  };
  return {requests, (total + batch_size - 1) / batch_size};
}

BatchSampler evaluation_sampler(int64_t n, int64_t clips, int64_t batch_size, bool spread) {
  return evaluation_sampler(all_indices(n), clips, batch_size, spread);
}

}  // namespace avbench::data
