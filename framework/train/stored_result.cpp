#include "train/stored_result.h"

#include <spdlog/spdlog.h>

namespace avbench::train {
namespace fs = std::filesystem;

std::optional<io::Json> read_result(const fs::path& file) {
  if (!fs::exists(file)) return std::nullopt;
  try {
    return io::read_json(file);
  } catch (const io::UserError& error) {
    warn_of_damage(error);
    return std::nullopt;
  }
}

void warn_of_damage(const io::UserError& damage) {
  spdlog::warn("{}; it is ignored", damage.what());
}

}  // namespace avbench::train
