// Text that a user has written: configurations, lists, manifests.
#pragma once

#include <filesystem>
#include <string>

namespace avbench::io {

// The whole file without the byte-order mark that some editors put before UTF-8. Throws UserError
// as read_file(), and on UTF-16 and UTF-32, which it names.
std::string read_text_file(const std::filesystem::path& path);

}  // namespace avbench::io
