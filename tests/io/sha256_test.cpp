#include "io/sha256.h"

#include <gtest/gtest.h>

#include "io/atomic_file.h"
#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench::io {
namespace {

// Published examples: FIPS 180-4, and RFC 6234's million letters.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kMillion = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, MatchesPublishedExamples) {
  EXPECT_EQ(sha256_hex(""), kEmpty);
  EXPECT_EQ(sha256_hex("abc"), kAbc);
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')), kMillion);
}

TEST(Sha256, StreamDoesNotDependOnPieces) {
  Sha256 hash;
  for (int i = 0; i < 1000; ++i) hash.update(std::string(1000, 'a'));
  EXPECT_EQ(hash.hex(), kMillion);
}

TEST(Sha256, HashesFilesLargerThanItsBuffer) {
  TempFolder folder;
  write_file_atomically(folder / "a", std::string(1'000'000, 'a'));
  EXPECT_EQ(sha256_file(folder / "a"), kMillion);
}

TEST(Sha256, MissingFileIsTheUsersMistake) {
  EXPECT_EQ(user_error([] { sha256_file("/nowhere/x"); }),
            "cannot read /nowhere/x: No such file or directory");
}

}  // namespace
}  // namespace avbench::io
