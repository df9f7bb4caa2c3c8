// The pairs of the control experiment `protocol.pretrain.pairs: shuffled`.
#pragma once

#include "avbench/batch.h"

namespace avbench::stages {

// Every sample keeps its video and its index, and gets the audio of the sample before it in the
// batch, in all views alike. A batch is drawn anew in every epoch, and so is the partner. A batch
// of one has no other audio to give.
Batch with_other_audio(Batch batch);

}  // namespace avbench::stages
