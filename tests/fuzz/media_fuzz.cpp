// A video file: indexed, then all its frames and its audio are read. FFmpeg itself is not
// instrumented; its errors show where they reach our memory, crash, hang or eat memory.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "fuzz/fuzzing.h"
#include "media/ffmpeg.h"
#include "media/reader.h"

using namespace avbench;

namespace {

constexpr int kSide = 16;

media::DecodeLimits small_budget() {
  media::DecodeLimits limits;
  limits.seconds = 5;
  limits.pixels = 1 << 16;
  limits.packets = 2000;
  limits.frames = 200;
  limits.audio_seconds = 20;
  return limits;
}

bool is_readable(const media::VideoIndex& index) {
  return index.status == media::FileStatus::kOk || index.status == media::FileStatus::kNoAudio;
}

void check_index(const media::VideoIndex& index) {
  fuzz::require((index.status == media::FileStatus::kOk) == index.message.empty(),
                "a status other than ok has a message");
  if (!is_readable(index)) return;
  fuzz::require(std::is_sorted(index.pts.begin(), index.pts.end()), "time stamps ascend");
  fuzz::require(index.frames() > 0 && index.frames() <= small_budget().frames,
                "frames are within the limits");
  fuzz::require(index.width > 0 && index.height > 0, "a frame has a size");
  fuzz::require(std::isfinite(index.duration) && std::isfinite(index.time_of(0)),
                "times are finite");
}

void read_all(const std::filesystem::path& file, media::VideoIndex& index) {
  media::MediaReader reader(small_budget());
  bool reindexed = false;
  reader.examine(file, index, {}, reindexed);
  check_index(index);
  if (!is_readable(index)) return;
  std::vector<uint8_t> rgb(static_cast<size_t>(index.frames()) * 3 * kSide * kSide);
  const int rate = index.has_audio ? 8000 : 0;
  const media::DecodeRequest request{
      {media::all_frames(index, rgb.data())}, kSide, kSide, rate, {0, -1}};
  const media::Decoded decoded = reader.read(file, index, request);
  fuzz::require((decoded.status == media::FileStatus::kOk) == decoded.message.empty(),
                "a status other than ok has a message");
  if (!index.not_finite.empty()) return;
  fuzz::require(std::all_of(decoded.audio.begin(), decoded.audio.end(),
                            [](float sample) { return std::isfinite(sample); }),
                "audio is finite, or the index says where it is not");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  av_log_set_level(AV_LOG_QUIET);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = fuzz::write_input("input.mp4", {reinterpret_cast<const char*>(data), size});
  media::VideoIndex index = media::index_file(file, small_budget());
  check_index(index);
  if (is_readable(index)) read_all(file, index);
  return 0;
}
