// The spectrogram against LibTorch: torch::stft and a dense matrix of filters.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>

#include "media/log_mel.h"

namespace avbench::media {
namespace {

torch::Tensor dense_filters(const LogMelParams& p) {
  const auto options = torch::kFloat64;
  const auto mel = [](double f) { return 2595 * std::log10(1 + f / 700); };
  const auto f = torch::linspace(0, p.sample_rate / 2.0, p.n_fft / 2 + 1, options).unsqueeze(1);
  const auto m = torch::linspace(mel(p.f_min), mel(p.f_max), p.bands + 2, options);
  const auto edges = 700 * (torch::pow(10.0, m / 2595) - 1);
  const auto left = edges.slice(0, 0, p.bands), peak = edges.slice(0, 1, p.bands + 1),
             right = edges.slice(0, 2);
  return torch::minimum((f - left) / (peak - left), (right - f) / (right - peak)).clamp_min(0);
}

torch::Tensor reference_power(const LogMelParams& p, const torch::Tensor& wave) {
  const auto window = torch::hann_window(p.window, /*periodic=*/true, torch::kFloat64);
  const auto spectrum =
      torch::stft(wave.to(torch::kFloat64), p.n_fft, p.hop, p.window, window, /*center=*/true,
                  "reflect", /*normalized=*/false, /*onesided=*/true, /*return_complex=*/true);
  return spectrum.abs().square().transpose(0, 1).matmul(dense_filters(p));  // [columns, bands]
}

torch::Tensor test_wave(int64_t samples) {
  torch::manual_seed(0);
  const auto t = torch::arange(samples, torch::kFloat32) / 24000;
  return 0.3 * torch::sin(2 * M_PI * 440 * t * (1 + t)) + 0.05 * torch::randn({samples});
}

std::vector<float> to_vector(const torch::Tensor& wave) {
  return {wave.data_ptr<float>(), wave.data_ptr<float>() + wave.numel()};
}

TEST(LogMel, PowerAgreesWithStftAndDenseFilters) {
  for (const int64_t samples : {1025, 24000, 240000}) {
    const LogMelParams params;
    const auto wave = test_wave(samples);
    const auto expected = reference_power(params, wave);
    const std::vector<float> got = LogMel(params).power(to_vector(wave));
    const auto mine = torch::tensor(got).view({-1, params.bands});
    ASSERT_EQ(mine.sizes(), expected.sizes());
    EXPECT_TRUE(torch::allclose(mine.to(torch::kFloat64), expected, 1e-4, 1e-7))
        << ((mine - expected).abs() / expected).max().item<double>();
  }
}

TEST(LogMel, LinearBinsOf511SamplesAgreeWithStft) {
  LogMelParams params;
  params.frequency = Frequency::kLinear;
  params.n_fft = 511;
  for (const int64_t samples : {24000, 100001}) {
    const auto wave = test_wave(samples);
    const auto window = torch::hann_window(params.window, /*periodic=*/true, torch::kFloat64);
    const auto expected =
        torch::stft(wave.to(torch::kFloat64), 511, params.hop, params.window, window,
                    /*center=*/true, "reflect", /*normalized=*/false, /*onesided=*/true,
                    /*return_complex=*/true)
            .abs()
            .square()
            .transpose(0, 1);
    const auto mine = torch::tensor(LogMel(params).power(to_vector(wave))).view({-1, 256});
    ASSERT_EQ(mine.sizes(), expected.sizes());
    EXPECT_TRUE(torch::allclose(mine.to(torch::kFloat64), expected, 1e-4, 1e-6))
        << (mine - expected).abs().max().item<double>();
  }
}

TEST(LogMel, ImageAgreesWithInterpolate) {
  const LogMelParams params;
  const auto wave = test_wave(200000);
  auto log = reference_power(params, wave).clamp_min(1e-10).log().transpose(0, 1);
  log = (log - log.min()) / (log.max() - log.min());
  const auto expected = torch::nn::functional::interpolate(
                            log.unsqueeze(0).unsqueeze(0),
                            torch::nn::functional::InterpolateFuncOptions()
                                .size(std::vector<int64_t>{params.rows, params.columns})
                                .mode(torch::kBilinear)
                                .align_corners(false))
                            .squeeze();
  std::vector<float> image(params.rows * params.columns);
  LogMel(params).image(to_vector(wave), image);
  const auto mine = torch::tensor(image).view({params.rows, params.columns});
  EXPECT_LT((mine - expected).abs().max().item<double>(), 1e-4);
}

}  // namespace
}  // namespace avbench::media
