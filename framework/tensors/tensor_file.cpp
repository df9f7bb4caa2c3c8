#include "tensors/tensor_file.h"

#include <ATen/ATen.h>

#include <cstring>
#include <stdexcept>
#include <utility>
#include <vector>

#include "io/safetensors.h"

namespace avbench::tensors {
namespace {

constexpr std::pair<io::Dtype, at::ScalarType> kTypes[] = {
    {io::Dtype::kF64, at::kDouble},    {io::Dtype::kF32, at::kFloat}, {io::Dtype::kF16, at::kHalf},
    {io::Dtype::kBF16, at::kBFloat16}, {io::Dtype::kI64, at::kLong},  {io::Dtype::kI32, at::kInt},
    {io::Dtype::kI16, at::kShort},     {io::Dtype::kI8, at::kChar},   {io::Dtype::kU8, at::kByte},
    {io::Dtype::kBool, at::kBool}};

at::ScalarType scalar_type(io::Dtype dtype) {
  for (const auto& [ours, theirs] : kTypes) {
    if (ours == dtype) return theirs;
  }
  throw std::logic_error(std::string("no tensor type for ") + io::dtype_name(dtype));
}

io::Dtype file_type(at::ScalarType type) {
  for (const auto& [ours, theirs] : kTypes) {
    if (theirs == type) return ours;
  }
  throw std::runtime_error(std::string("safetensors has no type for ") + at::toString(type));
}

}  // namespace

std::map<std::string, at::Tensor> load_tensors(const std::filesystem::path& path) {
  const io::SafetensorsFile file = io::SafetensorsFile::open(path);
  std::map<std::string, at::Tensor> tensors;
  for (const io::TensorRecord& record : file.tensors()) {
    at::Tensor tensor = at::empty(record.shape, scalar_type(record.dtype));
    if (!record.data.empty()) {
      std::memcpy(tensor.mutable_data_ptr(), record.data.data(), record.data.size());
    }
    tensors.emplace(record.name, std::move(tensor));
  }
  return tensors;
}

void save_tensors(const std::filesystem::path& path,
                  const std::map<std::string, at::Tensor>& tensors,
                  const std::map<std::string, std::string>& metadata) {
  std::vector<at::Tensor> rows;  // keep what the records point into
  std::vector<io::TensorRecord> records;
  for (const auto& [name, tensor] : tensors) {
    rows.push_back(tensor.detach().cpu().contiguous());
    const at::Tensor& row = rows.back();
    records.push_back({name,
                       file_type(row.scalar_type()),
                       row.sizes().vec(),
                       {static_cast<const std::byte*>(row.const_data_ptr()), row.nbytes()}});
  }
  io::write_safetensors(path, records, metadata);
}

}  // namespace avbench::tensors
