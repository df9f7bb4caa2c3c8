#include "avbench/batch.h"

#include <ATen/ATen.h>

namespace avbench {

Batch select_rows(const Batch& batch, const Tensor& rows) {
  const auto selected = [&](const std::map<std::string, Tensor>& views) {
    std::map<std::string, Tensor> chosen;
    for (const auto& [name, view] : views) {
      chosen[name] = view.index_select(0, rows).contiguous(view.suggest_memory_format());
    }
    return chosen;
  };
  return {selected(batch.video), selected(batch.audio), batch.index.index_select(0, rows)};
}

}  // namespace avbench
