#include "io/allocator.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/resource.h>

#include <cstdlib>

namespace avbench::io {
namespace {

constexpr size_t kBlock = size_t{200} << 20;

// Bytes that malloc has from the kernel outside its heap, while a large block is held.
size_t mapped_for_a_large_block() {
  void* volatile block = std::malloc(kBlock);
  const size_t mapped = mallinfo2().hblkhd;
  std::free(block);
  return mapped;
}

long page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

// Page faults of filling a large block.
long faults_of_filling() {
  auto* const block = static_cast<volatile char*>(std::malloc(kBlock));
  const long before = page_faults();
  for (size_t i = 0; i < kBlock; i += 4096) block[i] = 1;
  const long after = page_faults();
  std::free(const_cast<char*>(block));
  return after - before;
}

// Each test runs in a process of its own, as ctest starts them.
TEST(Allocator, KeepsFreedMemory) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer brings an allocator of its own";
#endif
  if (mapped_for_a_large_block() < kBlock) GTEST_SKIP() << "set already, by another test";
  EXPECT_GE(faults_of_filling(), 90);  // with huge pages of 2 MiB 100
  keep_freed_memory();
  EXPECT_EQ(mapped_for_a_large_block(), 0u);
  faults_of_filling();
  EXPECT_LT(faults_of_filling(), 10);
}

TEST(Allocator, LeavesAChoiceOfTheUsersAlone) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer brings an allocator of its own";
#endif
  if (mapped_for_a_large_block() < kBlock) GTEST_SKIP() << "set already, by another test";
  setenv("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=131072", 1);
  keep_freed_memory();
  EXPECT_GE(mapped_for_a_large_block(), kBlock);
  unsetenv("GLIBC_TUNABLES");
  setenv("MALLOC_TRIM_THRESHOLD_", "131072", 1);
  keep_freed_memory();
  EXPECT_GE(mapped_for_a_large_block(), kBlock);
  unsetenv("MALLOC_TRIM_THRESHOLD_");
}

}  // namespace
}  // namespace avbench::io
