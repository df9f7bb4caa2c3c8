#include "media/decode_pass.h"

#include "media/audio_pass.h"
#include "media/frame_targets.h"
#include "media/input.h"
#include "media/random_access.h"
#include "media/video_pass.h"
#include "media/video_scan.h"

namespace avbench::media {
namespace {

// What may have to decode a whole file has the limits' time, and as much again for each so many
// packets: 0.05 s for each with 60 s.
constexpr double kPacketsPerTimeLimit = 1200;

double whole_file_seconds(const DecodeLimits& limits, const VideoIndex& index) {
  const auto packets = static_cast<double>(index.video_packets + index.audio_packets);
  return limits.seconds > 0 ? limits.seconds * (1 + packets / kPacketsPerTimeLimit) : 1e-9;
}

Input::Options options_for(const VideoIndex& index) {
  return {.expected_bytes = index.file_bytes,
          .video_stream = index.video_stream,
          .audio_stream = index.audio_stream};
}

// Where reading begins; null: at the first packet. With audio, none of what it needs may be stored
// before that point, nor have an earlier time, since some demuxers leave that out after a seek.
const RandomAccessPoint* first_point(const Input& input, const VideoIndex& index,
                                     const VideoPass& video, const AudioPass& audio) {
  if (index.entries.empty() || !input.video()) return nullptr;
  const RandomAccessPoint* const first = index.entries.data();
  const RandomAccessPoint* point = video.done() ? &index.entries.back() : video.span_entry();
  if (audio.done()) return point;
  if (needs_all_packets(*input.audio()->codecpar)) return nullptr;
  const double from = audio.decodes_from();
  while (point && (point->seconds > from || point->audio_before_until > from)) {
    point = point == first ? nullptr : point - 1;
  }
  return point;
}

// Until neither waits for a packet any more.
template <class Video, class OnVideo>
void read_packets(Input& input, Video& video, AudioPass& audio, OnVideo on_video) {
  while (!video.done() || !audio.done()) {
    AVPacket* packet = input.next();
    if (!packet) break;
    if (video.takes(*packet)) {
      on_video(*packet);
    } else if (audio.takes(*packet)) {
      audio.on_packet(*packet);
    }
  }
  video.finish();
  audio.finish();
}

}  // namespace

std::vector<float> decode(const Source& source, const VideoIndex& index,
                          const DecodeRequest& request, Converters& converters, Start start) {
  Input::Options options = options_for(index);
  const bool may_decode_all = start == Start::kFirstPacket || index.entries.empty();
  if (may_decode_all) options.seconds = whole_file_seconds(source.limits, index);
  if (index.counted) start = Start::kFirstPacket;
  Input input(source.path, source.limits, source.formats, options);
  FrameTargets targets(index, request, converters.frames);
  VideoPass video(input, index, targets, start);
  AudioPass audio(input, index, request, converters.audio, source.limits.audio_seconds, nullptr);
  if (start == Start::kRandomAccess) {
    const RandomAccessPoint* point = first_point(input, index, video, audio);
    if (point && video.seek_to(*point)) audio.begin_after_seek();
  }
  read_packets(input, video, audio, [&](AVPacket& packet) {
    const bool another_span = video.on_packet(packet);
    // Audio that is stored on the way has to be read.
    if (another_span && audio.done() && video.span_entry()) video.seek_to(*video.span_entry());
  });
  targets.require_all();
  return audio.take_track();
}

std::vector<float> decode_all(const Source& source, const VideoIndex& index,
                              const DecodeRequest& request, Converters& converters, Facts& facts) {
  Input::Options options = options_for(index);
  options.probe = index.by_decoding;
  options.seconds = whole_file_seconds(source.limits, index);
  Input input(source.path, source.limits, source.formats, options);
  FrameTargets targets(index, request, converters.frames);
  VideoScan video(input, index, targets, facts);
  AudioPass audio(input, index, request, converters.audio, source.limits.audio_seconds, &facts);
  read_packets(input, video, audio, [&](AVPacket& packet) { video.on_packet(packet); });
  return audio.take_track();
}

}  // namespace avbench::media
