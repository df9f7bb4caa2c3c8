// The host knows no method by name: nothing in framework/ but comments may say one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

namespace avbench {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// Each comment becomes a space; string and character literals are code.
std::string without_comments(const std::string& text, bool cpp) {
  std::string code;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string two = text.substr(i, 2);
    if (cpp && quote == 0 && two == "R\"") {  // a raw literal
      const size_t open = text.find('(', i);
      const std::string close = ")" + text.substr(i + 2, open - i - 2) + "\"";
      const size_t end = std::min(text.find(close, open), text.size() - close.size());
      code += text.substr(i, end + close.size() - i);
      i = end + close.size() - 1;
      continue;
    }
    const bool line_comment = cpp ? two == "//" : text[i] == '#';
    if (quote != 0) {
      if (text[i] == '\\' && i + 1 < text.size()) code += text[i++];
      if (text[i] == quote || text[i] == '\n') quote = 0;
    } else if (line_comment || (cpp && two == "/*")) {
      const size_t end = line_comment ? text.find('\n', i) : text.find("*/", i + 2);
      if (end == std::string::npos) break;
      i = line_comment ? end : end + 1;
      code += line_comment ? '\n' : ' ';
      continue;
    } else if (text[i] == '"' || (text[i] == '\'' && !(i > 0 && is_word(text[i - 1])))) {
      quote = text[i];
    }
    code += text[i];
  }
  return code;
}

// barlow_twins, BarlowTwins and "Barlow Twins" are one name.
std::regex pattern(const std::string& name) {
  return std::regex(std::regex_replace(name, std::regex("_"), "[_ -]?"),
                    std::regex::ECMAScript | std::regex::icase);
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(AVBENCH_SOURCE_DIR) / "plugins")) {
    if (entry.is_directory()) names.push_back(entry.path().filename());
  }
  return names;
}

std::vector<std::string> names_in(const std::string& code) {
  std::vector<std::string> found;
  for (const std::string& name : method_names()) {
    if (std::regex_search(code, pattern(name))) found.push_back(name);
  }
  return found;
}

TEST(HostNames, AreFoundInCodeAndStringsHoweverTheyAreWritten) {
  EXPECT_THAT(names_in(without_comments("if (method == \"moco\") {}", true)),
              testing::ElementsAre("moco"));
  EXPECT_THAT(names_in(without_comments("class BarlowTwins; // a comment", true)),
              testing::ElementsAre("barlow_twins"));
  EXPECT_THAT(names_in(without_comments("char c = '\"'; int byol = 1'000;", true)),
              testing::ElementsAre("byol"));
  EXPECT_THAT(names_in(without_comments("R\"sh(a \" b // c\n cmc)sh\"; // byol", true)),
              testing::ElementsAre("cmc"));
  EXPECT_THAT(names_in(without_comments("add_plugin(iic)  # built\n", false)),
              testing::ElementsAre("iic"));
}

TEST(HostNames, MayStandInComments) {
  EXPECT_THAT(names_in(without_comments("// as MoCo\nint x; /* and\nBYOL */ char c = '/';", true)),
              IsEmpty());
  EXPECT_THAT(names_in(without_comments("set(x 1)  # for MoCo\n", false)), IsEmpty());
  EXPECT_THAT(without_comments("a = \"// no comment\"; // one", true),
              testing::StrEq("a = \"// no comment\"; "));
}

TEST(HostNames, StandNowhereInTheHostsCode) {
  ASSERT_GE(method_names().size(), 10u);
  size_t files = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(AVBENCH_SOURCE_DIR) / "framework")) {
    if (!entry.is_regular_file()) continue;
    const std::string extension = entry.path().extension();
    const bool cpp = extension == ".cpp" || extension == ".h";
    std::ifstream in(entry.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    EXPECT_THAT(names_in(without_comments(text, cpp)), IsEmpty()) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 200u);
}

}  // namespace
}  // namespace avbench
