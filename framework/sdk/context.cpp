#include "avbench/context.h"

namespace avbench {

Communicator::~Communicator() = default;

Features gather_pooled(const Features& features, Communicator& group) {
  const auto gathered = [&](const Tensor& rows) {
    return rows.defined() ? group.all_gather(rows) : rows;
  };
  return {{gathered(features.video.pooled), {}}, {gathered(features.audio.pooled), {}}};
}

}  // namespace avbench
