#include "io/safetensors.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <set>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/json.h"
#include "io/strings.h"

namespace avbench::io {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeader = 100'000'000;
constexpr int kMaxDepth = 2;  // {"name": {"shape": [...]}}

struct DtypeInfo {
  Dtype dtype;
  const char* name;
  size_t size;
};
constexpr std::array<DtypeInfo, 10> kDtypes{{{Dtype::kF64, "F64", 8},
                                             {Dtype::kF32, "F32", 4},
                                             {Dtype::kF16, "F16", 2},
                                             {Dtype::kBF16, "BF16", 2},
                                             {Dtype::kI64, "I64", 8},
                                             {Dtype::kI32, "I32", 4},
                                             {Dtype::kI16, "I16", 2},
                                             {Dtype::kI8, "I8", 1},
                                             {Dtype::kU8, "U8", 1},
                                             {Dtype::kBool, "BOOL", 1}}};

std::string text_of(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Parses one header; `origin` and the tensor at hand lead every message.
class HeaderReader {
 public:
  HeaderReader(std::span<const std::byte> bytes, const std::string& origin)
      : bytes_(bytes), origin_(origin) {}

  std::vector<TensorRecord> read(std::map<std::string, std::string>& metadata) {
    const Json header = parse_header();
    std::vector<TensorRecord> tensors;
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") {
        metadata = parse_metadata(entry);
      } else {
        tensors.push_back(parse_tensor(name, entry));
      }
    }
    std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
      const auto key = [](const TensorRecord& t) {
        return std::tuple(t.data.data(), t.data.size());
      };
      return key(a) < key(b);
    });
    check_cover(tensors);
    return tensors;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw UserError(origin_ + ": not a valid safetensors file: " + what);
  }
  [[noreturn]] void refuse(const std::string& tensor, const std::string& what) const {
    throw UserError(origin_ + ": tensor '" + tensor + "': " + what);
  }

  uint64_t header_length() const {
    if (bytes_.size() < kLengthBytes) {
      refuse("got " + std::to_string(bytes_.size()) + " bytes, expected at least 8");
    }
    uint64_t length;
    std::memcpy(&length, bytes_.data(), kLengthBytes);
    const uint64_t limit = std::min<uint64_t>(kMaxHeader, bytes_.size() - kLengthBytes);
    if (length > limit) {
      refuse("got a header of " + std::to_string(length) + " bytes, expected at most " +
             std::to_string(limit));
    }
    return length;
  }

  // Also finds what nlohmann::json accepts silently: repeated keys and needless depth.
  Json parse_header() {
    const uint64_t length = header_length();
    const char* text = reinterpret_cast<const char*>(bytes_.data()) + kLengthBytes;
    if (length == 0 || text[0] != '{') refuse("the header is no JSON object: expected '{' first");
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
      using Event = Json::parse_event_t;
      const bool opens = event == Event::object_start || event == Event::array_start;
      if (opens && depth > kMaxDepth) refuse("the header is nested too deeply");
      if (event == Event::object_start) keys.emplace_back();
      if (event == Event::object_end) keys.pop_back();
      if (event == Event::key && !keys.back().insert(value.get<std::string>()).second) {
        refuse("the key " + text_of(value) + " occurs twice");
      }
      return true;
    };
    try {
      Json header = Json::parse(text, text + length, watch);
      data_ = bytes_.subspan(kLengthBytes + length);
      return header;
    } catch (const Json::exception& error) {  // also: a number out of range
      refuse(std::string("the header is no JSON: ") + error.what());
    }
  }

  std::map<std::string, std::string> parse_metadata(const Json& entry) const {
    if (!entry.is_object()) refuse("__metadata__: got " + text_of(entry) + ", expected an object");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) {
        refuse("__metadata__ '" + key + "': got " + text_of(value) + ", expected a string");
      }
      metadata[key] = value;
    }
    return metadata;
  }

  TensorRecord parse_tensor(const std::string& name, const Json& entry) const {
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") ||
        !entry.contains("shape") || !entry.contains("data_offsets")) {
      refuse(name,
             "got " + text_of(entry) + ", expected an object of dtype, shape and data_offsets");
    }
    TensorRecord record{
        name, parse_dtype(name, entry["dtype"]), parse_integers(name, "shape", entry["shape"]), {}};
    const std::vector<int64_t> offsets =
        parse_integers(name, "data_offsets", entry["data_offsets"]);
    if (offsets.size() != 2 || offsets[0] > offsets[1]) {
      refuse(name,
             "got data_offsets " + text_of(entry["data_offsets"]) + ", expected [begin, end]");
    }
    const auto begin = static_cast<uint64_t>(offsets[0]), end = static_cast<uint64_t>(offsets[1]);
    if (end > data_.size()) {
      refuse(name, "its bytes end at " + std::to_string(end) + ", but the file has only " +
                       std::to_string(data_.size()) + " after the header: is it cut off?");
    }
    const uint64_t expected = byte_count(name, record);
    if (end - begin != expected) {
      refuse(name, "got " + std::to_string(end - begin) + " bytes, expected " +
                       std::to_string(expected) + " for " + dtype_name(record.dtype) + " " +
                       text_of(entry["shape"]));
    }
    record.data = data_.subspan(begin, end - begin);
    return record;
  }

  Dtype parse_dtype(const std::string& name, const Json& value) const {
    std::vector<std::string> known;
    for (const DtypeInfo& info : kDtypes) {
      if (value == info.name) return info.dtype;
      known.emplace_back(info.name);
    }
    refuse(name, "got dtype " + text_of(value) + ", expected one of " + join(known));
  }

  std::vector<int64_t> parse_integers(const std::string& name, const char* key,
                                      const Json& value) const {
    const auto is_size = [](const Json& number) {
      return number.is_number_unsigned() && number.get<uint64_t>() <= uint64_t{INT64_MAX};
    };
    if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_size)) {
      refuse(name, std::string("got ") + key + " " + text_of(value) +
                       ", expected a list of integers from 0 to 2^63 - 1");
    }
    return value.get<std::vector<int64_t>>();
  }

  uint64_t byte_count(const std::string& name, const TensorRecord& record) const {
    uint64_t count = dtype_size(record.dtype);
    for (const int64_t size : record.shape) {
      if (__builtin_mul_overflow(count, static_cast<uint64_t>(size), &count)) {
        refuse(name, "got shape " + text_of(record.shape) + ", whose size overflows 64 bits");
      }
    }
    return count;
  }

  // Records in order of offset must follow each other from the header's end to the file's.
  void check_cover(const std::vector<TensorRecord>& tensors) const {
    const std::byte* end = data_.data();
    for (const TensorRecord& tensor : tensors) {
      if (tensor.data.data() != end) {
        const bool overlaps = tensor.data.data() < end;
        refuse(tensor.name,
               "its bytes begin at " + std::to_string(tensor.data.data() - data_.data()) +
                   ", expected " + std::to_string(end - data_.data()) +
                   (overlaps ? ": overlaps the tensor before it" : ": there is a gap before it"));
      }
      end += tensor.data.size();
    }
    const std::ptrdiff_t trailing = data_.data() + data_.size() - end;
    if (trailing != 0)
      refuse(std::to_string(trailing) + " bytes after the last tensor, expected 0");
  }

  std::span<const std::byte> bytes_;
  std::span<const std::byte> data_;  // after the header
  const std::string& origin_;
};

const DtypeInfo& info_of(Dtype dtype) {
  return *std::find_if(kDtypes.begin(), kDtypes.end(),
                       [&](const DtypeInfo& info) { return info.dtype == dtype; });
}

}  // namespace

const char* dtype_name(Dtype dtype) { return info_of(dtype).name; }

size_t dtype_size(Dtype dtype) { return info_of(dtype).size; }

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  return parse(read_bytes(path), path.string());
}

SafetensorsFile SafetensorsFile::parse(std::vector<std::byte> bytes, const std::string& origin) {
  SafetensorsFile file;
  file.bytes_ = std::move(bytes);
  file.tensors_ = HeaderReader(file.bytes_, origin).read(file.metadata_);
  return file;
}

const TensorRecord* SafetensorsFile::find(const std::string& name) const {
  const auto found = std::find_if(tensors_.begin(), tensors_.end(),
                                  [&](const TensorRecord& tensor) { return tensor.name == name; });
  return found == tensors_.end() ? nullptr : &*found;
}

}  // namespace avbench::io
