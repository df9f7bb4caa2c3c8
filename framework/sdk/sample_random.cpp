#include "avbench/sample_random.h"

#include <ATen/ATen.h>

namespace avbench {
namespace {

constexpr uint64_t kIncrement = 0x9e3779b97f4a7c15u;

// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom generators, 2014).
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

uint64_t absorb(uint64_t key, uint64_t value) { return mix((key ^ value) + kIncrement); }

uint64_t key_of(const StepContext& context, std::string_view purpose) {
  uint64_t key = absorb(0, context.random.current_seed());
  key = absorb(key, static_cast<uint64_t>(context.step));
  for (const char c : purpose) key = absorb(key, static_cast<unsigned char>(c));
  return key;
}

// The high word of a product: even to within high / 2^64.
int64_t below(uint64_t bits, int64_t high) {
  return static_cast<int64_t>(
      (static_cast<unsigned __int128>(bits) * static_cast<uint64_t>(high)) >> 64);
}

}  // namespace

Tensor sample_integers(const StepContext& context, const Tensor& index, std::string_view purpose,
                       int64_t count, int64_t high) {
  TORCH_CHECK(high >= 1, "sample_integers: got high ", high, ", expected at least 1");
  TORCH_CHECK(index.dim() == 1 && index.scalar_type() == at::kLong, "sample_integers: got index ",
              index.sizes(), " of ", index.scalar_type(), ", expected [B] int64");
  const uint64_t key = key_of(context, purpose);
  const Tensor samples = index.cpu().contiguous();
  Tensor drawn = at::empty({samples.size(0), count}, at::kLong);
  int64_t* next = drawn.data_ptr<int64_t>();
  for (int64_t i = 0; i < samples.size(0); ++i) {
    const auto sample = static_cast<uint64_t>(samples.data_ptr<int64_t>()[i]);
    uint64_t state = absorb(key, sample);
    for (int64_t k = 0; k < count; ++k) *next++ = below(mix(state += kIncrement), high);
  }
  return drawn.to(index.device());
}

}  // namespace avbench
