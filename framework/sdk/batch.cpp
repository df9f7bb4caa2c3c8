#include "avbench/batch.h"

#include <ATen/ATen.h>

#include <stdexcept>

#include "io/strings.h"
#include "io/suggest.h"

namespace avbench {

const Tensor& NamedTensors::at(const std::string& name) const {
  if (const auto found = find(name); found != end()) return found->second;
  std::vector<std::string> names;
  for (const auto& entry : *this) names.push_back(entry.first);
  throw std::out_of_range("no tensor named '" + name + "'" + io::did_you_mean(name, names) +
                          "; there are: " + io::join(names));
}

Tensor& NamedTensors::at(const std::string& name) {
  return const_cast<Tensor&>(std::as_const(*this).at(name));
}

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
