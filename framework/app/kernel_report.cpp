#include "app/kernel_report.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "encoders/two_towers.h"
#include "kernels/conv3d.h"
#include "kernels/switch.h"
#include "kernels/tile_product.h"

namespace avbench::app {
namespace {

std::string times(const kernels::Extent& e) { return fmt::format("{}x{}x{}", e[0], e[1], e[2]); }

io::Json layer(const kernels::ConvCall& call, const char* tower) {
  const kernels::Volume& in = call.geometry.input;
  const auto algorithm = [](bool wanted, kernels::Algorithm a) {
    return wanted ? kernels::name_of(a) : "none";
  };
  return {{"tower", tower},
          {"input",
           fmt::format("{}x{}x{}x{}x{}", in.batch, in.channels, in.frames, in.height, in.width)},
          {"out_channels", call.geometry.out_channels},
          {"kernel", times(call.geometry.kernel)},
          {"stride", times(call.geometry.stride)},
          {"forward", algorithm(true, call.plan.forward)},
          {"input_gradient", algorithm(call.input_gradient, call.plan.input_gradient)},
          {"weight_gradient", algorithm(call.weight_gradient, call.plan.weight_gradient)},
          {"GFLOP", call.flops() / 1e9}};
}

}  // namespace

io::Json kernel_report(const KernelShape& shape) {
  io::Json layers = io::Json::array();
  const auto towers = encoders::make_towers(shape.encoder, 0);
  const auto clip = [&](int64_t frames) {
    return at::zeros({shape.batch, 3, frames, shape.size, shape.size});
  };
  for (const bool video : {true, false}) {
    const char* tower = video ? "video" : "audio";
    const kernels::ConvObserver observer(
        [&](const kernels::ConvCall& call) { layers.push_back(layer(call, tower)); });
    Batch batch;
    (video ? batch.video : batch.audio)[kBaseView] = clip(video ? shape.frames : 1);
    towers->forward(batch);
  }
  return {{"instruction_set", kernels::instruction_set()},
          {"kernels", kernels::enabled() ? "on" : "off"},
          {"layers", layers}};
}

std::string kernel_text(const io::Json& report) {
  std::string text = fmt::format(
      "kernels {} ({})\n\n{:5} {:22} {:>5} {:7} {:6} {:9} {:14} {:15} {:>9}\n",
      report["kernels"].get<std::string>(), report["instruction_set"].get<std::string>(), "tower",
      "input", "out", "kernel", "stride", "forward", "input gradient", "weight gradient", "GFLOP");
  for (const io::Json& l : report["layers"]) {
    const auto word = [&](const char* key) { return l[key].get<std::string>(); };
    text += fmt::format("{:5} {:22} {:>5} {:7} {:6} {:9} {:14} {:15} {:>9.2f}\n", word("tower"),
                        word("input"), l["out_channels"].get<int64_t>(), word("kernel"),
                        word("stride"), word("forward"), word("input_gradient"),
                        word("weight_gradient"), l["GFLOP"].get<double>());
  }
  return text;
}

}  // namespace avbench::app
