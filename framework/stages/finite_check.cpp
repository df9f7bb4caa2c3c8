#include "stages/finite_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>
#include <vector>

#include "train/non_finite.h"

namespace avbench::stages {

std::string file_text(const data::Dataset& dataset, data::Split split, int64_t index) {
  const data::Sample& sample = dataset.sample(split, index);
  return fmt::format("{} ({})", sample.id, sample.path.string());
}

FiniteCheck::FiniteCheck(const StageLoaders& data, data::Split split, std::string stage,
                         std::string what)
    : data_(data), split_(split), stage_(std::move(stage)), what_(std::move(what)) {}

void FiniteCheck::add(const data::LoadedBatch& batch, const Tensor& outputs) {
  const std::vector<int64_t> rows = train::non_finite_rows(outputs);
  if (rows.empty()) return;
  const std::vector<int64_t> inputs = train::non_finite_rows(batch.batch);
  for (const int64_t row : rows) {
    const data::SampleRequest& request = batch.requests.at(row);
    File& file = bad_[request.index];
    file.clips.insert(request.clip);
    if (std::binary_search(inputs.begin(), inputs.end(), row)) file.finite_input = false;
  }
}

void FiniteCheck::require_all() const {
  if (bad_.empty()) return;
  std::vector<std::string> all, faulty;
  for (const auto& [index, file] : bad_) {
    const std::string name = file_text(*data_.dataset, split_, index);
    all.push_back(fmt::format("{} clip {}", name, fmt::join(file.clips, ", ")));
    if (!file.finite_input) faulty.push_back(name);
  }
  std::string message = fmt::format("{}: the {} of {} of the files are not finite: {}.", stage_,
                                    what_, all.size(), train::first_few(all));
  // In evaluation no file changes another one's output.
  if (!faulty.empty()) message.append(" ").append(train::remedy_for(faulty));
  if (faulty.size() < all.size()) {
    message.append(faulty.empty() ? " " : " Of the others: ").append(train::remedy_for({}));
  }
  throw std::runtime_error(message);
}

}  // namespace avbench::stages
