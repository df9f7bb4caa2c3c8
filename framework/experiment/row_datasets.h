// The data sets that the rows of an experiment are trained and tested on.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/experiment.h"
#include "data/dataset.h"

namespace avbench::experiment {

struct RowDatasets {
  std::shared_ptr<const data::Dataset> labelled;     // finetuning, validation, test
  std::shared_ptr<const data::Dataset> pretraining;  // its training split; often the same
};

// By row. Each distinct combination of source, clips and spectrograms is opened once, and all of
// them share run.cache_mib; a file that is too short for one row is left out for all, so that every
// row has the same files. `tested`: whether the test split is needed. Throws UserError if a split
// that is needed is empty, or if a part of a file that is trained on is also held out.
std::vector<RowDatasets> open_row_datasets(const config::Experiment& experiment, bool tested);

// Throws UserError if no file of the split is usable. `advice`: what else can be done.
void require_samples(const data::Dataset& data, data::Split split, const std::string& source,
                     const std::string& advice = "");

}  // namespace avbench::experiment
