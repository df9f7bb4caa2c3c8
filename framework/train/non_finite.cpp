#include "train/non_finite.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <set>

namespace avbench::train {

std::vector<int64_t> non_finite_rows(const Tensor& values) {
  const Tensor finite = values.isfinite();
  std::vector<int64_t> rows;
  if (finite.all().item<bool>()) return rows;
  for (int64_t row = 0; row < finite.size(0); ++row) {
    if (!finite[row].all().item<bool>()) rows.push_back(row);
  }
  return rows;
}

std::vector<int64_t> non_finite_rows(const Batch& batch) {
  std::set<int64_t> rows;
  for (const auto* views : {&batch.video, &batch.audio}) {
    for (const auto& [name, tensor] : *views) {
      const auto found = non_finite_rows(tensor);
      rows.insert(found.begin(), found.end());
    }
  }
  return {rows.begin(), rows.end()};
}

std::string first_few(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  const size_t shown = std::min(names.size(), kShown);
  std::string text = fmt::format(
      "{}", fmt::join(names.begin(), names.begin() + static_cast<int64_t>(shown), ", "));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

std::string remedy_for(const std::vector<std::string>& faulty) {
  if (faulty.empty()) {
    return "Frames and audio are finite, so the weights are at fault: a lower learning rate or "
           "protocol.*.clip_norm may help.";
  }
  return fmt::format(
      "The frames or the audio of {} are not finite: mend these files, or leave them out.",
      first_few(faulty));
}

}  // namespace avbench::train
