#include "media/survey.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "media/entry.h"

namespace avbench {
namespace {

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
    index.video_codec = avcodec_get_name(video->codecpar->codec_id);
    index.time_base_num = video->time_base.num;
    index.time_base_den = video->time_base.den;
    read_orientation(display_matrix(video), index);
    index.width = video->codecpar->width;
    index.height = video->codecpar->height;
    if (index.rotation % 180) std::swap(index.width, index.height);
  }
  if (const AVStream* audio = input.audio()) {
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
  Survey(Input& input, const Budget& budget, VideoIndex& index)
      : input_(input), budget_(budget), index_(index) {}

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
    if (is_entry(packet, codec)) {
      if (index_.video_packets == 0) begins_at_entry_ = true;
      if (can_be_found(packet)) add_entry(packet);
    }
    ++index_.video_packets;
    if (index_.video_packets > budget_.frames || index_.frames() > budget_.frames) {
      throw Unusable{FileStatus::kCorrupt,
                     "more than " + std::to_string(budget_.frames) + " frames"};
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
    for (EntryPoint& entry : index_.entries) {
      const auto rank = std::lower_bound(index_.pts.begin(), index_.pts.end(), entry.pts);
      entry.rank = rank - index_.pts.begin();
    }
    // A later one that is shown earlier is none: something is wrong with its time.
    int64_t last = -1;
    std::erase_if(index_.entries, [&](const EntryPoint& entry) {
      const bool out_of_order = entry.rank <= last;
      last = std::max(last, entry.rank);
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
    // MP4's own start and duration leave out priming and padding; elsewhere they are estimates.
    if (index_.container.starts_with("mov,")) {
      const double unit = av_q2d(audio.time_base);
      if (audio.start_time != AV_NOPTS_VALUE) {
        begin = std::max(begin, static_cast<double>(audio.start_time) * unit);
      }
      if (audio.duration > 0) {
        end = std::min(end, begin + static_cast<double>(audio.duration) * unit);
      }
    }
    if (index_.pts.empty()) index_.origin = begin;
    index_.audio_start = begin - index_.origin;
    index_.audio_duration = std::max(0.0, end - begin);
  }

  Input& input_;
  const Budget& budget_;
  VideoIndex& index_;
  std::vector<int64_t> decoding_;  // pts in the order of decoding, displayed or not
  int64_t last_pts_ = INT64_MIN, last_duration_ = 0;  // of the frame shown last
  bool missing_ = false, begins_at_entry_ = false, audio_begun_ = false;
  // Seconds on the file's clock; "stored": the latest that any packet so far reaches.
  double audio_begin_ = 0, audio_end_ = 0, audio_stored_ = -1e18;
};

// ---- times of frames that were found by decoding
// --------------------------------------------------

// Of the packets whose frames are shown, ascending: frames have them in the order of display.
// Empty if the file lacks some.
std::vector<int64_t> sorted_times(const std::vector<int64_t>& times,
                                  const std::vector<int64_t>& shown) {
  std::vector<int64_t> sorted;
  for (const int64_t packet : shown) {
    if (packet == Facts::kUnknown || times.at(packet) == AV_NOPTS_VALUE) return {};
    sorted.push_back(times.at(packet));
  }
  std::sort(sorted.begin(), sorted.end());
  const bool tells = sorted.size() < 2 || sorted.front() < sorted.back();
  return tells ? sorted : std::vector<int64_t>{};
}

// An encoder that reorders gives the packets, as times of decoding, the times of display of its
// frames with a delay. The last frames' times then stand in no packet: they go on at the mean
// distance.
void delay_times(std::vector<int64_t>& times, int64_t frames) {
  const auto count = static_cast<int64_t>(times.size());
  if (frames <= 0 || count < 2) return;
  const double mean =
      static_cast<double>(times.back() - times.front()) / static_cast<double>(count - 1);
  const int64_t last = times.back();
  times.erase(times.begin(), times.begin() + std::min(frames, count));
  for (int64_t i = 1; static_cast<int64_t>(times.size()) < count; ++i) {
    times.push_back(last + std::llround(static_cast<double>(i) * mean));
  }
}

// So that the first frame whose time of display is known has it. AVI has no such times, only what
// FFmpeg makes up, and its writers let the first frame have the first packet's time.
void place_times(const Facts& facts, bool has_display_times, int64_t first_packet,
                 std::vector<int64_t>& times) {
  int64_t late = first_packet - times.front();
  for (size_t rank = 0; has_display_times && rank < times.size(); ++rank) {
    const int64_t pts = facts.pts.at(facts.shown[rank]);
    if (pts == AV_NOPTS_VALUE) continue;
    late = pts - times[rank];
    break;
  }
  for (int64_t& time : times) time += late;
}

// By the times of display, else by those of decoding. False if the file has no times.
bool settle_times(const Facts& facts, VideoIndex& index) {
  const bool is_avi = index.container == "avi";
  if (!is_avi) index.pts = sorted_times(facts.pts, facts.shown);
  if (!is_avi && !index.pts.empty()) return true;
  index.pts = sorted_times(facts.dts, facts.shown);
  if (index.pts.empty()) return false;
  const int64_t first_packet = index.pts.front();
  delay_times(index.pts, facts.reorder);
  place_times(facts, !is_avi, first_packet, index.pts);
  return true;
}

// As the frames are counted, a 25th of a second from one to the next if nothing else is known.
void count_times(const Facts& facts, VideoIndex& index) {
  const auto [first, last] = std::minmax_element(facts.dts.begin(), facts.dts.end());
  const bool known = !facts.dts.empty() && *first != AV_NOPTS_VALUE && *first < *last;
  AVRational distance{1, 25};
  if (known) {
    const auto ticks = static_cast<double>(*last - *first);
    distance = av_d2q(ticks * static_cast<double>(index.time_base_num) /
                          static_cast<double>(index.time_base_den) /
                          static_cast<double>(facts.dts.size() - 1),
                      1'000'000);
  }
  index.time_base_num = distance.num;
  index.time_base_den = distance.den;
  index.pts.resize(facts.shown.size());
  std::iota(index.pts.begin(), index.pts.end(), 0);
}

// Entry points whose frame is shown; an earlier frame that follows in the file is not decoded from
// there.
void settle_entries(VideoIndex& index) {
  std::vector<std::pair<int32_t, int64_t>> ranks;  // by packet
  for (size_t rank = 0; rank < index.packets.size(); ++rank) {
    ranks.emplace_back(index.packets[rank], rank);
  }
  std::sort(ranks.begin(), ranks.end());
  int64_t last = -1;
  std::erase_if(index.entries, [&](EntryPoint& entry) {
    const auto own =
        std::lower_bound(ranks.begin(), ranks.end(), std::pair<int32_t, int64_t>(entry.packet, 0));
    if (own == ranks.end() || own->first != entry.packet || own->second <= last) return true;
    entry.rank = last = own->second;
    return false;
  });
}

std::vector<Interval> moved(std::vector<Interval> intervals, double by) {
  for (Interval& interval : intervals) {
    interval.begin += by;
    interval.end += by;
  }
  return intervals;
}

}  // namespace

void survey_file(const Source& source, VideoIndex& index) {
  Input input(source.path, source.budget, source.formats, {});
  index.file_bytes = input.file_bytes();
  if (!input.video() && !input.audio()) {
    throw Unusable{FileStatus::kCorrupt, "neither picture nor sound"};
  }
  read_parameters(input, index);
  Survey(input, source.budget, index).run();
}

bool agrees(const VideoIndex& index, const Facts& facts) {
  if (index.by_decoding || !facts.damaged_video.empty()) return false;
  if (facts.shown.size() != index.pts.size()) return false;
  for (size_t i = 0; i < index.pts.size(); ++i) {
    const int64_t packet = facts.shown[i];
    if (packet == Facts::kUnknown || facts.pts.at(packet) != index.pts[i]) return false;
  }
  return true;
}

void settle_frames(const Facts& facts, VideoIndex& index) {
  index.by_decoding = true;
  index.reorder = facts.reorder;
  index.packets.assign(facts.shown.begin(), facts.shown.end());
  std::vector<int32_t> sorted = index.packets;
  std::sort(sorted.begin(), sorted.end());
  index.counted = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end() ||
                  (!sorted.empty() && sorted.front() < 0);
  if (index.counted || !facts.damaged_video.empty()) index.entries.clear();
  settle_entries(index);
  double first = 0;  // seconds on the file's clock
  const auto seconds = [&](int64_t ticks) {
    return static_cast<double>(ticks) * static_cast<double>(index.time_base_num) /
           static_cast<double>(index.time_base_den);
  };
  if (settle_times(facts, index)) {
    first = seconds(index.pts.front());
  } else {
    const auto known = std::find_if(facts.dts.begin(), facts.dts.end(),
                                    [](int64_t dts) { return dts != AV_NOPTS_VALUE; });
    if (known != facts.dts.end()) first = seconds(*known);
    count_times(facts, index);
  }
  if (index.pts.empty()) return;
  const double span = index.time_of(index.frames() - 1);
  index.fps = span > 0 ? static_cast<double>(index.frames() - 1) / span : 0;
  index.duration = span + (index.fps > 0 ? 1 / index.fps : 0);
  index.audio_start += index.origin - first;
  index.origin = first;
}

void settle_examination(const Facts& facts, VideoIndex& index) {
  index.examined = true;
  index.damaged_video_packets = static_cast<int64_t>(facts.damaged_video.size());
  index.damaged_audio_packets = static_cast<int64_t>(facts.damaged_audio.size());
  if (!index.has_audio) return;
  const auto [begin, end] = sound_extent(index, facts);
  index.audio_start = begin - index.origin;
  index.audio_duration = std::max(0.0, end - begin);
  index.silent = moved(facts.sound.silent(), -index.origin);
  index.not_finite = moved(facts.sound.not_finite(), -index.origin);
  if (facts.sound.empty()) index.has_audio = false;
}

void settle_status(const Budget& budget, VideoIndex& index) {
  const auto refuse = [&](FileStatus status, std::string message) {
    index.status = status;
    index.message = std::move(message);
  };
  index.status = FileStatus::kOk;
  index.message.clear();
  if (index.frames() > budget.frames) {
    refuse(FileStatus::kCorrupt, "more than " + std::to_string(budget.frames) + " frames");
  } else if (index.pts.empty()) {
    refuse(FileStatus::kTooShort, "no frame to show");
  } else if (index.width <= 0 || index.height <= 0 || index.width * index.height > budget.pixels) {
    refuse(FileStatus::kCorrupt, "a picture of " + std::to_string(index.width) + "x" +
                                     std::to_string(index.height) + ", allowed are " +
                                     std::to_string(budget.pixels) + " pixels");
  } else if (!index.has_audio) {
    refuse(FileStatus::kNoAudio,
           index.audio_codec.empty() ? "no sound" : "a sound track without any sound");
  } else if (index.audio_end() > budget.audio_seconds) {
    refuse(FileStatus::kCorrupt,
           "more than " + std::to_string(budget.audio_seconds) + " seconds of sound");
  }
}

}  // namespace avbench
