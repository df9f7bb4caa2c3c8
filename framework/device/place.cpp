#include "device/place.h"

#include <ATen/ATen.h>

namespace avbench::device {

// As Tensor::set_data does, which refuses to change to a PrivateUse1 device.
void place(const Tensor& tensor, c10::Device device) {
  if (!tensor.defined() || tensor.device() == device) return;
  const at::NoGradGuard no_grad;
  TORCH_CHECK(!tensor.grad().defined(), "a tensor with a gradient cannot change its device");
  const Tensor moved = tensor.detach().to(device);
  tensor.unsafeGetTensorImpl()->shallow_copy_from(moved.getIntrusivePtr());
}

void place(torch::nn::Module& module, c10::Device device) {
  for (const Tensor& parameter : module.parameters()) place(parameter, device);
  for (const Tensor& buffer : module.buffers()) place(buffer, device);
}

Batch batch_on(c10::Device device, const Batch& batch) {
  Batch moved{.index = batch.index.to(device)};
  for (const auto& [name, view] : batch.video) moved.video[name] = view.to(device);
  for (const auto& [name, view] : batch.audio) moved.audio[name] = view.to(device);
  return moved;
}

}  // namespace avbench::device
