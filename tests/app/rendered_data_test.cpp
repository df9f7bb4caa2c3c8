#include "app/rendered_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <thread>
#include <utility>
#include <vector>

#include "io/atomic_file.h"
#include "io/temp_folder.h"

namespace avbench::app {
namespace {

namespace fs = std::filesystem;

// ctest runs this suite before the others of the program (tests/app/CMakeLists.txt).
TEST(RenderedData, IsThereBeforeTheTestsThatReadIt) {
  for (const auto& [folder, files] : {std::pair(tiny_data(), 28), {smallest_data(), 8}}) {
    int found = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      found += entry.path().extension() == ".mp4";
    }
    EXPECT_EQ(found, files) << folder;
  }
}

// A program that counts its calls in a file beside it and makes a folder with its last argument.
class RenderOnce : public testing::Test {
 protected:
  void write_program(const std::string& ending) {
    std::ofstream(program_) << "#!/bin/sh\necho call >>'" << (folder_ / "calls").string()
                            << "'\nmkdir -p \"$3\"\necho \"$4\" >\"$3/made\"\n" + ending;
    fs::permissions(program_, fs::perms::owner_all);
  }
  size_t calls() const {
    const std::string text = io::read_file(folder_ / "calls");
    return std::count(text.begin(), text.end(), '\n');
  }
  fs::path render(const std::string& options = "--a") const {
    return render_once(folder_ / "data", program_, "some", options);
  }

  io::TempFolder folder_;
  fs::path program_ = folder_ / "program";
};

TEST_F(RenderOnce, ManyAtOnceRenderOnce) {
  write_program("sleep 0.1\n");
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(io::read_file(render() / "made"), "--a\n"); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(calls(), 1u);
}

TEST_F(RenderOnce, AnotherProgramOrOtherOptionsRenderAnewAndReplaceTheOlder) {
  write_program("");
  const fs::path first = render();
  write_program("# linked anew\n");
  const fs::path second = render();
  EXPECT_NE(first, second);
  EXPECT_FALSE(fs::exists(first));
  EXPECT_EQ(io::read_file(render("--b") / "made"), "--b\n");
  EXPECT_FALSE(fs::exists(second));
  EXPECT_EQ(calls(), 3u);
}

TEST_F(RenderOnce, WhatFailedOrWasKilledIsNotTakenForRendered) {
  write_program("exit 1\n");
  EXPECT_THROW(render(), std::runtime_error);
  EXPECT_THROW(render(), std::runtime_error);
  EXPECT_EQ(calls(), 2u);
}

}  // namespace
}  // namespace avbench::app
