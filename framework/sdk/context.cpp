#include "avbench/context.h"

namespace avbench {

Communicator::~Communicator() = default;

}  // namespace avbench
