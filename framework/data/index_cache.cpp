#include "data/index_cache.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <vector>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/sha256.h"
#include "media/capabilities.h"

namespace avbench::data {
namespace {

namespace fs = std::filesystem;

// Raised whenever the fields, or what index_file() finds, change. Behind it the
// entries, then the SHA-256 of everything before. Numbers in the machine's byte order.
constexpr std::string_view kVersion = "avbench index 2";
constexpr size_t kDigestSize = 64;

// Another FFmpeg may find other things.
const std::string& magic() {
  static const std::string text = [] {
    std::string line(kVersion);
    for (const media::MediaLibrary& library : media::media_libraries())
      line += " " + library.running;
    return line + "\n";
  }();
  return text;
}

// Both visit the fields() of what they are given.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  template <class T>
  void operator()(const char*, const T& value) {
    write(value);
  }

 private:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void write(const T& value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void write(const std::string& text) {
    write(uint64_t{text.size()});
    out_ += text;
  }
  template <class T>
  void write(const std::vector<T>& values) {
    write(uint64_t{values.size()});
    out_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  void write(const std::shared_ptr<const media::VideoIndex>& index) { fields(*this, *index); }

  std::string& out_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  void operator()(const char*, T& value) {
    read(value);
  }
  bool at_end() const { return bytes_.empty(); }

 private:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void read(T& value) { std::memcpy(&value, take(sizeof value).data(), sizeof value); }
  void read(std::string& text) { text = take(length(1)); }
  template <class T>
  void read(std::vector<T>& values) {
    const size_t size = length(sizeof(T));
    values.resize(size);
    const std::string_view bytes = take(size * sizeof(T));
    if (size > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  void read(std::shared_ptr<const media::VideoIndex>& index) {
    auto made = std::make_shared<media::VideoIndex>();
    fields(*this, *made);
    index = std::move(made);
  }

  size_t length(size_t element) {
    uint64_t size = 0;
    read(size);
    if (size > bytes_.size() / element) throw std::runtime_error("index cache: bad length");
    return size;
  }
  std::string_view take(size_t size) {
    if (size > bytes_.size()) throw std::runtime_error("index cache: cut off");
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
};

fs::path cache_folder() {
  const auto variable = [](const char* name) -> fs::path {
    const char* value = std::getenv(name);
    return value ? value : "";
  };
  if (fs::path own = variable("AVBENCH_CACHE"); !own.empty()) return own;
  if (const fs::path shared = variable("XDG_CACHE_HOME"); !shared.empty())
    return shared / "avbench";
  if (const fs::path home = variable("HOME"); !home.empty()) return home / ".cache" / "avbench";
  return fs::temp_directory_path() / "avbench";
}

}  // namespace

fs::path index_cache_file(const fs::path& source) {
  return cache_folder() /
         ("index-" + io::sha256_hex(fs::weakly_canonical(source).string()).substr(0, 16) + ".bin");
}

IndexEntries load_index_cache(const fs::path& file) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return {};
  try {
    const std::string text = io::read_file(file);
    std::string_view bytes = text;
    if (!bytes.starts_with(magic()) || bytes.size() < magic().size() + kDigestSize) return {};
    const std::string_view body = bytes.substr(0, bytes.size() - kDigestSize);
    if (io::sha256_hex(body) != bytes.substr(body.size())) return {};
    Reader reader(body.substr(magic().size()));
    IndexEntries entries;
    while (!reader.at_end()) {
      std::string file;
      IndexEntry entry;
      reader("file", file);
      fields(reader, entry);
      entries.emplace(std::move(file), std::move(entry));
    }
    return entries;
  } catch (const std::exception&) {
    return {};  // it is only a cache
  }
}

void save_index_cache(const fs::path& file, const IndexEntries& entries) {
  fs::create_directories(file.parent_path());
  std::string bytes = magic();
  Writer writer(bytes);
  for (const auto& [file, entry] : entries) {
    writer("file", file);
    fields(writer, entry);
  }
  bytes += io::sha256_hex(std::string_view(bytes));
  io::write_file_atomically(file, std::string_view(bytes));
}

}  // namespace avbench::data
