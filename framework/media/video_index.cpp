#include "media/video_index.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "media/entry.h"
#include "media/input.h"

namespace avbench {
namespace {

// Quarter turns clockwise and mirroring out of the display matrix [a b; c d]: a player shows pixel
// (x, y) at (a x + c y, b x + d y).
void read_orientation(const int32_t* matrix, VideoIndex& index) {
  if (!matrix) return;
  const double a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  index.mirrored = a * d - b * c < 0;
  const double degrees = std::atan2(b, a) * 180 / M_PI + (index.mirrored ? 180 : 0);
  index.rotation = static_cast<int>(std::lround(degrees / 90) * 90 + 720) % 360;
}

void read_parameters(const Input& input, VideoIndex& index) {
  if (const AVStream* video = input.video()) {
    index.time_base_num = video->time_base.num;
    index.time_base_den = video->time_base.den;
    read_orientation(display_matrix(video), index);
    index.width = video->codecpar->width;
    index.height = video->codecpar->height;
    if (index.rotation % 180) std::swap(index.width, index.height);
  }
  if (const AVStream* audio = input.audio()) {
    index.has_audio = true;
    index.sample_rate = audio->codecpar->sample_rate;
  }
}

// What the packets of one pass say.
struct Survey {
  int64_t packets = 0;            // of the video stream
  std::vector<int64_t> decoding;  // pts in the order of decoding, displayed or not
  int64_t last_pts = INT64_MIN, last_duration = 0;                // of the frame shown last
  int64_t audio_first = AV_NOPTS_VALUE, audio_end = 0;            // in the audio stream's time base
  int64_t first_dts = AV_NOPTS_VALUE, last_dts = AV_NOPTS_VALUE;  // of the picture
  bool missing = false;
};

void survey_video(const AVPacket& packet, const AVCodecParameters& codec, VideoIndex& index,
                  Survey& survey) {
  const bool shown = !(packet.flags & AV_PKT_FLAG_DISCARD);
  if (packet.pts == AV_NOPTS_VALUE) {
    survey.missing = true;
  } else {
    survey.decoding.push_back(packet.pts);
    if (shown) index.pts.push_back(packet.pts);
    if (shown && packet.pts > survey.last_pts) {
      survey.last_pts = packet.pts;
      survey.last_duration = packet.duration;
    }
    if (is_entry(packet, codec)) {
      const int64_t dts = packet.dts == AV_NOPTS_VALUE ? packet.pts : packet.dts;
      index.entries.push_back({packet.pts, dts, survey.packets});
    }
  }
  if (packet.dts != AV_NOPTS_VALUE) {
    if (survey.first_dts == AV_NOPTS_VALUE) survey.first_dts = packet.dts;
    survey.last_dts = packet.dts;
  }
  ++survey.packets;
}

void survey_audio(const AVPacket& packet, Survey& survey) {
  if (packet.pts == AV_NOPTS_VALUE || packet.flags & AV_PKT_FLAG_DISCARD) return;
  if (survey.audio_first == AV_NOPTS_VALUE) survey.audio_first = packet.pts;
  survey.audio_end = std::max(survey.audio_end, av_sat_add64(packet.pts, packet.duration));
}

// The most frames that come before another one in decoding and after it on the screen.
int reorder_depth(const std::vector<int64_t>& decoding) {
  size_t depth = 0;
  std::vector<int64_t> held;  // seen and later than the latest to be shown, ascending
  for (const int64_t pts : decoding) {
    const auto place = std::upper_bound(held.begin(), held.end(), pts);
    depth = std::max<size_t>(depth, held.end() - place);
    held.insert(place, pts);
    if (held.size() > 64) held.erase(held.begin());
  }
  return static_cast<int>(std::min<size_t>(depth, 16));
}

// Displayable frames by decoding the whole file: packets and frames need not correspond.
int64_t count_frames(const std::filesystem::path& path, const Budget& budget) {
  Input input(path, budget);
  const AVStream& video = *input.video();
  const CodecContextPtr decoder = input.open_decoder(video);
  const FramePtr frame(av_frame_alloc());
  int64_t count = 0;
  const auto feed = [&](const AVPacket* packet) {
    if (avcodec_send_packet(decoder.get(), packet) < 0 && packet) {
      throw Unusable{FileStatus::kCorrupt, "a packet of the picture cannot be decoded"};
    }
    while (avcodec_receive_frame(decoder.get(), frame.get()) >= 0) ++count;
  };
  while (const AVPacket* packet = input.next()) {
    if (packet->stream_index == video.index) feed(packet);
  }
  feed(nullptr);
  return count;
}

bool in_order(const VideoIndex& index) {
  return std::adjacent_find(index.pts.begin(), index.pts.end()) == index.pts.end() &&
         std::is_sorted(index.entries.begin(), index.entries.end(),
                        [](const auto& a, const auto& b) { return a.pts < b.pts; });
}

// Seconds from frame to frame: by the times of decoding, else as the container says.
AVRational mean_distance(const AVStream& video, const Survey& survey) {
  AVRational distance =
      video.avg_frame_rate.num > 0 ? av_inv_q(video.avg_frame_rate) : AVRational{1, 25};
  const double span = static_cast<double>(survey.last_dts) - static_cast<double>(survey.first_dts);
  if (survey.first_dts != AV_NOPTS_VALUE && span > 0 && span < 1e15) {
    distance =
        av_d2q(span * av_q2d(video.time_base) / static_cast<double>(survey.packets - 1), 1'000'000);
  }
  return distance;
}

void count_instead(const std::filesystem::path& path, const Budget& budget, const AVStream& video,
                   const Survey& survey, VideoIndex& index) {
  index.sequential = true;
  index.entries.clear();
  index.pts.resize(count_frames(path, budget));
  std::iota(index.pts.begin(), index.pts.end(), 0);
  const AVRational distance = mean_distance(video, survey);
  index.time_base_num = distance.num;
  index.time_base_den = distance.den;
}

void settle_video(const Survey& survey, VideoIndex& index) {
  if (index.pts.empty()) return;
  const double unit = static_cast<double>(index.time_base_num) / index.time_base_den;
  const double span = index.time_of(index.frames() - 1);
  if (span > 0) index.fps = static_cast<double>(index.pts.size() - 1) / span;
  const double mean = index.fps > 0 ? 1 / index.fps : 0;
  const bool known = survey.last_duration > 0 && !index.sequential;
  index.duration = span + (known ? static_cast<double>(survey.last_duration) * unit : mean);
  if (!index.sequential) index.origin = static_cast<double>(index.pts.front()) * unit;
}

void settle_audio(const AVStream& audio, const Survey& survey, VideoIndex& index) {
  index.has_audio = survey.audio_first != AV_NOPTS_VALUE;
  if (!index.has_audio) return;
  int64_t first = survey.audio_first, end = survey.audio_end;
  // The container's own start and duration leave out priming and padding.
  if (audio.start_time != AV_NOPTS_VALUE) first = std::max(first, audio.start_time);
  if (audio.duration > 0) end = std::min(end, av_sat_add64(first, audio.duration));
  const double unit = av_q2d(audio.time_base);
  if (index.pts.empty()) index.origin = static_cast<double>(first) * unit;
  index.audio_start = static_cast<double>(first) * unit - index.origin;
  index.audio_duration =
      std::max(0.0, static_cast<double>(end) - static_cast<double>(first)) * unit;
}

void survey_file(const std::filesystem::path& path, const Budget& budget, VideoIndex& index) {
  Input input(path, budget);
  index.file_bytes = input.file_bytes();
  if (!input.video() && !input.audio()) {
    throw Unusable{FileStatus::kCorrupt, "neither picture nor sound"};
  }
  read_parameters(input, index);
  Survey survey;
  while (const AVPacket* packet = input.next()) {
    if (input.video() && packet->stream_index == input.video()->index) {
      survey_video(*packet, *input.video()->codecpar, index, survey);
      if (index.frames() > budget.frames) {
        throw Unusable{FileStatus::kCorrupt,
                       "more than " + std::to_string(budget.frames) + " frames"};
      }
    } else {
      survey_audio(*packet, survey);
    }
  }
  index.reorder = reorder_depth(survey.decoding);
  std::sort(index.pts.begin(), index.pts.end());
  if (survey.missing || !in_order(index))
    count_instead(path, budget, *input.video(), survey, index);
  settle_video(survey, index);
  if (input.audio()) settle_audio(*input.audio(), survey, index);
}

void judge(const Budget& budget, VideoIndex& index) {
  index.status = FileStatus::kOk;
  if (index.pts.empty()) {
    index.status = FileStatus::kTooShort;
    index.message = "no frame to show";
  } else if (int64_t{index.width} * index.height > budget.pixels || index.width <= 0 ||
             index.height <= 0) {
    index.status = FileStatus::kCorrupt;
    index.message = "a picture of " + std::to_string(index.width) + "x" +
                    std::to_string(index.height) + ", allowed are " +
                    std::to_string(budget.pixels) + " pixels";
  } else if (!index.has_audio) {
    index.status = FileStatus::kNoAudio;
    index.message = "no sound";
  }
}

}  // namespace

double VideoIndex::time_of(int64_t rank) const {
  const double ticks = static_cast<double>(pts.at(rank)) - static_cast<double>(pts.front());
  return ticks * static_cast<double>(time_base_num) / static_cast<double>(time_base_den);
}

VideoIndex index_file(const std::filesystem::path& path, const Budget& budget) {
  VideoIndex index;
  try {
    survey_file(path, budget, index);
    judge(budget, index);
  } catch (const Unusable& unusable) {
    index.status = unusable.status;
    index.message = unusable.message;
  }
  return index;
}

}  // namespace avbench
