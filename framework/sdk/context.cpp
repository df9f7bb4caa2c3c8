#include "avbench/context.h"

namespace avbench {

Communicator::~Communicator() = default;

Pair gather(const Pair& rows, Communicator& group) {
  return rows.map([&](const Tensor& x) { return group.all_gather(x); });
}

}  // namespace avbench
