#include "media/capabilities.h"

#include "media/ffmpeg.h"

namespace avbench {
namespace {

constexpr AVCodecID kDecoders[] = {AV_CODEC_ID_H264,  AV_CODEC_ID_HEVC,   AV_CODEC_ID_VP8,
                                   AV_CODEC_ID_VP9,   AV_CODEC_ID_AV1,    AV_CODEC_ID_MPEG4,
                                   AV_CODEC_ID_MJPEG, AV_CODEC_ID_AAC,    AV_CODEC_ID_MP3,
                                   AV_CODEC_ID_OPUS,  AV_CODEC_ID_VORBIS, AV_CODEC_ID_PCM_S16LE};
constexpr AVCodecID kEncoders[] = {AV_CODEC_ID_H264, AV_CODEC_ID_AAC};

std::string version_text(unsigned version) {
  return std::to_string(AV_VERSION_MAJOR(version)) + '.' +
         std::to_string(AV_VERSION_MINOR(version)) + '.' +
         std::to_string(AV_VERSION_MICRO(version));
}

}  // namespace

std::vector<MediaLibrary> media_libraries() {
  const auto library = [](const char* name, unsigned compiled, unsigned running) {
    return MediaLibrary{name, version_text(compiled), version_text(running)};
  };
  return {library("libavformat", LIBAVFORMAT_VERSION_INT, avformat_version()),
          library("libavcodec", LIBAVCODEC_VERSION_INT, avcodec_version()),
          library("libswscale", LIBSWSCALE_VERSION_INT, swscale_version()),
          library("libswresample", LIBSWRESAMPLE_VERSION_INT, swresample_version()),
          library("libavutil", LIBAVUTIL_VERSION_INT, avutil_version())};
}

std::string media_license() { return avcodec_license(); }

std::vector<std::string> missing_decoders() {
  std::vector<std::string> missing;
  for (const AVCodecID id : kDecoders) {
    if (!avcodec_find_decoder(id)) missing.emplace_back(avcodec_get_name(id));
  }
  return missing;
}

std::vector<std::string> missing_encoders() {
  std::vector<std::string> missing;
  for (const AVCodecID id : kEncoders) {
    if (!avcodec_find_encoder(id)) missing.emplace_back(avcodec_get_name(id));
  }
  return missing;
}

}  // namespace avbench
