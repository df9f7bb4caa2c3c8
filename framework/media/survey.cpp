#include "media/survey.h"

#include <algorithm>
#include <cmath>

#include "media/input.h"
#include "media/random_access.h"

namespace avbench::media {
namespace {

constexpr double kMostPadding = 0.3;  // seconds

// Quarter turns clockwise and mirroring out of the display matrix [a b; c d]: a player shows pixel
// (x, y) at (a x + c y, b x + d y).
void read_orientation(const int32_t* matrix, VideoIndex& index) {
  if (!matrix) return;
  const double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  index.mirrored = a * d - b * c < 0;
  const double degrees = std::atan2(b, a) * 180 / M_PI + (index.mirrored ? 180 : 0);
  index.rotation = (std::lround(degrees / 90) * 90 + 720) % 360;
}

void read_parameters(const Input& input, VideoIndex& index) {
  index.container = input.container();
  if (const AVStream* video = input.video()) {
    index.video_stream = video->index;
    index.video_codec = avcodec_get_name(video->codecpar->codec_id);
    index.time_base_num = video->time_base.num;
    index.time_base_den = video->time_base.den;
    read_orientation(display_matrix(video), index);
    index.width = video->codecpar->width;
    index.height = video->codecpar->height;
    if (index.rotation % 180) std::swap(index.width, index.height);
  }
  if (const AVStream* audio = input.audio()) {
    index.audio_stream = audio->index;
    index.audio_codec = avcodec_get_name(audio->codecpar->codec_id);
    index.has_audio = true;
    index.sample_rate = audio->codecpar->sample_rate;
  }
}

// Samples that the decoder drops at the packet's beginning and end.
std::pair<int64_t, int64_t> skipped_samples(const AVPacket& packet) {
  size_t size = 0;
  const uint8_t* data = av_packet_get_side_data(&packet, AV_PKT_DATA_SKIP_SAMPLES, &size);
  if (!data || size < 8) return {0, 0};
  const auto number = [&](int at) {
    return static_cast<int64_t>(data[at] | data[at + 1] << 8 | data[at + 2] << 16 |
                                static_cast<uint32_t>(data[at + 3]) << 24);
  };
  return {number(0), number(4)};
}

class Survey {
 public:
  Survey(Input& input, const DecodeLimits& limits, VideoIndex& index)
      : input_(input), limits_(limits), index_(index) {}

  void run() {
    while (const AVPacket* packet = input_.next()) {
      if (input_.video() && packet->stream_index == input_.video()->index) {
        video(*packet);
      } else if (input_.audio() && packet->stream_index == input_.audio()->index) {
        audio(*packet);
      }
    }
    index_.reorder = reorder_depth();
    std::sort(index_.pts.begin(), index_.pts.end());
    const bool repeated =
        std::adjacent_find(index_.pts.begin(), index_.pts.end()) != index_.pts.end();
    index_.by_decoding = missing_ || repeated || (index_.video_packets > 0 && !begins_at_entry_);
    if (!index_.by_decoding) settle_entries();
    settle_video();
    if (input_.audio()) settle_audio(*input_.audio());
  }

 private:
  void video(const AVPacket& packet) {
    const AVCodecParameters& codec = *input_.video()->codecpar;
    const bool shown = !(packet.flags & AV_PKT_FLAG_DISCARD) && shows_frame(packet, codec);
    if (packet.pts == AV_NOPTS_VALUE) {
      missing_ = true;
    } else {
      decoding_.push_back(packet.pts);
      if (shown) index_.pts.push_back(packet.pts);
      if (shown && packet.pts > last_pts_) {
        last_pts_ = packet.pts;
        last_duration_ = packet.duration;
      }
    }
    if (is_random_access_point(packet, codec)) {
      if (index_.video_packets == 0) begins_at_entry_ = true;
      if (can_be_found(packet)) add_entry(packet);
    }
    ++index_.video_packets;
    if (index_.video_packets > limits_.frames || index_.frames() > limits_.frames) {
      throw Unusable{FileStatus::kCorrupt,
                     "more than " + std::to_string(limits_.frames) + " frames"};
    }
  }

  // Again after a seek. Where FFmpeg cuts a stream into packets itself, it makes up the times that
  // the file lacks, and after a seek others.
  bool can_be_found(const AVPacket& packet) const {
    if (packet.pts != AV_NOPTS_VALUE) return true;
    return packet.dts != AV_NOPTS_VALUE && !index_.container.starts_with("mpeg");
  }

  void add_entry(const AVPacket& packet) {
    const int64_t time = packet.pts != AV_NOPTS_VALUE ? packet.pts : packet.dts;
    index_.entries.push_back(
        {.packet = index_.video_packets,
         .pts = packet.pts,
         .dts = packet.dts,
         .bytes = packet.size,
         .seconds = static_cast<double>(time) * av_q2d(input_.video()->time_base),
         .audio_before_until = audio_stored_});
  }

  void audio(const AVPacket& packet) {
    ++index_.audio_packets;
    if (packet.flags & AV_PKT_FLAG_DISCARD) return;
    const AVStream& stream = *input_.audio();
    const double unit = av_q2d(stream.time_base);
    const double rate = std::max(1, stream.codecpar->sample_rate);
    double begin = audio_end_;  // without a time it follows the one before
    if (packet.pts != AV_NOPTS_VALUE) begin = static_cast<double>(packet.pts) * unit;
    double length = static_cast<double>(packet.duration) * unit;
    if (packet.duration <= 0) {
      length = std::max(0, av_get_audio_frame_duration2(stream.codecpar, packet.size)) / rate;
    }
    audio_stored_ = std::max(audio_stored_, begin + length);
    const auto [front, back] = skipped_samples(packet);
    if (!audio_begun_) audio_begin_ = begin + static_cast<double>(front) / rate;
    audio_begun_ = true;
    audio_end_ = std::max(audio_end_, begin + length - static_cast<double>(back) / rate);
  }

  // The most frames that come before another one in decoding and after it on the screen.
  int64_t reorder_depth() const {
    size_t depth = 0;
    std::vector<int64_t> held;  // seen and later than the latest to be shown, ascending
    for (const int64_t pts : decoding_) {
      const auto place = std::upper_bound(held.begin(), held.end(), pts);
      depth = std::max<size_t>(depth, held.end() - place);
      held.insert(place, pts);
      if (held.size() > 64) held.erase(held.begin());
    }
    return static_cast<int64_t>(std::min<size_t>(depth, 16));
  }

  void settle_entries() {
    for (RandomAccessPoint& entry : index_.entries) {
      const auto frame_index = std::lower_bound(index_.pts.begin(), index_.pts.end(), entry.pts);
      entry.frame_index = frame_index - index_.pts.begin();
    }
    // A later one that is shown earlier is none: something is wrong with its time.
    int64_t last = -1;
    std::erase_if(index_.entries, [&](const RandomAccessPoint& entry) {
      const bool out_of_order = entry.frame_index <= last;
      last = std::max(last, entry.frame_index);
      return out_of_order;
    });
  }

  void settle_video() {
    if (index_.pts.empty()) return;
    const double unit =
        static_cast<double>(index_.time_base_num) / static_cast<double>(index_.time_base_den);
    const double span = index_.time_of(index_.frames() - 1);
    if (span > 0) index_.fps = static_cast<double>(index_.pts.size() - 1) / span;
    const double mean = index_.fps > 0 ? 1 / index_.fps : 0;
    index_.duration =
        span + (last_duration_ > 0 ? static_cast<double>(last_duration_) * unit : mean);
    index_.origin = static_cast<double>(index_.pts.front()) * unit;
  }

  void settle_audio(const AVStream& audio) {
    index_.has_audio = audio_begun_;
    if (!index_.has_audio) return;
    double begin = audio_begin_, end = audio_end_;
    // MP4's own start and duration leave out priming and padding; elsewhere they are estimates, and
    // what would leave out more is a mistake.
    if (index_.container.starts_with("mov,")) {
      const double unit = av_q2d(audio.time_base);
      if (audio.start_time != AV_NOPTS_VALUE) {
        const double start = static_cast<double>(audio.start_time) * unit;
        if (start > begin && start - begin <= kMostPadding) begin = start;
      }
      const double claimed = begin + static_cast<double>(audio.duration) * unit;
      if (audio.duration > 0 && claimed < end && end - claimed <= kMostPadding) end = claimed;
    }
    if (index_.pts.empty()) index_.origin = begin;
    index_.audio_start = begin - index_.origin;
    index_.audio_duration = std::max(0.0, end - begin);
  }

  Input& input_;
  const DecodeLimits& limits_;
  VideoIndex& index_;
  std::vector<int64_t> decoding_;  // pts in the order of decoding, displayed or not
  int64_t last_pts_ = INT64_MIN, last_duration_ = 0;  // of the frame shown last
  bool missing_ = false, begins_at_entry_ = false, audio_begun_ = false;
  // Seconds on the file's clock; "stored": the latest that any packet so far reaches.
  double audio_begin_ = 0, audio_end_ = 0, audio_stored_ = -1e18;
};

}  // namespace

void survey_file(const Source& source, VideoIndex& index) {
  Input input(source.path, source.limits, source.formats, {.check_whole = true});
  index.file_bytes = input.file_bytes();
  if (!input.video() && !input.audio()) {
    throw Unusable{FileStatus::kCorrupt, "neither video nor audio"};
  }
  read_parameters(input, index);
  Survey(input, source.limits, index).run();
}

}  // namespace avbench::media
