// A small generator whose numbers are the same with every standard library.
#pragma once

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <numbers>

namespace avbench::synth {

// SplitMix64 (Steele, Lea, Flood, 2014), seeded from a list of keys.
class SynthRandom {
 public:
  SynthRandom(std::initializer_list<uint64_t> keys) {
    for (uint64_t key : keys) {
      state_ ^= key;
      state_ = next();
    }
  }

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53;
  }

  bool chance(double probability) { return uniform(0, 1) < probability; }

  int64_t below(int64_t n) { return static_cast<int64_t>(uniform(0, 1) * static_cast<double>(n)); }

  // Nearly normal, zero mean and unit variance: four 16-bit uniforms of one draw, scaled.
  float noise() {
    const uint64_t bits = next();
    const int64_t sum = static_cast<int64_t>((bits & 0xffff) + ((bits >> 16) & 0xffff) +
                                             ((bits >> 32) & 0xffff) + (bits >> 48));
    return static_cast<float>(sum - 131070) * 2.6428e-5f;  // 1 / sqrt(4 / 12) / 65536
  }

 private:
  uint64_t state_ = 0;
};

}  // namespace avbench::synth
