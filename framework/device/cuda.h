// NVIDIA's driver and LibTorch's CUDA libraries, which the program does without until a GPU is
// asked for. Nothing here needs CUDA's headers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace avbench::device {

struct Gpu {
  std::string name;
  int64_t memory_bytes = 0;
};

// What NVIDIA's driver says, asked without LibTorch.
struct CudaDriver {
  int cuda_version = 0;   // the newest that it supports, 13000 for 13.0; 0: there is no driver
  std::vector<Gpu> gpus;  // those that this process may see, in the order of cuda:0, cuda:1, ...
  std::string failure;    // why there are none; empty if there are
};
CudaDriver ask_cuda_driver();

// LibTorch's CUDA libraries lie beside libtorch_cpu.so, if they are installed.
std::filesystem::path libtorch_folder();
bool cuda_is_installed();

// Loads them; before the first question to LibTorch about CUDA, which it answers once. The text
// says why that failed; empty: CUDA can be used. The first call takes a second or more, later ones
// none.
const std::string& load_cuda();

// After load_cuda() has succeeded: "CUDA 13.0, cuDNN 9.19.0".
std::string cuda_versions();

}  // namespace avbench::device
