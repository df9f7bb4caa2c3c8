#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/run_avbench.h"
#include "sdk/loss_testing.h"
#include "tensors/tensor_file.h"

namespace avbench::app {
namespace {

using Json = nlohmann::json;
using Tensors = std::map<std::string, at::Tensor>;
using testing::AllOf;
using testing::HasSubstr;

class LossCommand : public testing::Test {
 protected:
  LossCommand() { write({{"video", golden_z1()}, {"audio", golden_z2()}}); }

  void write(const Tensors& tensors) { tensors::save_tensors(file_, tensors); }
  Outcome run(const std::string& method, const std::string& options = "") {
    return run_avbench("loss " + method + " " + file_.string() + " " + options);
  }
  void expect_refused(const std::string& method, const std::string& options,
                      const testing::Matcher<const std::string&>& message) {
    const Outcome outcome = run(method, options);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("avbench: error: "), message));
    EXPECT_EQ(outcome.out, "");
  }

  io::TempFolder folder_;
  std::filesystem::path file_ = folder_ / "e.safetensors";
};

TEST_F(LossCommand, PrintsTheGoldenLossWithSeventeenDigits) {
  const std::string centred = "--set correlation=centred";
  const Outcome outcome = run("avcl", centred);
  EXPECT_EQ(outcome.exit_code, 0);
  const Json json = Json::parse(outcome.out);
  EXPECT_NEAR(json.at("parts").at("self").get<double>(), 18.623474707390212, 1e-9);
  EXPECT_NEAR(json.at("parts").at("cor").get<double>(), 3.002906532241144, 1e-9);
  EXPECT_GE(outcome.out.find(',') - outcome.out.find('.'), 15u);  // digits of the total
  EXPECT_EQ(run("avcl", centred + " --json").out, outcome.out);
}

TEST_F(LossCommand, SetsParameters) {
  const Json json = Json::parse(run("simclr", "--set temperature=0.5").out);
  EXPECT_NEAR(json.at("total").get<double>(), 2.3279343384, 1e-9);
  EXPECT_TRUE(json.at("parts").empty());
  const Json options_first =
      Json::parse(run_avbench("loss --set temperature=0.5 simclr " + file_.string()).out);
  EXPECT_EQ(options_first, json);
}

TEST_F(LossCommand, FailsIfTheTotalIsNotTheExpectedOne) {
  const std::string half = "--set temperature=0.5 --expect ";
  const Outcome good = run("simclr", half + "2.3279343384");
  EXPECT_EQ(good.exit_code, 0) << good.err;
  const Outcome bad = run("simclr", half + "2.32794");
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_EQ(bad.out, good.out);
  EXPECT_THAT(bad.err, AllOf(HasSubstr("got total 2.32793433"), HasSubstr("expected 2.32794")));
  expect_refused("simclr", "--expect much", HasSubstr("--expect"));
}

TEST_F(LossCommand, WritesGradientsUnderTheInputsNames) {
  const auto out = folder_ / "g.safetensors";
  EXPECT_EQ(run("simclr", "--set temperature=0.5 --grad " + out.string()).exit_code, 0);
  const Tensors gradients = tensors::load_tensors(out);
  ASSERT_EQ(gradients.size(), 2u);
  EXPECT_NEAR(gradients.at("video").abs().sum().item<double>(), 1.9791828119, 1e-9);
  EXPECT_NEAR(gradients.at("audio").abs().sum().item<double>(), 2.0798629931, 1e-9);
  EXPECT_EQ(gradients.at("video").scalar_type(), at::kDouble);
}

TEST_F(LossCommand, WritesZerosWhereNoGradientFlows) {
  const auto out = folder_ / "g.safetensors";
  const Tensors toy = {{"query", at::ones({2, 3})}, {"bank", at::ones({2, 4, 3})}};
  write(toy);
  const Outcome outcome = run_avbench("loss toy " + file_.string() + " --grad " + out.string(),
                                      std::string("AVBENCH_PLUGIN_PATH=") + BAD_PLUGINS);
  EXPECT_EQ(outcome.exit_code, 0);
  for (const auto& [name, gradient] : tensors::load_tensors(out)) {
    EXPECT_EQ(gradient.sizes(), toy.at(name).sizes());
    EXPECT_EQ(gradient.abs().sum().item<double>(), 0);
  }
}

TEST_F(LossCommand, ComputesInTheFilesPrecision) {
  const double exact = Json::parse(run("simclr").out).at("total");
  write({{"video", golden_z1().to(at::kFloat)}, {"audio", golden_z2().to(at::kFloat)}});
  const double single = Json::parse(run("simclr").out).at("total");
  EXPECT_NE(single, exact);
  EXPECT_NEAR(single, exact, 1e-5);
  EXPECT_EQ(single, static_cast<double>(static_cast<float>(single)));
}

TEST_F(LossCommand, RefusesBadParameters) {
  expect_refused("avcl", "--set temprature=1", HasSubstr("did you mean 'temperature'"));
  expect_refused("avcl", "--set temperature=hot", HasSubstr("expected a number from 0.001 to 100"));
  expect_refused("avcl", "--set alignment=tower", HasSubstr("one of fused, towers"));
  expect_refused("avcl", "--set temperature", HasSubstr("expected PARAMETER=VALUE"));
}

TEST_F(LossCommand, RefusesMissingExtraAndMisshapenTensors) {
  write({{"video", golden_z1()}, {"audoi", golden_z2()}});
  expect_refused(
      "avcl", "",
      AllOf(HasSubstr("missing tensors: audio"), HasSubstr("'audoi' (did you mean 'audio'?)"),
            HasSubstr("video [B, D], audio [B, D]")));
  write({{"video", golden_z1()}, {"audio", at::ones({4, 5}, at::kDouble)}});
  expect_refused("avcl", "",
                 AllOf(HasSubstr("e.safetensors"), HasSubstr("got shape [4, 5]"),
                       HasSubstr("with D = 6 as in 'video'")));
  write({{"video", golden_z1()}, {"audio", golden_z2().to(at::kFloat)}});
  expect_refused("avcl", "", HasSubstr("one type"));
  write({{"video", at::ones({1, 6})}, {"audio", at::ones({1, 6})}});
  expect_refused("avcl", "", HasSubstr("at least 2 samples"));
  write({{"video", golden_z1() * NAN}, {"audio", golden_z2()}});
  expect_refused("avcl", "", HasSubstr("NaN or infinite"));
}

TEST_F(LossCommand, RefusesFilesThatAreNotSafetensors) {
  io::write_file_atomically(file_, std::string_view("hello"));
  expect_refused("avcl", "", HasSubstr("e.safetensors"));
  std::filesystem::remove(file_);
  expect_refused("avcl", "", HasSubstr("e.safetensors"));
}

TEST_F(LossCommand, RefusesAFolderThatIsNotThereForGradients) {
  expect_refused("simclr", "--grad " + (folder_ / "no" / "g.safetensors").string(),
                 HasSubstr("no"));
}

}  // namespace
}  // namespace avbench::app
