#include "io/elf_symbols.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "io/atomic_file.h"
#include "io/temp_folder.h"
#include "plugin/load.h"

namespace avbench::plugin {
namespace {

using testing::Contains;
using testing::Not;

const std::filesystem::path kGood = std::filesystem::path(BAD_PLUGINS) / "good.so";

TEST(ElfSymbols, ListWhatALibraryExportsAndNotWhatItUses) {
  const auto symbols = io::exported_symbols(kGood);
  EXPECT_THAT(symbols, Contains("avbench_method_plugin"));
  EXPECT_THAT(symbols, Contains(host_abi_tag()));
  EXPECT_THAT(symbols, Not(Contains("memcpy")));
}

TEST(ElfSymbols, RefuseOrReadEveryTruncationWithoutHarm) {
  const auto bytes = io::read_bytes(kGood);
  const io::TempFolder folder;
  const auto file = folder / "cut.so";
  size_t refused = 0, cuts = 0;
  for (size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 50, ++cuts) {
    io::write_file_atomically(file, std::span(bytes).first(size));
    try {
      io::exported_symbols(file);
    } catch (const std::runtime_error&) {
      ++refused;
    }
  }
  EXPECT_EQ(refused, cuts);  // the section table is at the end of the file
}

TEST(ElfSymbols, RefuseOrReadEveryFlippedHeaderByteWithoutHarm) {
  auto bytes = io::read_bytes(kGood);
  const io::TempFolder folder;
  const auto file = folder / "flipped.so";
  for (size_t i = 0; i < 64; ++i) {
    bytes[i] ^= std::byte{0xff};
    io::write_file_atomically(file, bytes);
    try {
      io::exported_symbols(file);
    } catch (const std::runtime_error&) {
    }
    bytes[i] ^= std::byte{0xff};
  }
}

TEST(ElfSymbols, RefuseWhatIsNoLibrary) {
  const io::TempFolder folder;
  io::write_file_atomically(folder / "text.so", std::string_view("hello"));
  EXPECT_THROW(io::exported_symbols(folder / "text.so"), std::runtime_error);
  EXPECT_THROW(io::exported_symbols(folder / "missing.so"), std::runtime_error);
  EXPECT_THROW(io::exported_symbols(folder.path()), std::runtime_error);
}

}  // namespace
}  // namespace avbench::plugin
