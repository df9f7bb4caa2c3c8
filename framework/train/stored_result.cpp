#include "train/stored_result.h"

#include <spdlog/spdlog.h>

namespace avbench {
namespace fs = std::filesystem;

std::optional<Json> read_result(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    return read_json(file);
  } catch (const UserError& error) {
    warn_of_damage(error);
    return std::nullopt;
  }
}

void warn_of_damage(const UserError& damage) { spdlog::warn("{}; it is ignored", damage.what()); }

}  // namespace avbench
