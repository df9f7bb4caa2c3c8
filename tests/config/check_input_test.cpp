#include "config/check_input.h"

#include <gmock/gmock.h>

#include "io/message.h"

namespace avbench::config {
namespace {

TEST(CheckInput, TakesTheDefaultsAndThePresets) {
  for (const auto& preset : spectrogram_presets()) {
    EXPECT_NO_THROW(check_input({}, preset.values)) << preset.name;
  }
}

TEST(CheckInput, ListsEachKeyThatDoesNotFit) {
  EXPECT_EQ(io::user_error([] {
              check_input({.resize = {64, 80}, .crop = 65}, {.window = 4096, .f_max = 13000});
            }),
            "protocol.clip.crop: got 65, expected at most 64, the smaller side of "
            "protocol.clip.resize\n"
            "protocol.spectrogram.f_max: expected at most half of "
            "protocol.spectrogram.sample_rate, 24000 Hz\n"
            "protocol.spectrogram.window: got 4096, expected at most protocol.spectrogram.n_fft, "
            "2048");
}

}  // namespace
}  // namespace avbench::config
