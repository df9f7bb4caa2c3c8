#include "io/text_file.h"

#include <algorithm>
#include <string_view>

#include "io/atomic_file.h"
#include "io/error.h"

namespace avbench::io {
namespace {

struct Mark {
  std::string_view bytes, encoding;
};

// UTF-32 first: the mark of its little-endian form begins with that of UTF-16.
constexpr Mark kOtherMarks[] = {{{"\xFF\xFE\0\0", 4}, "UTF-32 (little-endian)"},
                                {{"\0\0\xFE\xFF", 4}, "UTF-32 (big-endian)"},
                                {{"\xFF\xFE", 2}, "UTF-16 (little-endian)"},
                                {{"\xFE\xFF", 2}, "UTF-16 (big-endian)"}};
constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";

std::string text_of(std::string_view bytes, const std::string& origin) {
  for (const auto& [mark, encoding] : kOtherMarks) {
    if (!bytes.starts_with(mark)) continue;
    throw UserError(origin + ": got text in " + std::string(encoding) +
                    ", expected UTF-8. Save the file as UTF-8.");
  }
  while (bytes.starts_with(kUtf8Mark)) bytes.remove_prefix(kUtf8Mark.size());
  const size_t zero = bytes.find('\0');
  if (zero != std::string_view::npos) {
    const auto line =
        1 + std::count(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(zero), '\n');
    throw UserError(origin + ":" + std::to_string(line) +
                    ": got a zero byte, expected text in UTF-8. If it is text in UTF-16, save the "
                    "file as UTF-8.");
  }
  return std::string(bytes);
}

}  // namespace

std::string read_text_file(const std::filesystem::path& path) {
  return text_of(read_file(path), path.string());
}

}  // namespace avbench::io
