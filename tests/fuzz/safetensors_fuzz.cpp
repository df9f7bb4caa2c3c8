// A file of tensors: what is accepted covers the bytes exactly, and every byte can be read.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <set>

#include "fuzz/fuzzing.h"
#include "io/safetensors.h"

using namespace avbench;

namespace {

void check(const io::SafetensorsFile& file, std::span<const uint8_t> input) {
  uint64_t header = 0;
  std::memcpy(&header, input.data(), sizeof header);
  size_t covered = sizeof header + header;
  std::set<std::string> names;
  for (const io::TensorRecord& tensor : file.tensors()) {
    size_t bytes = io::dtype_size(tensor.dtype);
    for (const int64_t size : tensor.shape) bytes *= static_cast<size_t>(size);
    fuzz::require(tensor.data.size() == bytes, "bytes fit the shape");
    fuzz::require(bytes == 0 || std::memcmp(tensor.data.data(), input.data() + covered, bytes) == 0,
                  "tensors follow each other in the file");
    covered += bytes;
    fuzz::require(names.insert(tensor.name).second, "names are unique");
    fuzz::require(file.find(tensor.name) == &tensor, "a tensor is found by its name");
  }
  fuzz::require(covered == input.size(), "no byte is left over");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const uint8_t> input(data, size);
  const auto bytes = std::as_bytes(input);
  fuzz::accepted([&] {
    check(io::SafetensorsFile::parse({bytes.begin(), bytes.end()}, "input"), input);
  });
  return 0;
}
