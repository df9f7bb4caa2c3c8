// The safetensors format without any tensor library: an 8-byte little-endian header length, a JSON
// header, the bytes. https://huggingface.co/docs/safetensors
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace avbench::io {

enum class Dtype { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

const char* dtype_name(Dtype dtype);  // as in the file: "F32"
size_t dtype_size(Dtype dtype);       // bytes of an element

// A view: the bytes (little-endian, row-major) belong to somebody else.
struct TensorRecord {
  std::string name;
  Dtype dtype;
  std::vector<int64_t> shape;
  std::span<const std::byte> data;
};

// An open file with its bytes in memory. Moving it keeps the records' views valid.
class SafetensorsFile {
 public:
  // Strict: throws UserError with file, tensor, got and expected for anything but a well-formed
  // file whose tensors cover the bytes after the header without gap or overlap.
  static SafetensorsFile open(const std::filesystem::path& path);
  // The same on bytes in memory; `origin` stands for the file in messages.
  static SafetensorsFile parse(std::vector<std::byte> bytes, const std::string& origin);

  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;

  const std::vector<TensorRecord>& tensors() const { return tensors_; }  // in order of offset
  const TensorRecord* find(const std::string& name) const;               // nullptr: none
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  SafetensorsFile() = default;

  std::vector<std::byte> bytes_;
  std::vector<TensorRecord> tensors_;
  std::map<std::string, std::string> metadata_;
};

// The same bytes for the same content, in whatever order it is given: tensors by falling element
// size, then name. Throws std::invalid_argument if a record's bytes do not fit its shape, or on a
// repeated name.
void write_safetensors(const std::filesystem::path& path, const std::vector<TensorRecord>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace avbench::io
