#include "io/elf_symbols.h"

#include <elf.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace avbench::io {
namespace {

class LibraryFile {
 public:
  explicit LibraryFile(const std::filesystem::path& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      throw std::runtime_error("got a folder, expected a shared library");
    }
    size_ = std::filesystem::file_size(path, error);
    if (error) throw std::runtime_error("cannot be opened: " + error.message());
    errno = 0;
    stream_.open(path, std::ios::binary);
    if (!stream_) {
      throw std::runtime_error("cannot be opened: " + std::generic_category().message(errno));
    }
  }

  // `bytes` bytes at `offset` as values of T.
  template <typename T>
  std::vector<T> read(uint64_t offset, uint64_t bytes) {
    if (offset > size_ || bytes > size_ - offset) {
      throw std::runtime_error("not a whole shared library: it refers to bytes past its end");
    }
    std::vector<T> values(bytes / sizeof(T));
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(reinterpret_cast<char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(T)));
    if (!stream_) throw std::runtime_error("cannot be read");
    return values;
  }

  uint64_t size() const { return size_; }

 private:
  std::ifstream stream_;
  uint64_t size_ = 0;
};

Elf64_Ehdr read_header(LibraryFile& file) {
  if (file.size() < sizeof(Elf64_Ehdr)) throw std::runtime_error("not a shared library");
  const Elf64_Ehdr header = file.read<Elf64_Ehdr>(0, sizeof(Elf64_Ehdr)).front();
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_DYN) {
    throw std::runtime_error("not a shared library");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_shentsize != sizeof(Elf64_Shdr)) {
    throw std::runtime_error("a shared library for another kind of machine");
  }
  return header;
}

bool is_exported(const Elf64_Sym& symbol) {
  const auto binding = ELF64_ST_BIND(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && (binding == STB_GLOBAL || binding == STB_WEAK);
}

}  // namespace

std::vector<std::string> exported_symbols(const std::filesystem::path& library) {
  LibraryFile file(library);
  const Elf64_Ehdr header = read_header(file);
  const auto sections =
      file.read<Elf64_Shdr>(header.e_shoff, uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
  const auto table = std::find_if(sections.begin(), sections.end(), [](const Elf64_Shdr& section) {
    return section.sh_type == SHT_DYNSYM;
  });
  if (table == sections.end() || table->sh_link >= sections.size()) return {};
  const Elf64_Shdr& names_section = sections[table->sh_link];
  auto names = file.read<char>(names_section.sh_offset, names_section.sh_size);
  names.push_back('\0');

  std::vector<std::string> exported;
  for (const Elf64_Sym& symbol : file.read<Elf64_Sym>(table->sh_offset, table->sh_size)) {
    if (is_exported(symbol) && symbol.st_name < names.size()) {
      exported.emplace_back(names.data() + symbol.st_name);
    }
  }
  return exported;
}

}  // namespace avbench::io
