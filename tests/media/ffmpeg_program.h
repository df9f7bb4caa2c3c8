// Files written, and decoded from the first packet to the last, by the ffmpeg program: encoders,
// muxers and a reader that share nothing with ours but the libraries.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace avbench::test {

inline constexpr int kSide = 96;  // of the frames, in pixels
inline constexpr int kFps = 25;
inline constexpr double kChirpStart = 500, kChirpSlope = 500;  // Hz, and Hz a second

// Frames that carry their number, 12 bits of a Gray code in a grid of 3 x 4 blocks, and a chirp
// that tells its time: its frequency at t seconds is kChirpStart + kChirpSlope * t.
class NumberedSource {
 public:
  explicit NumberedSource(const std::filesystem::path& folder, int frames = 100);

  // ffmpeg's arguments that read it.
  const std::string& input() const { return input_; }

 private:
  std::string input_;
};

// Runs `ffmpeg ARGUMENTS` by the shell; a failure fails the test with what it printed.
void ffmpeg(const std::string& arguments);

// What `ffmpeg ARGUMENTS` writes to standard output; nothing if it fails.
std::vector<uint8_t> ffmpeg_output(const std::string& arguments);

// The number in a frame of kSide x kSide pixels.
int frame_number(const uint8_t* rgb);

// Numbers of the frames as a decoding from the first packet on shows them.
std::vector<int> sequential_numbers(const std::filesystem::path& path);

// The time in seconds that the chirp tells at `seconds` of `audio`: by zero crossings around it.
// Negative if that is outside.
double told_time(const std::vector<float>& audio, int rate, double seconds);

}  // namespace avbench::test
