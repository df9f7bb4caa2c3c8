#include "io/text_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TextFile : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& bytes) const {
    std::ofstream(folder_ / "a.txt", std::ios::binary) << bytes;
    return folder_ / "a.txt";
  }
  TempFolder folder_;
};

TEST_F(TextFile, IsReadWithoutAByteOrderMark) {
  EXPECT_EQ(read_text_file(write("one\ntwo")), "one\ntwo");
  EXPECT_EQ(read_text_file(write("\xEF\xBB\xBFone\n")), "one\n");
  EXPECT_EQ(read_text_file(write("\xEF\xBB\xBF\xEF\xBB\xBFone\n")), "one\n");  // two editors
  EXPECT_EQ(read_text_file(write("\xEF\xBB\xBF")), "");
  EXPECT_EQ(read_text_file(write("")), "");
  EXPECT_EQ(read_text_file(write("one\n\xEF\xBB\xBFtwo")), "one\n\xEF\xBB\xBFtwo");
}

// The word "one" as iconv writes it.
TEST_F(TextFile, OfAnotherEncodingIsRefusedByItsName) {
  const std::pair<std::string, std::string> cases[] = {
      {{"\xFF\xFEo\0n\0e\0", 8}, "UTF-16 (little-endian)"},
      {{"\xFE\xFF\0o\0n\0e", 8}, "UTF-16 (big-endian)"},
      {{"\xFF\xFE\0\0o\0\0\0n\0\0\0e\0\0\0", 16}, "UTF-32 (little-endian)"},
      {{"\0\0\xFE\xFF\0\0\0o\0\0\0n\0\0\0e", 16}, "UTF-32 (big-endian)"}};
  for (const auto& [bytes, name] : cases) {
    const std::filesystem::path file = write(bytes);
    EXPECT_THAT(
        user_error([&] { read_text_file(file); }),
        AllOf(HasSubstr("a.txt: got text in " + name), HasSubstr("Save the file as UTF-8")));
  }
}

TEST_F(TextFile, WithAZeroByteIsRefusedWithItsLine) {
  EXPECT_THAT(user_error([&] {
                read_text_file(write({"o\nn\0e", 5}));
              }),
              AllOf(HasSubstr("a.txt:2: got a zero byte"), HasSubstr("UTF-16")));
}

TEST_F(TextFile, ThatIsMissingIsNamed) {
  EXPECT_THAT(user_error([&] { read_text_file(folder_ / "none.txt"); }), HasSubstr("none.txt"));
}

}  // namespace
}  // namespace avbench::io
