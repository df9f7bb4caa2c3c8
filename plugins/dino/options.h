// DINO's options.
#pragma once

#include <algorithm>
#include <cmath>

#include "avbench/params.h"

namespace avbench::dino {

inline constexpr ParamSpec kParams[] = {
    choice("pairs", "across", "across|within|both",
           "a student's teacher sees the other modality, another clip and crop of the same "
           "modality, or both"),
    number("student_temperature", 0.1, 1e-3, 100, "temperature of the student's softmax"),
    number("teacher_temperature", 0.04, 1e-3, 100,
           "temperature of the teacher's softmax, after its warm-up"),
    number("warmup_teacher_temperature", 0.04, 1e-3, 100,
           "temperature of the teacher's softmax at first"),
    number("warmup_teacher_epochs", 0, 0, 100000, "epochs from the first temperature to the last"),
    number("momentum", 0.996, 0, 1,
           "momentum of the teacher at first, raised to 1 along a half cosine"),
    number("centre_momentum", 0.9, 0, 1,
           "momentum of the centre that is taken from the teacher's logits"),
    number("freeze_epochs", 1, 0, 100000, "epochs in which the student's prototypes do not move"),
    integer("hidden_dim", 2048, 1, 65536, "width of each head's two hidden layers"),
    integer("bottleneck_dim", 256, 1, 65536, "what each head compares with its prototypes"),
    integer("prototypes", 4096, 2, 1 << 20, "outputs of each head"),
    choice("evaluate", "teacher", "teacher|student", "the towers that finetuning starts from"),
};

// Along a line from the first temperature to the last, which then stays.
inline double teacher_temperature(const Params& params, double epoch) {
  const double first = params.number("warmup_teacher_temperature");
  const double last = params.number("teacher_temperature");
  const double epochs = params.number("warmup_teacher_epochs");
  return epochs == 0 ? last : std::lerp(first, last, std::min(epoch / epochs, 1.0));
}

}  // namespace avbench::dino
