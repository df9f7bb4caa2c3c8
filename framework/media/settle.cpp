#include "media/settle.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace avbench::media {
namespace {

// ---- times of frames that were found by decoding ------------------------------------------------

// The time stamps of the packets whose frames are shown, ascending, which is the order of display.
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
  for (size_t frame_index = 0; has_display_times && frame_index < times.size(); ++frame_index) {
    const int64_t pts = facts.pts.at(facts.shown[frame_index]);
    if (pts == AV_NOPTS_VALUE) continue;
    late = pts - times[frame_index];
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

// Random access points whose frame is shown; an earlier frame that follows in the file is not
// decoded from there.
void settle_entries(VideoIndex& index) {
  std::vector<std::pair<int32_t, int64_t>> frame_indices;  // by packet
  for (size_t frame_index = 0; frame_index < index.packets.size(); ++frame_index) {
    frame_indices.emplace_back(index.packets[frame_index], frame_index);
  }
  std::sort(frame_indices.begin(), frame_indices.end());
  int64_t last = -1;
  std::erase_if(index.entries, [&](RandomAccessPoint& entry) {
    const auto own = std::lower_bound(frame_indices.begin(), frame_indices.end(),
                                      std::pair<int32_t, int64_t>(entry.packet, 0));
    if (own == frame_indices.end() || own->first != entry.packet || own->second <= last)
      return true;
    entry.frame_index = last = own->second;
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
  const auto [begin, end] = audio_extent(index, facts);
  index.audio_start = begin - index.origin;
  index.audio_duration = std::max(0.0, end - begin);
  index.silent = moved(facts.audio.silent(), -index.origin);
  index.not_finite = moved(facts.audio.not_finite(), -index.origin);
  if (facts.audio.empty()) index.has_audio = false;
}

void settle_status(const DecodeLimits& limits, VideoIndex& index) {
  const auto refuse = [&](FileStatus status, std::string message) {
    index.status = status;
    index.message = std::move(message);
  };
  index.status = FileStatus::kOk;
  index.message.clear();
  if (index.frames() > limits.frames) {
    refuse(FileStatus::kCorrupt, "more than " + std::to_string(limits.frames) + " frames");
  } else if (index.pts.empty()) {
    refuse(FileStatus::kTooShort, "no frame to show");
  } else if (index.width <= 0 || index.height <= 0 || index.width * index.height > limits.pixels) {
    refuse(FileStatus::kCorrupt, "a frame of " + std::to_string(index.width) + "x" +
                                     std::to_string(index.height) + ", allowed are " +
                                     std::to_string(limits.pixels) + " pixels");
  } else if (!std::isfinite(index.duration) || !std::isfinite(index.fps) ||
             !std::isfinite(index.origin) || !std::isfinite(index.audio_end())) {
    refuse(FileStatus::kCorrupt, "times that are no numbers");
  } else if (index.sample_rate > kHighestRate) {
    refuse(FileStatus::kCorrupt, "audio of " + std::to_string(index.sample_rate) +
                                     " Hz, allowed are " + std::to_string(kHighestRate));
  } else if (!index.has_audio) {
    refuse(FileStatus::kNoAudio,
           index.audio_codec.empty() ? "no audio" : "an audio track without any audio");
  } else if (index.audio_end() > limits.audio_seconds) {
    refuse(FileStatus::kCorrupt,
           "more than " + std::to_string(limits.audio_seconds) + " seconds of audio");
  }
}

}  // namespace avbench::media
