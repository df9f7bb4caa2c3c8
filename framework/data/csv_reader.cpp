#include "data/csv_reader.h"

#include <fmt/format.h>

#include <utility>

#include "io/error.h"

namespace avbench::data {
namespace {

class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {}

  std::vector<CsvRecord> run() {
    std::vector<CsvRecord> records;
    while (at_ < text_.size()) {
      if (skip_line_end()) continue;
      records.push_back(record());
    }
    return records;
  }

 private:
  CsvRecord record() {
    CsvRecord result{.line = line_};
    do {
      result.fields.push_back(peek('"') ? quoted_field() : plain_field());
    } while (take(','));
    if (at_ < text_.size() && !skip_line_end()) fail(line_, "text after a closing quote");
    return result;
  }

  std::string plain_field() {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != ',' && !at_line_end()) {
      if (text_[at_] == '"') fail(line_, "a quote inside a field that does not begin with one");
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted_field() {
    const int64_t begin = line_;
    std::string field;
    ++at_;
    while (at_ < text_.size()) {
      if (take('"')) {
        if (!take('"')) return field;
        field += '"';
        continue;
      }
      if (text_[at_] == '\n') ++line_;
      field += text_[at_++];
    }
    fail(begin, "a quoted field that is not closed");
  }

  bool peek(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }
  bool at_line_end() const { return peek('\n') || text_.substr(at_, 2) == "\r\n"; }
  bool skip_line_end() {
    if (!at_line_end()) return false;
    at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
    return true;
  }

  [[noreturn]] void fail(int64_t line, const char* what) const {
    throw io::UserError(fmt::format(
        "{}:{}: {}. Fields with commas, quotes or line breaks are written in double quotes, quotes "
        "inside them doubled.",
        origin_, line, what));
  }

  std::string_view text_;
  const std::string& origin_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

}  // namespace

std::vector<CsvRecord> parse_csv(std::string_view text, const std::string& origin) {
  return CsvParser(text, origin).run();
}

}  // namespace avbench::data
