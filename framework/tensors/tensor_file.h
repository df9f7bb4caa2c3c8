// Tensors to and from safetensors files.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

namespace avbench::tensors {

// On the CPU, contiguous, in the file's types. Throws UserError as SafetensorsFile::open does.
std::map<std::string, at::Tensor> load_tensors(const std::filesystem::path& path);

// Written whole or not at all. Any device, layout of memory, and strides.
void save_tensors(const std::filesystem::path& path,
                  const std::map<std::string, at::Tensor>& tensors,
                  const std::map<std::string, std::string>& metadata = {});

}  // namespace avbench::tensors
