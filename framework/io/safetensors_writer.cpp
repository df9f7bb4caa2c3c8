#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "io/atomic_file.h"
#include "io/safetensors.h"

namespace avbench::io {
namespace {

using OrderedJson = nlohmann::ordered_json;  // keeps the order of keys as they are added

void check(const TensorRecord& tensor) {
  uint64_t bytes = dtype_size(tensor.dtype);
  for (const int64_t size : tensor.shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) {
      throw std::invalid_argument("tensor '" + tensor.name + "': impossible shape");
    }
  }
  if (bytes != tensor.data.size()) {
    throw std::invalid_argument("tensor '" + tensor.name + "': got " +
                                std::to_string(tensor.data.size()) + " bytes, expected " +
                                std::to_string(bytes));
  }
}

// Wide elements first, so that all are aligned; then by name.
std::vector<TensorRecord> in_file_order(std::vector<TensorRecord> tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorRecord& a, const TensorRecord& b) {
    const size_t size_a = dtype_size(a.dtype), size_b = dtype_size(b.dtype);
    return size_a != size_b ? size_a > size_b : a.name < b.name;
  });
  return tensors;
}

std::string header_of(const std::vector<TensorRecord>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  OrderedJson header = OrderedJson::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  size_t offset = 0;
  for (const TensorRecord& tensor : tensors) {
    if (tensor.name == "__metadata__" || header.contains(tensor.name)) {
      throw std::invalid_argument("tensor name '" + tensor.name + "' is reserved or repeated");
    }
    const size_t end = offset + tensor.data.size();
    header[tensor.name] = {{"dtype", dtype_name(tensor.dtype)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, const std::vector<TensorRecord>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::for_each(tensors.begin(), tensors.end(), check);
  const std::vector<TensorRecord> sorted = in_file_order(tensors);
  const std::string header = header_of(sorted, metadata);
  const uint64_t length = header.size();
  AtomicFile file(path);
  file.write(std::as_bytes(std::span(&length, 1)));
  file.write(header);
  for (const TensorRecord& tensor : sorted) file.write(tensor.data);
  file.commit();
}

}  // namespace avbench::io
