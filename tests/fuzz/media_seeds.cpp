// media_seeds FOLDER: small files in every container and codec that our writers give.
#include <cstdio>
#include <exception>

#include "media/fixtures.h"

namespace {

void write_seeds(const std::filesystem::path& folder) {
  using namespace avbench;
  media::Mp4Options options = test::plain_options();
  options.width = options.height = 16;
  test::write_numbered(folder / "frame.mp4", options, 4);
  options.sample_rate = 8000;
  options.index_first = true;
  test::write_numbered(folder / "audio.mp4", options, 6);
  options.rotation = 90;
  options.index_first = false;
  test::write_numbered(folder / "turned.mp4", options, 2);
  test::remux(folder / "audio.mp4", folder / "audio.mkv", "matroska", 0);
  test::remux(folder / "audio.mp4", folder / "audio.ts", "mpegts", 1);
  test::remux(folder / "audio.mp4", folder / "edited.mp4", "mp4", -0.1);
  test::remux(folder / "frame.mp4", folder / "frame.avi", "avi", 0);
  test::write_mjpeg(folder / "mjpeg.mkv", 2);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::fprintf(stderr, "usage: media_seeds FOLDER\n");
    return 2;
  }
  std::filesystem::create_directories(argv[1]);
  write_seeds(argv[1]);
} catch (const std::exception& error) {
  std::fprintf(stderr, "media_seeds: %s\n", error.what());
  return 1;
}
