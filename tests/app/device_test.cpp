// run.device, on a device without hardware (tests/device/simulated_device.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/small_methods.h"

namespace avbench::app {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class Device : public AllMethods {
 protected:
  // LibTorch's own kernels, so that both devices compute with the same arithmetic.
  Outcome run_on(const std::string& device, const std::string& arguments) const {
    return run_avbench(arguments + " --set run.device=" + device,
                       "AVBENCH_KERNELS=off LD_PRELOAD=" SIMULATED_DEVICE " AVBENCH_CACHE=" +
                           (*shared_ / "cache").string());
  }

  // What a comparison computed, by file: weights, optimisers' state, predictions.
  std::map<std::string, std::string> computed(const std::string& results) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / results)) {
      const std::string kind = entry.path().extension().string();
      const std::string name = entry.path().filename().string();
      if (kind != ".safetensors" && !name.starts_with("predictions")) continue;
      files[fs::relative(entry.path(), folder_ / results).string()] = io::read_file(entry.path());
    }
    return files;
  }
};

TEST_F(Device, EveryMethodComputesTheSameBitsAsOnTheCpu) {
  const Outcome cpu = run_on("cpu", "compare " + configure("cpu", {"official"}).string());
  ASSERT_EQ(cpu.exit_code, 0) << cpu.err;
  const Outcome other =
      run_on("simulated", "compare " + configure("simulated", {"official"}).string());
  ASSERT_EQ(other.exit_code, 0) << other.err;
  EXPECT_THAT(other.err, HasSubstr("device: simulated:0"));
  const auto expected = computed("cpu"), got = computed("simulated");
  EXPECT_GT(expected.size(), 4 * kMethods.size());
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [file, bytes] : expected) EXPECT_TRUE(got.at(file) == bytes) << file;
  const json environment = read_json("simulated/tiny/simclr official-s0/environment.json");
  EXPECT_EQ(environment["device"], "simulated:0");
}

// What else computes there: the choice by neighbours, statistics of fixed towers, `embed`.
TEST_F(Device, FixedTowersChosenByNeighboursAreTheSame) {
  for (const char* device : {"cpu", "simulated"}) {
    const std::string config = configure(device, {"official"}).string();
    const std::string settings =
        " --set protocol.pretrain.select=knn --set protocol.finetune.scope=frozen";
    const Outcome outcome = run_on(
        device, "compare " + config + settings + " --row 'simclr official' --row 'iic official'");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    const Outcome embedded =
        run_on(device, "embed " + config + settings + " --row 'simclr official' --out " +
                           (folder_ / device / "features.safetensors").string());
    ASSERT_EQ(embedded.exit_code, 0) << embedded.err;
  }
  const auto expected = computed("cpu"), got = computed("simulated");
  EXPECT_TRUE(expected.contains("features.safetensors"));
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [file, bytes] : expected) EXPECT_TRUE(got.at(file) == bytes) << file;
}

// Equal bits alone could also be those of a stage that stayed on the CPU.
TEST_F(Device, EveryStageComputesThere) {
  const std::string config = configure("r", {"official"}).string() + " --row 'simclr official'";
  const auto convolutions = [&](const std::string& device, const std::string& command) {
    const fs::path count = folder_ / "count";
    fs::remove(count);
    const Outcome outcome =
        run_avbench(command + " --set run.device=" + device,
                    "AVBENCH_KERNELS=off LD_PRELOAD=" SIMULATED_DEVICE " SIMULATED_DEVICE_COUNT=" +
                        count.string() + " AVBENCH_CACHE=" + (*shared_ / "cache").string());
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return std::stoll(io::read_file(count));
  };
  const std::string features = (folder_ / "features.safetensors").string();
  // A clip passes ten convolutions or more; every command looks at all rows once, with one clip.
  const int64_t opening = convolutions("simulated", "compare " + config + " --dry-run --no-probe");
  EXPECT_GT(opening, 0);
  for (const std::string& stage : {"pretrain " + config, "finetune " + config, "test " + config,
                                   "embed " + config + " --out " + features}) {
    EXPECT_GT(convolutions("simulated", stage), opening + 10) << stage;
  }
  EXPECT_EQ(convolutions("cpu", "compare " + config + " --set name=other"), 0);
}

TEST_F(Device, ARunBegunOnOneContinuesOnAnother) {
  const std::string config = configure("r", {"official"}).string() + " --row 'moco official'";
  ASSERT_EQ(run_on("cpu", "compare " + config).exit_code, 0);
  const auto expected = computed("r");
  for (const auto& entry : fs::recursive_directory_iterator(folder_ / "r/pretrain")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("final.") || name == "summary.json") fs::remove(entry.path());
  }
  fs::remove_all(folder_ / "r/tiny");  // a finished row would not be looked at again
  const Outcome rest = run_on("simulated", "compare " + config);
  ASSERT_EQ(rest.exit_code, 0) << rest.err;
  EXPECT_THAT(rest.err, HasSubstr("continues at step 10 of 12"));
  const auto got = computed("r");
  for (const auto& [file, bytes] : expected) {
    if (fs::path(file).filename().string().starts_with("step")) continue;  // the newest are kept
    EXPECT_TRUE(got.at(file) == bytes) << file;
  }
}

TEST_F(Device, CheckFindsWhatDoesNotFollowTheMethodThere) {
  const Outcome outcome = run_avbench("check " WRONG_METHODS
                                      "/wrong.so --set fault=tensor_of_the_cpu --device simulated",
                                      "AVBENCH_KERNELS=off LD_PRELOAD=" SIMULATED_DEVICE);
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("Expected all tensors to be on the same device"));
  EXPECT_THAT(outcome.err, HasSubstr("1 of 26 properties do not hold: device"));
}

TEST_F(Device, WhatIsNotThereIsRefusedWithWhatToDo) {
  const std::string config = configure("r", {"official"}).string();
  const Outcome unknown = run("compare " + config + " --set run.device=gpu");
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err,
              HasSubstr("run.device: got 'gpu', expected auto, cpu, cuda or cuda:NUMBER"));
  const Outcome index = run("compare " + config + " --set run.device=cuda:x");
  EXPECT_EQ(index.exit_code, 2);
  EXPECT_THAT(index.err, HasSubstr("run.device: got 'cuda:x', expected auto, cpu, cuda"));
}

// LibTorch in a folder of its own, beside a CUDA library that is none.
TEST_F(Device, ACudaLibraryThatIsMissingOrBrokenIsNamedWithWhatToDo) {
  const fs::path libtorch = folder_ / "torch/lib", installed = LIBTORCH "/lib";
  fs::create_directories(libtorch);
  fs::create_symlink(LIBTORCH "/../nvidia", folder_ / "nvidia");  // where its libraries look
  for (const auto& entry : fs::directory_iterator(installed)) {
    fs::create_symlink(entry.path(), libtorch / entry.path().filename());
  }
  const fs::path cuda = libtorch / "libtorch_cuda.so";
  fs::remove(cuda);
  const std::string config = configure("r", {"official"}).string();
  const auto refusal = [&] {
    const Outcome outcome = run_avbench("compare " + config + " --set run.device=cuda",
                                        "LD_LIBRARY_PATH=" + libtorch.string());
    EXPECT_EQ(outcome.exit_code, 2);
    return outcome.err;
  };
  EXPECT_THAT(refusal(), AllOf(HasSubstr("this LibTorch has no CUDA (" + cuda.string()),
                               HasSubstr("scripts/bootstrap.sh --cuda")));
  std::ofstream(cuda) << "not a library";
  EXPECT_THAT(refusal(), HasSubstr("cannot be loaded (not a shared library)"));
  const std::string whole = io::read_file(libtorch / "libc10.so");
  std::ofstream(cuda) << whole.substr(0, whole.size() / 2);
  EXPECT_THAT(refusal(), HasSubstr("cannot be loaded (not a whole shared library"));
}

}  // namespace
}  // namespace avbench::app
