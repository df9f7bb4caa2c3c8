// Counter-based random numbers: a draw is a pure function of its key, whatever was drawn before.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace avbench::runtime {

// Philox4x32 with 10 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// The random numbers of one purpose ("time", "crop", ...) for one sample in one epoch.
class PhiloxStream {
 public:
  PhiloxStream(uint64_t seed, uint64_t epoch, uint64_t index, std::string_view purpose);

  uint64_t next();                 // 64 random bits
  int64_t uniform_int(int64_t n);  // in [0, n), unbiased; n >= 1
  double uniform();                // in [0, 1)

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 4> counter_;
};

// Position `i` of a random permutation of [0, n), which differs for each (seed, epoch, purpose).
// No table: a Feistel network whose values beyond n are sent through it again.
int64_t permute(int64_t i, int64_t n, uint64_t seed, uint64_t epoch,
                std::string_view purpose = "order");

}  // namespace avbench::runtime
