// run.device: where towers, heads, losses and optimisers live.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace avbench::device {

struct Selection {
  c10::Device device = c10::kCPU;
  std::string remark;  // why "auto" gave the CPU although there is a GPU; else empty
};

// "cpu"; "cuda", the first GPU, or "cuda:1"; "auto", the first GPU that works, else the CPU; or a
// backend that was registered with LibTorch as PrivateUse1, by its name. Loads CUDA's libraries if
// they are needed. Throws UserError that says what is missing and what to do; `where` begins it.
Selection select(const std::string& wanted, const std::string& where);

// "cpu", "cuda:0 (NVIDIA H200)".
std::string name_of(c10::Device device);

}  // namespace avbench::device
