// What Method::loss, fuse and embed give.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "check/property.h"
#include "check/samples.h"
#include "train/seeds.h"

namespace avbench {
namespace {

std::string shape_text(const Tensor& tensor) {
  return tensor.defined() ? fmt::format("[{}]", fmt::join(tensor.sizes(), ", ")) : "undefined";
}

bool is_scalar(const Tensor& tensor) {
  return tensor.defined() && tensor.dim() == 0 && tensor.is_floating_point();
}

Finding total_is_scalar(const Examination& examination) {
  Trainee trainee(examination.subject);
  const Tensor total = trainee.loss(trainee.next_batch()).total;
  if (!is_scalar(total)) {
    return failed("got shape " + shape_text(total) + ", expected a floating-point scalar");
  }
  if (!total.requires_grad()) return failed("nothing of it can be differentiated");
  return passed(fmt::format("{:.6g}", total.item<double>()));
}

Finding parts_are_detached(const Examination& examination) {
  Trainee trainee = warmed_up(examination);
  const Loss loss = trainee.loss(trainee.next_batch());
  for (const auto& [name, part] : loss.parts) {
    if (!is_scalar(part)) {
      return failed(fmt::format("'{}': got shape {}, expected a scalar", name, shape_text(part)));
    }
    if (part.requires_grad()) {
      return failed(fmt::format("'{}' requires a gradient, expected detach()", name));
    }
    if (!all_finite(part)) return failed(fmt::format("'{}' is not finite", name));
  }
  return passed(fmt::format("{} parts", loss.parts.size()));
}

// Empty if loss and gradients are finite.
std::string step_fault(Trainee& trainee, const Batch& batch) {
  const Loss loss = trainee.loss(batch);
  if (!all_finite(loss.total)) return fmt::format("the loss is {}", loss.total.item<double>());
  trainee.backward(loss);
  return all_finite(trainee.gradient()) ? "" : "a gradient is not finite";
}

Finding finite_steps(const Examination& examination, at::ScalarType type) {
  constexpr int64_t kSteps = 5;
  Trainee trainee(examination.subject, {.type = type});
  for (int64_t i = 0; i < kSteps; ++i) {
    const std::string fault = step_fault(trainee, trainee.next_batch());
    if (!fault.empty()) return failed(fmt::format("{} at step {}", fault, i));
    trainee.update();
  }
  return passed(fmt::format("{} steps", kSteps));
}

Finding finite_in_float32(const Examination& examination) {
  return finite_steps(examination, at::kFloat);
}

Finding finite_in_float64(const Examination& examination) {
  if (!examination.not_double.empty()) {
    return skipped("cannot run in float64: " + examination.not_double);
  }
  return finite_steps(examination, at::kDouble);
}

Finding finite_on_degenerate_clips(const Examination& examination) {
  const auto black = [](const Tensor& clip) { return at::zeros_like(clip); };
  const auto repeated = [](const Tensor& clip) {
    return clip.narrow(0, 0, 1).expand_as(clip).contiguous(at::MemoryFormat::ChannelsLast3d);
  };
  Trainee trainee = warmed_up(examination);
  const Batch batch = trainee.next_batch();
  std::string fault = step_fault(trainee, with_views(batch, black));
  if (!fault.empty()) return failed("black, silent clips: " + fault);
  fault = step_fault(trainee, with_views(batch, repeated));
  if (!fault.empty()) return failed("the same clip in all rows: " + fault);
  return passed("black and silent, the same clip in all rows");
}

Finding batch_of_one(const Examination& examination) {
  Trainee trainee = warmed_up(examination);
  const Batch one = rows_of(trainee.next_batch(), {0});
  try {
    const std::string fault = step_fault(trainee, one);
    return fault.empty() ? passed("finite") : failed(fault + ", expected a refusal");
  } catch (const std::exception&) {
    const std::string message = message_of(std::current_exception());
    return message.empty() ? failed("refused without a message") : passed("refused: " + message);
  }
}

Finding fuse_gives_rows(const Examination& examination) {
  Trainee trainee(examination.subject);
  Method& method = trainee.method();
  const int64_t dim = method.towers().feature_dim();
  const auto generator = make_generator(1);
  const Tensor video = at::rand({kBatchSize, dim}, generator).requires_grad_();
  const Tensor audio = at::rand({kBatchSize, dim}, generator).requires_grad_();
  const Tensor fused = method.fuse(video, audio);
  if (!fused.defined() || fused.dim() != 2 || fused.size(0) != kBatchSize || fused.size(1) < 1) {
    return failed(fmt::format("got {}, expected [{}, F]", shape_text(fused), kBatchSize));
  }
  if (!all_finite(fused)) return failed("a value is not finite");
  if (!fused.requires_grad()) return failed("no gradient reaches the features");
  (fused * at::rand(fused.sizes(), generator)).sum().backward();
  for (const auto& [name, features] : {std::pair{"video", video}, {"audio", audio}}) {
    const Tensor& grad = features.grad();
    if (!grad.defined() || (grad == 0).all().item<bool>()) {
      return failed(fmt::format("no gradient reaches the {} features", name));
    }
  }
  return passed(shape_text(fused) + " of [8, " + std::to_string(dim) + "] twice");
}

Finding embed_gives_one_space(const Examination& examination) {
  const at::NoGradGuard no_grad;
  Trainee trainee(examination.subject);
  trainee.method().eval();
  const Batch batch = trainee.next_batch();
  const auto [video, audio] = trainee.method().embed(trainee.method().towers().forward(batch));
  for (const Tensor& rows : {video, audio}) {
    if (!rows.defined() || rows.dim() != 2 || rows.size(0) != kBatchSize || rows.size(1) < 1) {
      return failed(fmt::format("got {}, expected [{}, E]", shape_text(rows), kBatchSize));
    }
    if (!all_finite(rows)) return failed("a value is not finite");
  }
  if (video.sizes() != audio.sizes()) {
    return failed(fmt::format("got {} of video and {} of audio, expected one space",
                              shape_text(video), shape_text(audio)));
  }
  return passed(shape_text(video) + " twice");
}

}  // namespace

std::vector<Property> loss_properties() {
  return {
      {"total_is_scalar", "the loss is one floating-point number with a gradient", total_is_scalar},
      {"parts_are_detached", "the logged parts are finite scalars without a gradient",
       parts_are_detached},
      {"finite_in_float32", "loss and gradients of a few steps are finite", finite_in_float32},
      {"finite_in_float64", "the same with parameters and samples in float64", finite_in_float64},
      {"finite_on_degenerate_clips", "black, silent and identical clips give finite gradients",
       finite_on_degenerate_clips},
      {"batch_of_one", "a single sample is refused with a message, or gives a finite loss",
       batch_of_one},
      {"fuse_gives_rows", "fuse() gives [B, F], and a gradient reaches both modalities",
       fuse_gives_rows},
      {"embed_gives_one_space", "embed() gives [B, E] of both modalities", embed_gives_one_space},
  };
}

}  // namespace avbench
