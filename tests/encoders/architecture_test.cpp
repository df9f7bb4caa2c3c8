// The three backbones against published counts and shapes, and R3D against the same network
// composed by hand from ATen operators in float64.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "encoders/encoder.h"
#include "io/error.h"

namespace avbench::encoders {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<config::Backbone> kBackbones{config::Backbone::kR3d, config::Backbone::kR2plus1d,
                                               config::Backbone::kC3d};

int64_t parameter_count(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

int64_t conv(int64_t taps, int64_t in, int64_t out) { return taps * in * out; }
int64_t bn(int64_t channels) { return 2 * channels; }

double relative_error(const Tensor& got, const Tensor& expected) {
  return ((got.to(at::kDouble) - expected).norm() / expected.norm()).item<double>();
}

// ---- sizes --------------------------------------------------------------------------------------

TEST(Encoder, HasPublishedParameterCountsAtWidth64) {
  EXPECT_EQ(parameter_count(*make_encoder(config::Backbone::kR3d, 64)), 14'361'792);
  EXPECT_EQ(parameter_count(*make_encoder(config::Backbone::kR2plus1d, 64)), 14'365'303);
  EXPECT_EQ(parameter_count(*make_encoder(config::Backbone::kC3d, 64)), 27'661'440);
}

TEST(Encoder, OneChannelLeavesTwoThirdsOfTheStem) {
  EXPECT_EQ(parameter_count(*make_encoder(config::Backbone::kR3d, 64, 1)),
            14'361'792 - 2 * conv(147, 1, 64));
  EXPECT_EQ(parameter_count(*make_encoder(config::Backbone::kC3d, 64, 1)),
            27'661'440 - 2 * conv(27, 1, 64));
  // 83 channels in the middle of the stem become 9408 / 241 = 39.
  const int64_t three = conv(49, 3, 83) + bn(83) + conv(3, 83, 64);
  const int64_t one = conv(49, 1, 39) + bn(39) + conv(3, 39, 64);
  EXPECT_EQ(parameter_count(*make_encoder(config::Backbone::kR2plus1d, 64, 1)),
            14'365'303 - three + one);
}

TEST(Encoder, R3dCountsLayerByLayer) {
  const int64_t stem = conv(147, 3, 8) + bn(8);
  const int64_t conv2 = 2 * (conv(27, 8, 8) + bn(8));
  int64_t expected = stem + conv2;
  for (const int64_t in : {8, 16, 32}) {
    expected +=
        conv(27, in, 2 * in) + conv(27, 2 * in, 2 * in) + conv(1, in, 2 * in) + 3 * bn(2 * in);
  }
  EXPECT_EQ(parameter_count(*make_encoder(config::Backbone::kR3d, 8)), expected);
}

// Middle channels at width 64: stem 83; conv2 144, 144; then first, second, shortcut of each stage.
TEST(Encoder, R2plus1dCountsLayerByLayer) {
  const auto factored = [](int64_t space, int64_t time, int64_t in, int64_t middle, int64_t out) {
    return conv(space, in, middle) + bn(middle) + conv(time, middle, out) + bn(out);
  };
  int64_t expected = factored(49, 3, 3, 83, 64) + 2 * factored(9, 3, 64, 144, 64);
  for (const auto& [in, first, second, shortcut] :
       std::vector<std::tuple<int64_t, int64_t, int64_t, int64_t>>{
           {64, 230, 288, 42}, {128, 460, 576, 85}, {256, 921, 1152, 170}}) {
    const int64_t out = 2 * in;
    expected += factored(9, 3, in, first, out) + factored(9, 3, out, second, out) +
                factored(1, 1, in, shortcut, out);
  }
  EXPECT_EQ(parameter_count(*make_encoder(config::Backbone::kR2plus1d, 64)), expected);
  EXPECT_EQ(expected, 14'365'303);
}

TEST(Encoder, C3dCountsLayerByLayer) {
  const std::vector<int64_t> channels{3, 8, 16, 32, 32, 64, 64, 64, 64};
  int64_t expected = 0;
  for (size_t i = 1; i < channels.size(); ++i) {
    expected += conv(27, channels[i - 1], channels[i]) + channels[i] + bn(channels[i]);
  }
  EXPECT_EQ(parameter_count(*make_encoder(config::Backbone::kC3d, 8)), expected);
}

TEST(Encoder, FeatureMapsHavePublishedShapesAtWidth64) {
  const torch::NoGradGuard no_grad;
  const Tensor clip = at::rand({1, 3, 16, 112, 112});
  for (const config::Backbone backbone : kBackbones) {
    SCOPED_TRACE(config::to_word(backbone));
    auto encoder = make_encoder(backbone, 64);
    encoder->eval();
    const TowerOutput output = encoder->forward(clip);
    const bool c3d = backbone == config::Backbone::kC3d;
    const int64_t conv3 = c3d ? 256 : 128, conv4 = c3d ? 512 : 256;
    EXPECT_THAT(output.taps.at("conv3").sizes(), ElementsAre(1, conv3, 8, 28, 28));
    EXPECT_THAT(output.taps.at("conv4").sizes(), ElementsAre(1, conv4, 4, 14, 14));
    EXPECT_THAT(output.taps.at("conv5").sizes(), ElementsAre(1, 512, 2, 7, 7));
    EXPECT_THAT(output.pooled.sizes(), ElementsAre(1, 512));
    EXPECT_EQ(encoder->feature_dim(), 512);
  }
}

TEST(Encoder, WidthScalesEveryTap) {
  const torch::NoGradGuard no_grad;
  for (const config::Backbone backbone : kBackbones) {
    for (const int64_t width : {1, 6}) {
      SCOPED_TRACE(config::to_word(backbone) + " " + std::to_string(width));
      auto encoder = make_encoder(backbone, width);
      const TowerOutput output = encoder->forward(at::rand({2, 3, 4, 32, 32}));
      for (const auto& [tap, map] : output.taps) EXPECT_EQ(map.size(1), encoder->tap_channels(tap));
      EXPECT_EQ(output.pooled.size(1), encoder->tap_channels("pooled"));
      EXPECT_EQ(encoder->feature_dim(), 8 * width);
    }
  }
}

TEST(Encoder, TakesAnyClipLengthFromOneFrame) {
  for (const config::Backbone backbone : kBackbones) {
    auto encoder = make_encoder(backbone, 2);
    for (const int64_t frames : {1, 2, 3, 5, 8, 17}) {
      SCOPED_TRACE(config::to_word(backbone) + " " + std::to_string(frames));
      const TowerOutput output = encoder->forward(at::rand({2, 3, frames, 32, 32}));
      EXPECT_THAT(output.pooled.sizes(), ElementsAre(2, 16));
      EXPECT_TRUE(output.pooled.isfinite().all().item<bool>());
    }
  }
}

// ---- refusals -----------------------------------------------------------------------------------

template <typename Action>
std::string user_error(const Action& action) {
  try {
    action();
  } catch (const io::UserError& error) {
    return error.what();
  }
  return "no UserError";
}

TEST(Encoder, UnknownTapIsRefusedWithTheKnownOnes) {
  const std::string message =
      user_error([] { make_encoder(config::Backbone::kC3d, 2)->tap_channels("conv6"); });
  EXPECT_THAT(message, HasSubstr("'conv6'"));
  EXPECT_THAT(message, HasSubstr("conv3, conv4, conv5, pooled"));
}

TEST(Encoder, TooSmallImagesAreRefusedWithTheLeastSize) {
  auto encoder = make_encoder(config::Backbone::kC3d, 2);
  EXPECT_THAT(user_error([&] {
                encoder->forward(at::rand({2, 3, 8, 16, 15}));
              }),
              HasSubstr("got frames of 16x15 (height x width), expected at least 16x16"));
  EXPECT_NO_THROW(encoder->forward(at::rand({2, 3, 8, 16, 16})));
  EXPECT_NO_THROW(make_encoder(config::Backbone::kR3d, 2)->forward(at::rand({2, 3, 1, 1, 1})));
  EXPECT_THROW(encoder->forward(at::rand({2, 3, 32, 32})), c10::Error);
}

TEST(Encoder, OneValueAChannelIsRefusedInTrainingOnly) {
  auto encoder = make_encoder(config::Backbone::kR3d, 2);
  EXPECT_THAT(user_error([&] {
                encoder->forward(at::rand({1, 3, 1, 8, 8}));
              }),
              HasSubstr("one value a channel"));
  encoder->eval();
  EXPECT_NO_THROW(encoder->forward(at::rand({1, 3, 1, 8, 8})));
}

// ---- names in checkpoints -----------------------------------------------------------------------

TEST(Encoder, R3dTensorsKeepTheirNames) {
  std::vector<std::string> expected;
  const auto norm = [&](const std::string& prefix) {
    for (const char* leaf : {"weight", "bias", "running_mean", "running_var"}) {
      expected.push_back(prefix + "." + leaf);
    }
  };
  expected.push_back("stem.conv.weight");
  norm("stem.bn");
  for (const std::string block : {"conv2.block1", "conv3.block1", "conv4.block1", "conv5.block1"}) {
    expected.push_back(block + ".conv1.weight");
    norm(block + ".bn1");
    expected.push_back(block + ".conv2.weight");
    norm(block + ".bn2");
    if (block == "conv2.block1") continue;
    expected.push_back(block + ".shortcut.conv.weight");
    norm(block + ".shortcut.bn");
  }
  auto encoder = make_encoder(config::Backbone::kR3d, 2);
  std::vector<std::string> names = encoder->named_parameters().keys();
  for (const std::string& name : encoder->named_buffers().keys()) names.push_back(name);
  EXPECT_THAT(names, testing::UnorderedElementsAreArray(expected));
}

TEST(Encoder, FactoredAndPlainLayersKeepTheirNames) {
  EXPECT_THAT(make_encoder(config::Backbone::kR2plus1d, 2)->named_parameters().keys(),
              testing::IsSupersetOf({"stem.conv.spatial.weight", "stem.conv.bn.weight",
                                     "stem.conv.temporal.weight", "stem.bn.weight",
                                     "conv5.block1.conv2.temporal.weight",
                                     "conv5.block1.shortcut.conv.spatial.weight"}));
  EXPECT_THAT(make_encoder(config::Backbone::kC3d, 2)->named_parameters().keys(),
              testing::IsSupersetOf({"conv1.conv.weight", "conv1.conv.bias", "conv3b.bn.weight",
                                     "conv5b.conv.weight"}));
}

// ---- numerics -----------------------------------------------------------------------------------

// R3D by hand: float64, NCDHW, batch statistics (training) or running ones.
class HandMadeR3d {
 public:
  HandMadeR3d(const torch::nn::Module& encoder, bool training) : training_(training) {
    for (const auto& item : encoder.named_parameters()) keep(item.key(), item.value());
    for (const auto& item : encoder.named_buffers()) keep(item.key(), item.value());
  }

  Tensor forward(const Tensor& clip) {
    Tensor x = convolve(clip.to(at::kDouble).contiguous(), "stem.conv", {1, 2, 2}, {1, 3, 3});
    x = normalise(x, "stem.bn").relu();
    for (int stage = 2; stage <= 5; ++stage) {
      const std::string block = "conv" + std::to_string(stage) + ".block1";
      const int64_t s = stage == 2 ? 1 : 2;
      Tensor y = convolve(x, block + ".conv1", {s, s, s}, {1, 1, 1});
      y = normalise(y, block + ".bn1").relu();
      y = normalise(convolve(y, block + ".conv2", {1, 1, 1}, {1, 1, 1}), block + ".bn2");
      if (stage > 2) {
        x = convolve(x, block + ".shortcut.conv", {s, s, s}, {0, 0, 0});
        x = normalise(x, block + ".shortcut.bn");
      }
      x = (y + x).relu();
    }
    return x.flatten(2).mean(2);
  }

  Tensor gradient(const std::string& name) const { return tensors_.at(name).grad(); }

 private:
  void keep(const std::string& name, const Tensor& tensor) {
    tensors_[name] =
        tensor.detach().to(at::kDouble).clone(at::MemoryFormat::Contiguous).requires_grad_();
  }
  Tensor convolve(const Tensor& x, const std::string& name, at::IntArrayRef stride,
                  at::IntArrayRef padding) {
    return at::conv3d(x, tensors_.at(name + ".weight"), {}, stride, padding);
  }
  Tensor normalise(const Tensor& x, const std::string& name) {
    const auto along_channels = [](const Tensor& t) { return t.view({1, -1, 1, 1, 1}); };
    const Tensor rows = x.transpose(0, 1).flatten(1);
    const Tensor mean = training_ ? rows.mean(1) : tensors_.at(name + ".running_mean").detach();
    const Tensor variance =
        training_ ? rows.var(1, false) : tensors_.at(name + ".running_var").detach();
    return (x - along_channels(mean)) / (along_channels(variance) + 1e-5).sqrt() *
               along_channels(tensors_.at(name + ".weight")) +
           along_channels(tensors_.at(name + ".bias"));
  }

  bool training_;
  std::map<std::string, Tensor> tensors_;
};

// Affine parameters and running statistics that a fresh network does not have.
void perturb(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  for (auto& item : module.named_parameters()) {
    if (item.value().dim() == 1) item.value().add_(0.2 * at::randn(item.value().sizes()));
  }
  for (auto& item : module.named_buffers()) item.value().add_(0.2 * at::rand(item.value().sizes()));
}

TEST(R3d, EqualsTheNetworkComposedByHand) {
  at::manual_seed(1);
  for (const bool training : {true, false}) {
    for (const int64_t frames : {1, 4}) {
      SCOPED_TRACE(std::to_string(training) + " " + std::to_string(frames));
      auto encoder = make_encoder(config::Backbone::kR3d, 8);
      perturb(*encoder);
      encoder->train(training);
      HandMadeR3d reference(*encoder, training);
      const Tensor clip = at::rand({4, 3, frames, 32, 32});
      const Tensor expected = reference.forward(clip);
      EXPECT_LT(relative_error(encoder->forward(clip).pooled, expected), 1e-5);
    }
  }
}

// In-place ReLU and addition must not disturb the backward pass.
TEST(R3d, GradientsEqualThoseOfTheNetworkComposedByHand) {
  at::manual_seed(2);
  auto encoder = make_encoder(config::Backbone::kR3d, 4);
  perturb(*encoder);
  HandMadeR3d reference(*encoder, true);
  encoder->to(at::kDouble);
  const Tensor clip = at::rand({3, 3, 4, 32, 32}, at::kDouble);
  const Tensor direction = at::randn({3, 32}, at::kDouble);
  (reference.forward(clip) * direction).sum().backward();
  (encoder->forward(clip).pooled * direction).sum().backward();
  for (const auto& item : encoder->named_parameters()) {
    SCOPED_TRACE(item.key());
    EXPECT_LT(relative_error(item.value().grad(), reference.gradient(item.key())), 1e-8);
  }
}

// The last convolution sees the rounding of all layers before it. Earlier ones see a rectifier that
// switches, too: where its input lies within rounding of zero, which costs about 1e-3 each.
TEST(Encoder, GradientsInFloat32AreThoseOfFloat64) {
  const std::map<config::Backbone, std::string> last{
      {config::Backbone::kR3d, "conv5.block1.conv2.weight"},
      {config::Backbone::kR2plus1d, "conv5.block1.conv2.temporal.weight"},
      {config::Backbone::kC3d, "conv5b.conv.weight"}};
  for (const config::Backbone backbone : kBackbones) {
    SCOPED_TRACE(config::to_word(backbone));
    at::manual_seed(0);
    auto single = make_encoder(backbone, 16);
    at::manual_seed(0);
    auto exact = make_encoder(backbone, 16);
    exact->to(at::kDouble);
    const Tensor clip = at::rand({4, 3, 4, 48, 48});
    const Tensor direction = at::randn({4, single->feature_dim()});
    (single->forward(clip).pooled * direction).sum().backward();
    (exact->forward(clip.to(at::kDouble)).pooled * direction.to(at::kDouble)).sum().backward();
    const auto got = single->named_parameters(), expected = exact->named_parameters();
    for (const auto& item : got) {
      if (item.value().dim() != 5) continue;  // a bias before a batch norm has none
      EXPECT_LT(relative_error(item.value().grad(), expected[item.key()].grad()),
                item.key() == last.at(backbone) ? 1e-5 : 0.05)
          << item.key();
    }
  }
}

TEST(Encoder, EveryParameterGetsAGradient) {
  for (const config::Backbone backbone : kBackbones) {
    for (const int64_t frames : {1, 8}) {
      auto encoder = make_encoder(backbone, 4);
      const Tensor pooled = encoder->forward(at::rand({4, 3, frames, 32, 32})).pooled;
      (pooled * at::randn(pooled.sizes())).sum().backward();
      for (const auto& item : encoder->named_parameters()) {
        SCOPED_TRACE(config::to_word(backbone) + " " + std::to_string(frames) + " " + item.key());
        ASSERT_TRUE(item.value().grad().defined());
        EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>());
        EXPECT_GT(item.value().grad().norm().item<double>(), 0);
      }
    }
  }
}

TEST(Encoder, WeightsAndActivationsStayChannelsLast) {
  const auto is_channels_last = [](const Tensor& x) {
    return x.is_contiguous(at::MemoryFormat::ChannelsLast3d);
  };
  for (const config::Backbone backbone : kBackbones) {
    auto encoder = make_encoder(backbone, 4);
    const TowerOutput output = encoder->forward(at::rand({2, 3, 8, 32, 32}));
    output.pooled.sum().backward();
    for (const auto& [tap, map] : output.taps)
      EXPECT_TRUE(is_channels_last(map)) << config::to_word(backbone) << tap;
    for (const auto& item : encoder->named_parameters()) {
      if (item.value().dim() != 5) continue;
      EXPECT_TRUE(is_channels_last(item.value())) << config::to_word(backbone) << " " << item.key();
      EXPECT_EQ(item.value().grad().strides(), item.value().strides())
          << config::to_word(backbone) << " " << item.key();
    }
  }
}

TEST(Encoder, LayoutOfTheClipDoesNotMatter) {
  for (const config::Backbone backbone : kBackbones) {
    auto encoder = make_encoder(backbone, 4);
    const Tensor clip = at::rand({2, 3, 4, 32, 32});
    const Tensor rows = encoder->forward(clip).pooled;
    const Tensor columns =
        encoder->forward(clip.contiguous(at::MemoryFormat::ChannelsLast3d)).pooled;
    EXPECT_TRUE(at::equal(rows, columns)) << config::to_word(backbone);
  }
}

// Initial weights: U(-b, b) with b = 1 / sqrt(fan_in) has variance b^2 / 3.
TEST(Encoder, InitialWeightsAreUniformInTheFanIn) {
  at::manual_seed(3);
  auto encoder = make_encoder(config::Backbone::kR3d, 16);
  const auto parameters = encoder->named_parameters();
  const Tensor weight = parameters["conv5.block1.conv2.weight"];
  const double bound = 1 / std::sqrt(27.0 * 128);
  EXPECT_LE(weight.abs().max().item<double>(), bound);
  EXPECT_NEAR(weight.var().item<double>() / (bound * bound / 3), 1, 0.02);
  EXPECT_TRUE(parameters["stem.bn.weight"].eq(1).all().item<bool>());
  EXPECT_TRUE(parameters["stem.bn.bias"].eq(0).all().item<bool>());
}

}  // namespace
}  // namespace avbench::encoders
