#include "media/capabilities.h"

#include "media/ffmpeg.h"
#include "media/formats.h"

namespace avbench::media {
namespace {

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

std::vector<std::string> missing_formats() {
  std::vector<std::string> missing;
  for (const std::string& name : allowed_containers()) {
    if (!av_find_input_format(name.c_str())) missing.push_back(name);
  }
  for (const auto* codecs : {&allowed_video_codecs(), &allowed_audio_codecs()}) {
    for (const std::string& name : *codecs) {
      const AVCodecDescriptor* codec = avcodec_descriptor_get_by_name(name.c_str());
      if (!codec || !avcodec_find_decoder(codec->id)) missing.push_back(name);
    }
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

}  // namespace avbench::media
