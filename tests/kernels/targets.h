// Each instruction set that this CPU has and the kernels were compiled for.
#pragma once

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cstdint>
#include <string>
#include <vector>

namespace avbench::kernels {

// Uses one of them for its own lifetime.
class TargetScope {
 public:
  explicit TargetScope(int64_t target) { use(target); }
  ~TargetScope() { use(0); }
  TargetScope(const TargetScope&) = delete;
  TargetScope& operator=(const TargetScope&) = delete;

 private:
  static void use(int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

inline std::vector<int64_t> targets() {
  std::vector<int64_t> result{HWY_STATIC_TARGET};
  for (const int64_t target : {HWY_AVX2, HWY_AVX3}) {
    if ((hwy::SupportedTargets() & target) != 0) result.push_back(target);
  }
  return result;
}

inline std::string target_name(const testing::TestParamInfo<int64_t>& info) {
  return hwy::TargetName(info.param);
}

}  // namespace avbench::kernels
