// What Method::loss, fuse and embed give.
#include <ATen/ATen.h>
#include <fmt/format.h>

#include "check/property.h"
#include "check/samples.h"
#include "tensors/seeds.h"

namespace avbench::check {
namespace {

std::string shape_text(const Tensor& tensor) {
  return tensor.defined() ? fmt::format("[{}]", fmt::join(tensor.sizes(), ", ")) : "undefined";
}

bool is_scalar(const Tensor& tensor) {
  return tensor.defined() && tensor.dim() == 0 && tensor.is_floating_point();
}

CheckResult total_is_scalar(const CheckContext& context) {
  MethodHarness harness(context.tested);
  const Tensor total = harness.loss(harness.next_batch()).total;
  if (!is_scalar(total)) {
    return failed("got shape " + shape_text(total) + ", expected a floating-point scalar");
  }
  if (!total.requires_grad()) return failed("nothing of it can be differentiated");
  return passed(fmt::format("{:.6g}", total.item<double>()));
}

CheckResult parts_are_detached(const CheckContext& context) {
  MethodHarness harness = warmed_up(context);
  const Loss loss = harness.loss(harness.next_batch());
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
std::string step_fault(MethodHarness& harness, const Batch& batch) {
  const Loss loss = harness.loss(batch);
  if (!all_finite(loss.total)) return fmt::format("the loss is {}", loss.total.item<double>());
  harness.backward(loss);
  return all_finite(harness.gradient()) ? "" : "a gradient is not finite";
}

CheckResult finite_steps(const CheckContext& context, at::ScalarType type) {
  constexpr int64_t kSteps = 5;
  MethodHarness harness(context.tested, {.type = type});
  for (int64_t i = 0; i < kSteps; ++i) {
    const std::string fault = step_fault(harness, harness.next_batch());
    if (!fault.empty()) return failed(fmt::format("{} at step {}", fault, i));
    harness.update();
  }
  return passed(fmt::format("{} steps", kSteps));
}

CheckResult finite_in_float32(const CheckContext& context) {
  return finite_steps(context, at::kFloat);
}

CheckResult finite_in_float64(const CheckContext& context) {
  if (!context.not_double.empty()) {
    return skipped("cannot run in float64: " + context.not_double);
  }
  return finite_steps(context, at::kDouble);
}

CheckResult finite_on_degenerate_clips(const CheckContext& context) {
  const auto black = [](const Tensor& clip) { return at::zeros_like(clip); };
  const auto repeated = [](const Tensor& clip) {
    return clip.narrow(0, 0, 1).expand_as(clip).contiguous(at::MemoryFormat::ChannelsLast3d);
  };
  MethodHarness harness = warmed_up(context);
  const Batch batch = harness.next_batch();
  std::string fault = step_fault(harness, with_views(batch, black));
  if (!fault.empty()) return failed("black, silent clips: " + fault);
  fault = step_fault(harness, with_views(batch, repeated));
  if (!fault.empty()) return failed("the same clip in all rows: " + fault);
  return passed("black and silent, the same clip in all rows");
}

CheckResult batch_of_one(const CheckContext& context) {
  MethodHarness harness = warmed_up(context);
  const Batch one = rows_of(harness.next_batch(), {0});
  try {
    const std::string fault = step_fault(harness, one);
    return fault.empty() ? passed("finite") : failed(fault + ", expected a refusal");
  } catch (const std::exception&) {
    const std::string message = message_of(std::current_exception());
    return message.empty() ? failed("refused without a message") : passed("refused: " + message);
  }
}

CheckResult fuse_gives_rows(const CheckContext& context) {
  MethodHarness harness(context.tested);
  Method& method = harness.method();
  const int64_t dim = method.towers().feature_dim();
  const auto generator = tensors::make_generator(1);
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

CheckResult embed_gives_one_space(const CheckContext& context) {
  const at::NoGradGuard no_grad;
  MethodHarness harness(context.tested);
  harness.method().eval();
  const Batch batch = harness.next_batch();
  const auto [video, audio] = harness.method().embed(harness.method().towers().forward(batch));
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

}  // namespace avbench::check
