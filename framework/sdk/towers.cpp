#include "avbench/towers.h"

namespace avbench {

Towers::~Towers() = default;

}  // namespace avbench
