// The method that most pretext losses need: a head for each modality, and a loss of what they give.
#pragma once

#include <cstdint>
#include <vector>

#include "avbench/heads.h"
#include "avbench/plugin.h"

namespace avbench {

// MethodPlugin::embeddings of such a method.
inline constexpr EmbeddingSpec kProjections[] = {
    {"video", "B,D", true, "projected videos"},
    {"audio", "B,D", true, "projected audio"},
};

// The pure loss sees "video" and "audio": features of the whole batch, projected by heads that are
// registered as project_video and project_audio. embed() gives the projections.
class AVBENCH_EXPORT ProjectedPair : public Method {
 public:
  // layers: outputs of each layer of a head, the first of which takes the towers' features.
  ProjectedPair(const MethodContext& context, PureLoss pure_loss,
                const std::vector<int64_t>& layers, const MlpOptions& options = {});

  Loss loss(const Batch& batch, const StepContext& context) override;
  Pair embed(const Features& features) override;

 private:
  PureLoss pure_loss_;
  HeadPair project_;
};

}  // namespace avbench
