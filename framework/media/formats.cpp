#include "media/formats.h"

#include <algorithm>
#include <set>

#include "io/error.h"
#include "io/strings.h"
#include "io/suggest.h"
#include "media/ffmpeg.h"

namespace avbench::media {
namespace {

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<std::string> known_names() {
  std::set<std::string> names;
  void* position = nullptr;
  while (const AVInputFormat* format = av_demuxer_iterate(&position)) {
    for (const std::string& name : io::split(format->name, ',')) names.insert(name);
  }
  const AVCodecDescriptor* codec = nullptr;
  while ((codec = avcodec_descriptor_next(codec))) {
    const bool media = codec->type == AVMEDIA_TYPE_VIDEO || codec->type == AVMEDIA_TYPE_AUDIO;
    if (media) names.insert(codec->name);
  }
  return {names.begin(), names.end()};
}

std::string decoders_of(std::initializer_list<const std::vector<std::string>*> lists) {
  std::vector<std::string> decoders;
  void* position = nullptr;
  while (const AVCodec* decoder = av_codec_iterate(&position)) {
    const char* codec = avcodec_get_name(decoder->id);
    const bool listed = std::any_of(lists.begin(), lists.end(),
                                    [&](const auto* names) { return holds(*names, codec); });
    if (listed && av_codec_is_decoder(decoder)) decoders.emplace_back(decoder->name);
  }
  return io::join(decoders, ",");
}

}  // namespace

const std::vector<std::string>& allowed_containers() {
  static const std::vector<std::string> names{"mov", "matroska", "avi", "mpegts", "mpeg",
                                              "ogg", "asf",      "flv", "mxf"};
  return names;
}

const std::vector<std::string>& allowed_video_codecs() {
  static const std::vector<std::string> names{
      "h264",       "hevc",       "av1",       "vp9",       "vp8",     "theora",  "mpeg4",
      "mpeg2video", "mpeg1video", "msmpeg4v2", "msmpeg4v3", "wmv1",    "wmv2",    "wmv3",
      "vc1",        "h263",       "flv1",      "vp6f",      "mjpeg",   "dvvideo", "ffv1",
      "huffyuv",    "ffvhuff",    "prores",    "dnxhd",     "rawvideo"};
  return names;
}

const std::vector<std::string>& allowed_audio_codecs() {
  static const std::vector<std::string> names{
      "aac",       "mp3",        "mp2",       "ac3",       "eac3",          "dts",
      "opus",      "vorbis",     "flac",      "alac",      "wmav1",         "wmav2",
      "wmapro",    "amr_nb",     "amr_wb",    "adpcm_ms",  "adpcm_ima_wav", "adpcm_ima_qt",
      "adpcm_swf", "nellymoser", "speex",     "pcm_alaw",  "pcm_mulaw",     "pcm_u8",
      "pcm_s8",    "pcm_s16le",  "pcm_s16be", "pcm_s24le", "pcm_s24be",     "pcm_s32le",
      "pcm_s32be", "pcm_f32le",  "pcm_f32be", "pcm_f64le", "pcm_dvd",       "pcm_bluray"};
  return names;
}

const std::vector<std::string>& untested_codecs() {
  static const std::vector<std::string> names{"wmv3", "vc1", "vp6f", "wmapro", "amr_nb", "amr_wb"};
  return names;
}

Formats::Formats(const std::vector<std::string>& more) : more_(more) {
  if (more_.empty()) return;
  const std::vector<std::string> known = known_names();
  for (const std::string& name : more_) {
    if (holds(known, name)) continue;
    throw io::UserError("run.formats: '" + name + "' is no format that FFmpeg knows" +
                        io::did_you_mean(name, known) +
                        "; expected names of demuxers or codecs, as `ffmpeg -demuxers` and `ffmpeg "
                        "-codecs` list them.");
  }
  decoders_ = decoders_of({&allowed_video_codecs(), &allowed_audio_codecs(), &more_});
}

bool Formats::has_container(const std::string& demuxer) const {
  const std::vector<std::string> names = io::split(demuxer, ',');
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return holds(allowed_containers(), name) || holds(more_, name);
  });
}

bool Formats::has_codec(const std::string& name) const {
  return holds(allowed_video_codecs(), name) || holds(allowed_audio_codecs(), name) ||
         holds(more_, name);
}

std::string Formats::containers() const { return io::join(allowed_containers()); }

std::string Formats::codecs(bool video) const {
  return io::join(video ? allowed_video_codecs() : allowed_audio_codecs());
}

const std::string& Formats::decoders() const {
  static const std::string allowed = [] {
    return decoders_of({&allowed_video_codecs(), &allowed_audio_codecs()});
  }();
  return more_.empty() ? allowed : decoders_;
}

}  // namespace avbench::media
