// Moves models and batches to a device.
#pragma once

#include <c10/core/Device.h>
#include <torch/nn/module.h>

#include "avbench/batch.h"

namespace avbench::device {

// Every parameter and buffer, in place: whoever holds one of these tensors (a tied tower, an
// optimiser, a plugin's member) holds the moved one. Before the first backward pass.
void place(torch::nn::Module& module, c10::Device device);
void place(const Tensor& tensor, c10::Device device);

// The same samples on `device`, laid out in memory as they were; what is there is not copied.
Batch batch_on(c10::Device device, const Batch& batch);

}  // namespace avbench::device
