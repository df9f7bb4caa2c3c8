#include "media/ffmpeg_program.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <fstream>

namespace avbench::test {
namespace {

constexpr int kBits = 12, kRows = 3, kColumns = 4;
constexpr int kRate = 48000;

std::vector<uint8_t> coded_frame(int number) {
  const int code = number ^ number >> 1;
  std::vector<uint8_t> rgb(size_t{3} * kSide * kSide);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const int bit = y * kRows / kSide * kColumns + x * kColumns / kSide;
      std::fill_n(&rgb[3 * (y * kSide + x)], 3, static_cast<uint8_t>(code >> bit & 1 ? 220 : 30));
    }
  }
  return rgb;
}

std::string quoted(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

std::string command(const std::string& arguments) {
  return "ffmpeg -hide_banner -loglevel error -nostdin -y " + arguments;
}

}  // namespace

NumberedSource::NumberedSource(const std::filesystem::path& folder, int frames) {
  std::ofstream video(folder / "source.rgb", std::ios::binary);
  for (int i = 0; i < frames; ++i) {
    const std::vector<uint8_t> rgb = coded_frame(i);
    video.write(reinterpret_cast<const char*>(rgb.data()),
                static_cast<std::streamsize>(rgb.size()));
  }
  std::ofstream audio(folder / "source.f32", std::ios::binary);
  for (int i = 0; i < frames * kRate / kFps; ++i) {
    const double t = static_cast<double>(i) / kRate;
    const auto sample =
        static_cast<float>(0.5 * std::sin(2 * M_PI * (kChirpStart * t + kChirpSlope * t * t / 2)));
    audio.write(reinterpret_cast<const char*>(&sample), sizeof sample);
  }
  const std::string side = std::to_string(kSide);
  input_ = "-f rawvideo -pix_fmt rgb24 -s " + side + "x" + side + " -r " + std::to_string(kFps) +
           " -i " + quoted(folder / "source.rgb") + " -f f32le -ac 1 -ar " + std::to_string(kRate) +
           " -i " + quoted(folder / "source.f32") + " ";
}

void ffmpeg(const std::string& arguments) {
  FILE* pipe = popen((command(arguments) + " 2>&1").c_str(), "r");
  ASSERT_NE(pipe, nullptr);
  std::string printed;
  for (int c; (c = std::fgetc(pipe)) != EOF;) printed += static_cast<char>(c);
  ASSERT_EQ(pclose(pipe), 0) << command(arguments) << "\n" << printed;
}

std::vector<uint8_t> ffmpeg_output(const std::string& arguments) {
  FILE* pipe = popen((command(arguments) + " 2>/dev/null").c_str(), "r");
  std::vector<uint8_t> bytes;
  if (!pipe) return bytes;
  uint8_t piece[1 << 16];
  for (size_t got; (got = std::fread(piece, 1, sizeof piece, pipe)) > 0;) {
    bytes.insert(bytes.end(), piece, piece + got);
  }
  pclose(pipe);
  return bytes;
}

int frame_number(const uint8_t* rgb) {
  int code = 0;
  for (int bit = 0; bit < kBits; ++bit) {
    const int row = bit / kColumns, column = bit % kColumns;
    // The middle of the block, away from what a codec smears over its edges.
    const int y0 = (4 * row + 1) * kSide / (4 * kRows), y1 = (4 * row + 3) * kSide / (4 * kRows);
    const int x0 = (4 * column + 1) * kSide / (4 * kColumns);
    const int x1 = (4 * column + 3) * kSide / (4 * kColumns);
    int64_t sum = 0;
    for (int y = y0; y < y1; ++y) {
      for (int x = x0; x < x1; ++x) sum += rgb[3 * (y * kSide + x) + 1];
    }
    if (sum > int64_t{125} * (y1 - y0) * (x1 - x0)) code |= 1 << bit;
  }
  int number = code;
  while (code >>= 1) number ^= code;
  return number;
}

std::vector<int> sequential_numbers(const std::filesystem::path& path) {
  const std::string side = std::to_string(kSide);
  const std::vector<uint8_t> bytes =
      ffmpeg_output("-i " + quoted(path) + " -map 0:V:0 -vsync passthrough -f rawvideo -pix_fmt " +
                    "rgb24 -s " + side + "x" + side + " -");
  std::vector<int> numbers;
  const size_t frame = size_t{3} * kSide * kSide;
  for (size_t at = 0; at + frame <= bytes.size(); at += frame) {
    numbers.push_back(frame_number(&bytes[at]));
  }
  return numbers;
}

double told_time(const std::vector<float>& audio, int rate, double seconds) {
  constexpr double kHalf = 0.03;  // of the stretch that is looked at
  const auto begin = std::lround((seconds - kHalf) * rate);
  const auto end = std::lround((seconds + kHalf) * rate);
  if (begin < 0 || end >= static_cast<long>(audio.size())) return -1;
  // From the first crossing to the last, each between two samples, for less than a whole period.
  double first = -1, last = -1;
  int crossings = 0;
  for (long i = begin + 1; i < end; ++i) {
    if ((audio[i - 1] < 0) == (audio[i] < 0)) continue;
    last = static_cast<double>(i) - audio[i] / (audio[i] - audio[i - 1]);
    if (crossings++ == 0) first = last;
  }
  if (crossings < 2) return -1;
  const double middle = (first + last) / 2 / rate;
  const double hertz = (crossings - 1) / 2.0 * rate / (last - first);
  return (hertz - kChirpStart) / kChirpSlope + seconds - middle;
}

}  // namespace avbench::test
