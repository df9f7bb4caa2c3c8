#include "media/fourier.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

namespace avbench::media {
namespace {

std::pair<TxPtr, av_tx_fn> make_transform(AVTXType type, bool inverse, int length) {
  const float scale = 1;
  AVTXContext* made = nullptr;
  av_tx_fn run = nullptr;
  check_av(av_tx_init(&made, &run, type, inverse, length, &scale, 0),
           "Fourier transform of " + std::to_string(length) + " samples");
  return {TxPtr(made), run};
}

AVComplexFloat product(AVComplexFloat a, AVComplexFloat b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

}  // namespace

Fourier::Fourier(int size, int filled)
    : size_(size), filled_(filled), direct_(std::has_single_bit(static_cast<unsigned>(size))) {
  if (direct_) {
    length_ = size;
    std::tie(forward_, run_forward_) = make_transform(AV_TX_FLOAT_RDFT, false, length_);
  } else {
    // Products of samples 0 ... filled - 1 and bins 0 ... size / 2 must not meet around the end.
    length_ = static_cast<int>(std::bit_ceil(static_cast<unsigned>(filled + size / 2)));
    std::tie(forward_, run_forward_) = make_transform(AV_TX_FLOAT_FFT, false, length_);
    std::tie(backward_, run_backward_) = make_transform(AV_TX_FLOAT_FFT, true, length_);
  }
  input_ = aligned_zeros<float>(std::max(length_, size));
  output_ = aligned_zeros<AVComplexFloat>(std::max(length_, size / 2 + 1));
  if (!direct_) prepare_chirp();
}

void Fourier::prepare_chirp() {
  const int64_t size = size_;
  chirp_.resize(std::max(filled_, size_ / 2 + 1));
  for (size_t n = 0; n < chirp_.size(); ++n) {
    const auto i = static_cast<int64_t>(n);
    const double angle = -M_PI * static_cast<double>(i * i % (2 * size)) / size_;
    chirp_[n] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
  }
  work_ = aligned_zeros<AVComplexFloat>(length_);
  filter_ = aligned_zeros<AVComplexFloat>(length_);
  const float scale = 1.f / static_cast<float>(length_);  // the transform back has none
  const auto conjugate = [&](int n) {
    return AVComplexFloat{chirp_[n].re * scale, -chirp_[n].im * scale};
  };
  for (int n = 0; n <= size_ / 2; ++n) work_[n] = conjugate(n);
  for (int n = 1; n < filled_; ++n) work_[length_ - n] = conjugate(n);
  run_forward_(forward_.get(), filter_.get(), work_.get(), sizeof(AVComplexFloat));
  std::fill_n(work_.get(), length_, AVComplexFloat{});
}

const AVComplexFloat* Fourier::run() {
  if (!direct_) return run_chirp();
  run_forward_(forward_.get(), output_.get(), input_.get(), sizeof(float));
  return output_.get();
}

// n k = (n^2 + k^2 - (k - n)^2) / 2 turns the sum over n into a convolution.
const AVComplexFloat* Fourier::run_chirp() {
  for (int n = 0; n < filled_; ++n) {
    work_[n] = {input_[n] * chirp_[n].re, input_[n] * chirp_[n].im};
  }
  std::fill(work_.get() + filled_, work_.get() + length_, AVComplexFloat{});
  run_forward_(forward_.get(), output_.get(), work_.get(), sizeof(AVComplexFloat));
  for (int n = 0; n < length_; ++n) output_[n] = product(output_[n], filter_[n]);
  run_backward_(backward_.get(), work_.get(), output_.get(), sizeof(AVComplexFloat));
  for (int k = 0; k <= size_ / 2; ++k) output_[k] = product(work_[k], chirp_[k]);
  return output_.get();
}

}  // namespace avbench::media
