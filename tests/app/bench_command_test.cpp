// avbench bench step and doctor --kernels.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "app/run_avbench.h"
#include "io/json.h"

namespace avbench::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::string kSmall = " --width 4 --batch 3 --frames 2 --size 16";

const io::Json& counters(const io::Json& report, const std::string& name) {
  for (const io::Json& benchmark : report["benchmarks"]) {
    if (benchmark["name"].get<std::string>().starts_with(name)) return benchmark;
  }
  throw std::runtime_error("no benchmark " + name);
}

TEST(BenchStep, JsonHasAllMetricsOfAMethodAndOfTheTowersAlone) {
  const Outcome outcome =
      run_avbench("bench step simclr byol --min-time 0.05 --repetitions 1 --json" + kSmall);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const io::Json report = io::Json::parse(outcome.out);
  const io::Json& simclr = counters(report, "step/simclr");
  const io::Json& byol = counters(report, "step/byol");
  const io::Json& bare = counters(report, "step/bare");
  EXPECT_GT(simclr["clips_per_second"].get<double>(), 0);
  EXPECT_GT(simclr["parameters"].get<double>(), bare["parameters"].get<double>());
  // SimCLR sends each modality through a tower once; BYOL's target does so a second time, forward.
  EXPECT_DOUBLE_EQ(simclr["GFLOP_per_clip"].get<double>(), bare["GFLOP_per_clip"].get<double>());
  EXPECT_GT(byol["GFLOP_per_clip"].get<double>(), 1.2 * bare["GFLOP_per_clip"].get<double>());
  for (const char* phase :
       {"video_tower", "audio_tower", "loss", "backward", "optimizer", "hooks"}) {
    const auto metric = [&](const char* percentile) {
      return byol[std::string(phase) + "_" + percentile + "_ms"].get<double>();
    };
    EXPECT_GT(metric("p50"), 0) << phase;
    EXPECT_LE(metric("p50"), metric("p95")) << phase;
    EXPECT_LE(metric("p95"), metric("p99")) << phase;
  }
  EXPECT_EQ(byol["wait_for_data_p50_ms"], 0);
  EXPECT_GT(counters(report, "step/forward")["clips_per_second"].get<double>(), 0);
}

const io::Json& only(const io::Json& report, const std::string& name) {
  const io::Json* found = nullptr;
  for (const io::Json& benchmark : report["benchmarks"]) {
    if (benchmark["run_name"].get<std::string>().starts_with(name + "/")) found = &benchmark;
  }
  if (found == nullptr) throw std::runtime_error("no benchmark " + name + " in " + report.dump());
  return *found;
}

TEST(BenchStep, StepsTheRowsOfAConfigurationAtItsSizes) {
  const io::TempFolder folder;
  io::write_file_atomically(folder / "e.yaml", std::string_view(R"(name: e
protocol:
  data: {source: nowhere}
  clip: {frames: 2, crop: 16}
  spectrogram: {crop: 16, channels: 1}
  encoder: {width: 4}
  pretrain: {batch_size: 3}
rows:
  - {name: Baseline, baseline: both}
  - {name: Short head, method: simclr, params: {projector_dim: 8}}
  - {name: Long head, method: simclr, params: {projector_dim: 64}}
  - {name: Another, method: byol}
)"));
  const std::string command =
      "bench step --min-time 0.01 --repetitions 1 --json --config " + (folder / "e.yaml").string();
  const Outcome all = run_avbench(command);
  ASSERT_EQ(all.exit_code, 0) << all.err;
  const io::Json report = io::Json::parse(all.out);
  ASSERT_EQ(report["benchmarks"].size(), 5u);
  EXPECT_LT(only(report, "step/Short head")["parameters"],
            only(report, "step/Long head")["parameters"]);
  const Outcome given =
      run_avbench("bench step byol simclr --min-time 0.01 --repetitions 1 --json" + kSmall +
                  " --set protocol.spectrogram.channels=1");
  ASSERT_EQ(given.exit_code, 0) << given.err;
  EXPECT_EQ(only(report, "step/Another")["GFLOP_per_clip"],
            only(io::Json::parse(given.out), "step/byol")["GFLOP_per_clip"]);

  const Outcome one = run_avbench(command + " simclr --width 8");
  ASSERT_EQ(one.exit_code, 0) << one.err;
  const io::Json wider = io::Json::parse(one.out);
  EXPECT_EQ(wider["benchmarks"].size(), 4u);  // bare, forward
  EXPECT_GT(only(wider, "step/Long head")["GFLOP_per_clip"],
            only(report, "step/Long head")["GFLOP_per_clip"]);
}

TEST(BenchStep, LoadsAnOpenedDataSetMeanwhileOrSaysWhyNot) {
  const io::TempFolder folder;
  const std::string data = (folder / "data").string();
  const Outcome made =
      run_avbench("dataset synth " + data +
                  " --classes 2 --train 8 --val 2 --test 2 --size 32x32 --seconds 1 --fps 8");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const Outcome outcome = run_avbench(
      "bench step simclr --min-time 0.01 --repetitions 1 --json --data " + data +
          " --set protocol.clip.resize=[20,20] --set protocol.spectrogram.resize=[20,20]" + kSmall,
      "AVBENCH_CACHE=" + (folder / "cache").string());
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_GT(only(io::Json::parse(outcome.out), "step/simclr")["wait_for_data_p99_ms"].get<double>(),
            0);
  const Outcome large = run_avbench("bench step simclr --batch 5000 --frames 2 --data " + data,
                                    "AVBENCH_CACHE=" + (folder / "cache").string());
  EXPECT_EQ(large.exit_code, 2);
  EXPECT_THAT(large.err, HasSubstr("expected at least a batch of 5000"));
}

TEST(BenchStep, TheTableNamesEachMethodAndWhatItsColumnsAre) {
  const Outcome outcome = run_avbench("bench step simclr --min-time 0.05 --repetitions 2" + kSmall);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("bare "), HasSubstr("simclr "), HasSubstr("x bare"),
                                 HasSubstr("GFLOP/clip"), HasSubstr("Phases are medians in ms")));
  // A forward pass has no phases of a step: its cells stay empty.
  EXPECT_THAT(outcome.out,
              testing::ContainsRegex("\nforward +[0-9.]+ +[0-9.]+% +[0-9.]+ +[0-9]+ *\n"));
}

TEST(BenchLoss, ShowsHowTheTimeGrowsWithTheBatch) {
  const Outcome outcome =
      run_avbench("bench loss simclr --batch 8 16 32 --dim 8 --min-time 0.01 --repetitions 1");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("B:8/D:8"), HasSubstr("B:32/D:8"), HasSubstr("BigO")));
}

TEST(BenchAll, WritesStepsAndLossesOfAllMethods) {
  const io::TempFolder folder;
  const std::string file = (folder / "all.json").string();
  const Outcome outcome = run_avbench("bench all -o " + file +
                                      " --min-time 0.01 --repetitions 1 --width 2 --batch 4 "
                                      "--frames 2 --size 16");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const io::Json all = io::Json::parse(io::read_file(file));
  EXPECT_GT(all["environment"]["threads"].get<int>(), 0);
  std::vector<std::string> names;
  for (const io::Json& run : all["step"]) names.push_back(run["run_name"].get<std::string>());
  EXPECT_THAT(names, testing::Contains(HasSubstr("step/moco")));
  EXPECT_FALSE(all["loss"].empty());
  EXPECT_FALSE(all.contains("loader"));
}

TEST(BenchCompare, GivesRatiosAndTheirTest) {
  const io::TempFolder folder;
  const auto write = [&](const char* name, const std::vector<double>& rates) {
    io::Json report = {{"benchmarks", io::Json::array()}};
    for (const double rate : rates) {
      report["benchmarks"].push_back(
          {{"run_name", "step/x"}, {"run_type", "iteration"}, {"clips_per_second", rate}});
    }
    report["benchmarks"].push_back(
        {{"run_name", "step/x"}, {"run_type", "aggregate"}, {"clips_per_second", 1e9}});
    io::write_file_atomically(folder / name, std::string_view(report.dump()));
    return (folder / name).string();
  };
  const std::string a = write("a.json", {10, 11, 12}), b = write("b.json", {20, 22, 24});
  const Outcome outcome = run_avbench("bench compare " + a + " " + b);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("step/x"), HasSubstr("2.000"), HasSubstr("0.100"),
                                 HasSubstr("3 and 3")));
}

TEST(BenchCompare, SaysWhatIsWrongWithAFile) {
  const io::TempFolder folder;
  io::write_file_atomically(folder / "a.json", std::string_view("{}"));
  const std::string file = (folder / "a.json").string();
  const Outcome outcome = run_avbench("bench compare " + file + " " + file);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("there is no 'benchmarks'"));
}

TEST(DoctorKernels, ListsEveryConvolutionOfBothTowersWithItsKernels) {
  const Outcome outcome =
      run_avbench("doctor --kernels --json --width 16 --batch 16 --frames 8 --size 56");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const io::Json report = io::Json::parse(outcome.out);
  EXPECT_EQ(report["kernels"], "on");
  const io::Json& layers = report["layers"];
  ASSERT_EQ(layers.size(), 24u);  // a stem, eight convolutions and three shortcuts a tower
  EXPECT_EQ(layers[0]["kernel"], "3x7x7");
  EXPECT_EQ(layers[0]["forward"], "LibTorch");
  EXPECT_EQ(layers[0]["input_gradient"], "none");
  EXPECT_EQ(layers[0]["weight_gradient"], "direct");
  EXPECT_EQ(layers[1]["forward"], "Winograd");
  EXPECT_EQ(layers[1]["input_gradient"], "Winograd");
  // 2 x 3 passes x outputs x taps of the first layer behind the stem.
  EXPECT_NEAR(layers[1]["GFLOP"].get<double>(), 6.0 * 16 * 8 * 28 * 28 * 16 * 16 * 27 / 1e9, 1e-9);
  // A spectrogram's one frame meets the middle tap alone.
  EXPECT_EQ(layers[13]["tower"], "audio");
  EXPECT_EQ(layers[13]["kernel"], "1x3x3");
}

TEST(DoctorKernels, SwitchedOffEverythingIsLibTorchs) {
  const Outcome outcome = run_avbench("doctor --kernels --width 8 --batch 2 --frames 4 --size 32",
                                      "AVBENCH_KERNELS=off");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("kernels off"), testing::Not(HasSubstr("Winograd")),
                                 testing::Not(HasSubstr("direct"))));
}

TEST(DoctorKernels, AnUnknownWishIsRefused) {
  const Outcome outcome = run_avbench("bench step simclr" + kSmall, "AVBENCH_KERNELS=fast");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("AVBENCH_KERNELS: got 'fast', expected 'on' or 'off'"));
}

TEST(Doctor, NamesTheOpenMpThatGivesWay) {
  const Outcome outcome = run_avbench("doctor");
  EXPECT_THAT(outcome.out, HasSubstr("OpenMP: libomp"));
}

}  // namespace
}  // namespace avbench::app
