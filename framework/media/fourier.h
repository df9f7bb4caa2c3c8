// Fourier transform of real samples, of any length. Private to this folder.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "media/ffmpeg.h"

namespace avbench::media {

struct FreeAligned {
  void operator()(void* memory) const { av_free(memory); }
};
template <class T>
using Aligned = std::unique_ptr<T[], FreeAligned>;

// Zeros, aligned as av_tx wants its buffers.
template <class T>
Aligned<T> aligned_zeros(size_t count) {
  Aligned<T> memory(static_cast<T*>(av_calloc(count, sizeof(T))));
  if (!memory) throw std::bad_alloc();
  return memory;
}

// Powers of two are transformed directly. Any other length becomes a convolution with a chirp
// (Bluestein 1970) by transforms of a power of two.
class Fourier {
 public:
  // Transforms `size` samples, of which only the first `filled` are not zero.
  Fourier(int size, int filled);

  // [filled], to be written before each run().
  std::span<float> input() { return {input_.get(), static_cast<size_t>(filled_)}; }

  // Bins 0 ... size / 2, valid until the next run.
  const AVComplexFloat* run();

 private:
  const AVComplexFloat* run_chirp();
  void prepare_chirp();

  int size_, filled_, length_;  // length_: of the transforms made
  bool direct_;
  TxPtr forward_, backward_;
  av_tx_fn run_forward_ = nullptr, run_backward_ = nullptr;
  Aligned<float> input_;
  Aligned<AVComplexFloat> output_;
  // Not direct: exp(-i pi n^2 / size); the transform of its conjugate over length_; work space.
  std::vector<AVComplexFloat> chirp_;
  Aligned<AVComplexFloat> filter_, work_;
};

}  // namespace avbench::media
