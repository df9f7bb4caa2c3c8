// Every method of the repository in the tiny comparison, each as one line that extends a preset.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/tiny_experiment.h"

namespace avbench::app {

inline const std::vector<std::string> kMethods = {
    "avcl", "barlow_twins", "byol", "cmc", "dino", "iic", "moco", "simclr", "simsiam", "vicreg"};

// Parameters that make a method's heads and stores small.
inline std::string small(const std::string& method) {
  if (method == "avcl") return "{}";
  if (method == "dino") return "{hidden_dim: 8, bottleneck_dim: 8, prototypes: 8}";
  if (method == "moco") return "{hidden_dim: 8, projector_dim: 8, queue_size: 10}";
  if (method == "iic") return "{negatives: 6}";
  if (method == "simclr") return "{hidden_dim: 8, projector_dim: 8}";
  if (method == "byol") return "{hidden_dim: 8, projector_dim: 8, predictor_dim: 8}";
  if (method == "simsiam") return "{projector_dim: 8, predictor_dim: 4}";
  return "{projector_dim: 8}";
}

class AllMethods : public TinyExperiment {
 protected:
  fs::path configure(const std::string& results, const std::vector<std::string>& presets) {
    fs::path file = TinyExperiment::configure(results);
    std::string text = io::read_file(file);
    text.resize(text.find("rows:"));
    text += "rows:\n";
    for (const std::string& method : kMethods) {
      for (const std::string& preset : presets) {
        text += "  - {name: " + method + " " + preset +
                ", extends: " AVBENCH_SOURCE_DIR "/configs/methods/" + method + "_" + preset +
                ".yaml, params: " + small(method) + "}\n";
      }
    }
    std::ofstream(file) << text;
    return file;
  }
};

}  // namespace avbench::app
