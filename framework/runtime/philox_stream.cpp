#include "runtime/philox_stream.h"

#include <bit>
#include <stdexcept>
#include <utility>

namespace avbench::runtime {
namespace {

// FNV-1a.
uint32_t hash_of(std::string_view text) {
  uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

uint32_t narrow(uint64_t value) {
  if (value >> 32) throw std::out_of_range("a random stream's index or epoch exceeds 2^32");
  return static_cast<uint32_t>(value);
}

std::array<uint32_t, 2> key_of(uint64_t seed) {
  return {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> x, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * x[0];
    const uint64_t p1 = uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<uint32_t>(p1 >> 32) ^ x[1] ^ key[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ x[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return x;
}

PhiloxStream::PhiloxStream(uint64_t seed, uint64_t epoch, uint64_t index, std::string_view purpose)
    : key_(key_of(seed)), counter_{0, hash_of(purpose), narrow(index), narrow(epoch)} {}

uint64_t PhiloxStream::next() {
  const auto words = philox(counter_, key_);
  ++counter_[0];
  return uint64_t{words[1]} << 32 | words[0];
}

int64_t PhiloxStream::uniform_int(int64_t n) {
  if (n < 1) throw std::invalid_argument("uniform_int needs n >= 1");
  const auto range = static_cast<uint64_t>(n);
  const uint64_t surplus = -range % range;  // 2^64 mod n: values that would count twice
  uint64_t value = next();
  while (value < surplus) value = next();
  return static_cast<int64_t>(value % range);
}

double PhiloxStream::uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

int64_t permute(int64_t i, int64_t n, uint64_t seed, uint64_t epoch, std::string_view purpose) {
  if (i < 0 || i >= n) throw std::out_of_range("permute: position outside [0, n)");
  constexpr uint32_t kRounds = 8;
  const int bits = std::bit_width(static_cast<uint64_t>(n - 1));
  const int half = bits < 4 ? 2 : (bits + 1) / 2;
  const uint64_t mask = (uint64_t{1} << half) - 1;
  const auto key = key_of(seed);
  const uint32_t name = hash_of(purpose);
  auto value = static_cast<uint64_t>(i);
  do {
    uint64_t left = value >> half, right = value & mask;
    for (uint32_t round = 0; round < kRounds; ++round) {
      const auto mixed = philox({static_cast<uint32_t>(right), name, round, narrow(epoch)}, key)[0];
      left = std::exchange(right, left ^ (mixed & mask));
    }
    value = left << half | right;
  } while (value >= static_cast<uint64_t>(n));
  return static_cast<int64_t>(value);
}

}  // namespace avbench::runtime
