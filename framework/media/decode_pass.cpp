#include "media/decode_pass.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "media/entry.h"
#include "media/frame_plan.h"

namespace avbench {
namespace {

// Decoded before the wanted sound begins: overlapping windows and predictions need what precedes.
constexpr double kPrerollSeconds = 0.5;
// A file that is decoded as a whole has the budget's time, and as much again for each so many
// packets: 0.05 s for each with 60 s.
constexpr double kPacketsPerBudget = 1200;

class Pass {
 public:
  Pass(const Source& source, const VideoIndex& index, const DecodeRequest& request,
       Converters& converters, Start start, Facts* facts)
      : input_(source.path, source.budget, source.formats,
               {.expected_bytes = index.file_bytes,
                .video_stream = index.video_stream,
                .audio_stream = index.audio_stream,
                .probe = facts && index.by_decoding,
                .seconds = allowed_seconds(source.budget, index, start)}),
        index_(index),
        request_(request),
        converters_(converters),
        start_(index.counted ? Start::kFirstPacket : start),
        facts_(facts),
        targets_(gather_targets(index, request)),
        spans_(group_targets(index, targets_, start_)),
        by_key_(targets_.size()) {
    for (size_t i = 0; i < targets_.size(); ++i) by_key_[i] = i;
    std::sort(by_key_.begin(), by_key_.end(),
              [&](size_t a, size_t b) { return targets_[a].key < targets_[b].key; });
    if (!targets_.empty() || (facts && input_.video())) open_video();
    if (wants_sound()) open_audio(source.budget);
    discard_finished();
  }

  std::vector<float> run() {
    seek_to_start();
    while (video_ || audio_) {
      AVPacket* packet = input_.next();
      if (!packet) break;
      if (video_ && packet->stream_index == input_.video()->index) {
        facts_ ? examine_video(*packet) : on_video(*packet);
      } else if (audio_ && packet->stream_index == input_.audio()->index) {
        on_audio(*packet);
      }
    }
    if (video_) finish_video();
    if (audio_) end_audio();
    if (!facts_) require_targets();
    if (!track_) return {};
    return track_->finish(converters_.sounds, request_.sample_rate,
                          facts_ ? sound_extent(index_, *facts_).end : sound_end_);
  }

 private:
  // More for what may have to decode the whole file.
  static double allowed_seconds(const Budget& budget, const VideoIndex& index, Start start) {
    if (start == Start::kEntry && !index.entries.empty()) return 0;
    const auto packets = static_cast<double>(index.video_packets + index.audio_packets);
    return budget.seconds > 0 ? budget.seconds * (1 + packets / kPacketsPerBudget) : 1e-9;
  }

  bool wants_sound() const {
    if (facts_) return input_.audio() != nullptr;
    return request_.sample_rate > 0 && index_.has_audio;
  }

  void open_video() {
    if (!input_.video()) input_.fail(AVERROR_STREAM_NOT_FOUND, "no picture");
    AVCodecParameters& codec = *input_.video()->codecpar;
    // A decoder that knows how far frames are reordered needs no guess, which may drop the first.
    if (facts_) {
      facts_->reorder = std::max<int64_t>(codec.video_delay, index_.reorder);
      codec.video_delay = static_cast<int>(facts_->reorder);
    } else {
      codec.video_delay = static_cast<int>(index_.reorder);
    }
    video_ = input_.open_decoder(*input_.video());
  }

  void open_audio(const Budget& budget) {
    if (!input_.audio()) input_.fail(AVERROR_STREAM_NOT_FOUND, "no sound");
    audio_ = input_.open_decoder(*input_.audio());
    const auto [first, last] = request_.segment;
    double end = facts_ ? std::numeric_limits<double>::infinity() : index_.audio_end();
    if (last >= 0) end = std::min(end, last);
    sound_begin_ = index_.origin + first;
    sound_end_ = index_.origin + end;
    if (request_.sample_rate > 0 && index_.has_audio) {
      track_.emplace(sound_begin_, sound_end_, budget.audio_seconds);
    }
  }

  // Streams that nobody waits for are not even read.
  void discard_finished() {
    if (input_.video() && !video_) input_.video()->discard = AVDISCARD_ALL;
    if (input_.audio() && !audio_) input_.audio()->discard = AVDISCARD_ALL;
  }

  void require_targets() const {
    for (const Target& target : targets_) {
      if (!target.filled) {
        throw Unusable{FileStatus::kCorrupt, "frame " + std::to_string(target.rank) + " of " +
                                                 std::to_string(index_.frames()) +
                                                 " cannot be decoded"};
      }
    }
  }

  // ---- seeking ----------------------------------------------------------------------------------

  // With sound: to the last entry point before which none of it is stored, and none of which is
  // earlier than its time, since some demuxers leave that out.
  void seek_to_start() {
    if (facts_ || start_ != Start::kEntry || index_.entries.empty() || !input_.video()) return;
    const EntryPoint* const first = index_.entries.data();
    const EntryPoint* entry = spans_.empty() ? &index_.entries.back() : spans_.front().entry;
    if (audio_) {
      if (sound_goes_on(*input_.audio()->codecpar)) return;
      const double from = sound_begin_ - kPrerollSeconds;
      while (entry && (entry->seconds > from || entry->audio_before_until > from)) {
        entry = entry == first ? nullptr : entry - 1;
      }
    }
    if (entry) seek_to(*entry);
  }

  void seek_to(const EntryPoint& entry) {
    if (entry.packet <= position_) return;
    const int64_t time = entry.dts != AV_NOPTS_VALUE ? entry.dts : entry.pts;
    if (!input_.seek(*input_.video(), time)) throw LandedLate{};
    position_ = kSomewhere;
    seeked_ = true;
    awaited_ = &entry;
  }

  // Counts packets; after a seek from the one on that the index knows. False before it.
  bool locate(const AVPacket& packet) {
    if (position_ != kSomewhere) return true;
    const EntryPoint& entry = *awaited_;
    if (packet.dts == entry.dts && packet.pts == entry.pts && packet.size == entry.bytes) {
      position_ = entry.packet;
      return true;
    }
    if (packet.dts != AV_NOPTS_VALUE && entry.dts != AV_NOPTS_VALUE && packet.dts > entry.dts) {
      throw LandedLate{};
    }
    return false;
  }

  // ---- video ------------------------------------------------------------------------------------

  // What a packet, and the frame that comes out of it, are known by: the time, if that tells them
  // apart, else the packet's number.
  int64_t key_of(const AVPacket& packet) const {
    return index_.by_decoding ? position_ : packet.pts;
  }

  void on_video(AVPacket& packet) {
    if (!locate(packet)) return;
    const EntryPoint* entry = spans_[span_].entry;
    if (!feeding_) {
      if (entry && position_ != entry->packet) {
        ++position_;
        return;
      }
      feeding_ = true;
      unsent_ = index_.counted ? 0 : spans_[span_].end - spans_[span_].begin;
    } else {
      join_next_span();
    }
    const int64_t key = key_of(packet);
    ++position_;
    const bool shown = !(packet.flags & AV_PKT_FLAG_DISCARD);
    const bool wanted = index_.counted || (shown && find_target(key));
    // What no other frame refers to need not be decoded for itself. A frame may have two packets,
    // one for each field, where packets do not tell the frames.
    const bool skip = !wanted && !index_.by_decoding;
    video_->skip_frame = skip ? AVDISCARD_NONREF : AVDISCARD_DEFAULT;
    packet.pts = key;
    send(*video_, &packet);
    receive_pictures();
    if (wanted && !index_.counted) --unsent_;
    if (drains_early()) {
      if (wanted && unsent_ == 0) end_span();
    } else if (unsent_ == 0 && is_filled(spans_[span_])) {
      end_span();
    }
  }

  // What a decoder holds back need not wait for further packets, if these are known to give their
  // frames each.
  bool drains_early() const { return start_ == Start::kEntry && !index_.by_decoding; }

  bool is_filled(const Span& span) {
    while (first_unfilled_ < targets_.size() && targets_[first_unfilled_].filled) {
      ++first_unfilled_;
    }
    return first_unfilled_ >= span.end;
  }

  // Its entry point has come while frames that are shown before it have not: decoding goes on.
  void join_next_span() {
    if (span_ + 1 == spans_.size() || !spans_[span_ + 1].entry) return;
    if (position_ < spans_[span_ + 1].entry->packet) return;
    unsent_ += spans_[span_ + 1].end - spans_[span_ + 1].begin;
    spans_[span_].end = spans_[span_ + 1].end;
    spans_.erase(spans_.begin() + static_cast<ptrdiff_t>(span_) + 1);
  }

  Target* find_target(int64_t key) {
    const auto found =
        std::lower_bound(by_key_.begin(), by_key_.end(), key,
                         [&](size_t i, int64_t value) { return targets_[i].key < value; });
    return found != by_key_.end() && targets_[*found].key == key ? &targets_[*found] : nullptr;
  }

  void receive_pictures() {
    while (receive(*video_)) {
      const int64_t key = index_.counted ? counted_++ : frame_->pts;
      if (Target* target = find_target(key)) fill(*target);
    }
  }

  void fill(Target& target) {
    if (target.filled) return;
    const size_t bytes = size_t(3) * request_.height * request_.width;
    const Orientation orientation{static_cast<int>(index_.rotation), index_.mirrored};
    if (!converters_.pictures.convert(*frame_, orientation, request_.height, request_.width,
                                      target.outs.front())) {
      throw Unusable{FileStatus::kCorrupt, "a picture format that cannot be converted"};
    }
    for (size_t i = 1; i < target.outs.size(); ++i) {
      std::memcpy(target.outs[i], target.outs.front(), bytes);
    }
    target.filled = true;
  }

  // All packets of the span are in: what the decoder holds back comes out without further ones.
  void end_span() {
    if (drains_early()) {
      video_->skip_frame = AVDISCARD_DEFAULT;
      send(*video_, nullptr);
      receive_pictures();
    }
    if (++span_ == spans_.size()) return stop_video();
    avcodec_flush_buffers(video_.get());
    feeding_ = false;
    if (start_ == Start::kEntry && !audio_ && spans_[span_].entry) seek_to(*spans_[span_].entry);
  }

  // At the file's end.
  void finish_video() {
    if (position_ == kSomewhere) throw LandedLate{};
    video_->skip_frame = AVDISCARD_DEFAULT;
    send(*video_, nullptr);
    facts_ ? receive_all_pictures() : receive_pictures();
    stop_video();
  }

  void stop_video() {
    video_.reset();
    discard_finished();
  }

  // ---- decoding everything ----------------------------------------------------------------------

  void examine_video(AVPacket& packet) {
    const auto number = static_cast<int64_t>(facts_->pts.size());
    facts_->pts.push_back(packet.pts);
    facts_->dts.push_back(packet.dts);
    // A recording may begin between two key frames.
    anchored_ = anchored_ || packet.flags & AV_PKT_FLAG_KEY;
    if (packet.flags & AV_PKT_FLAG_CORRUPT) note_damage(number);
    if (packet.size == 0) return;
    packet.pts = number;
    sent_ = number;
    send(*video_, &packet);
    receive_all_pictures();
  }

  void receive_all_pictures() {
    while (receive(*video_)) {
      const auto packets = static_cast<int64_t>(facts_->pts.size());
      const bool known = frame_->pts >= 0 && frame_->pts < packets;
      const int64_t number = known ? frame_->pts : Facts::kUnknown;
      const auto rank = static_cast<int64_t>(facts_->shown.size());
      facts_->shown.push_back(number);
      if (rank < index_.frames() && next_target_ < targets_.size() &&
          targets_[next_target_].rank == rank) {
        fill(targets_[next_target_++]);
      }
    }
  }

  void note_damage(int64_t number) {
    if (facts_ && anchored_) facts_->damaged_video.insert(number);
  }

  // ---- sound ------------------------------------------------------------------------------------

  double seconds_of(const AVPacket& packet) const {
    const AVStream& stream = *input_.audio();
    if (packet.duration > 0) return static_cast<double>(packet.duration) * av_q2d(stream.time_base);
    const int samples = av_get_audio_frame_duration2(stream.codecpar, packet.size);
    return samples > 0 ? static_cast<double>(samples) / stream.codecpar->sample_rate : 0;
  }

  void on_audio(const AVPacket& packet) {
    if (facts_) {
      if (packet.flags & AV_PKT_FLAG_CORRUPT) facts_->damaged_audio.insert(facts_->audio_packets);
      ++facts_->audio_packets;
    } else if (!is_due(packet)) {
      return;
    }
    if (packet.size == 0) return;
    send(*audio_, &packet);
    receive_sound();
  }

  // False if the packet's sound is not needed; ends the track behind the wanted part.
  bool is_due(const AVPacket& packet) {
    if (packet.pts == AV_NOPTS_VALUE) return audio_begun_ || !seeked_;
    const double begin = static_cast<double>(packet.pts) * av_q2d(input_.audio()->time_base);
    if (begin >= sound_end_) {
      // One stray time does not end the track.
      if (++late_packets_ > kLatePackets) end_audio();
      return false;
    }
    late_packets_ = 0;
    const double from = sound_begin_ - kPrerollSeconds;
    if (seeked_ && !audio_begun_ &&
        begin > std::max(from, index_.origin + index_.audio_start) + kPrerollSeconds / 2) {
      throw LandedLate{};
    }
    audio_begun_ = true;
    return begin + seconds_of(packet) >= from || sound_goes_on(*input_.audio()->codecpar);
  }

  void receive_sound() {
    while (receive(*audio_)) {
      piece_.samples.clear();
      converters_.sounds.downmix(*frame_, piece_.samples);
      piece_.rate = frame_->sample_rate;
      piece_.begin.reset();
      if (frame_->pts != AV_NOPTS_VALUE) {
        piece_.begin = static_cast<double>(frame_->pts) * av_q2d(input_.audio()->time_base);
      }
      if (facts_) facts_->sound.add(piece_);
      if (track_) track_->add(piece_);
    }
  }

  void end_audio() {
    send(*audio_, nullptr);
    receive_sound();
    audio_.reset();
    discard_finished();
  }

  // ---- decoders ---------------------------------------------------------------------------------

  bool is_video(const AVCodecContext& decoder) const { return &decoder == video_.get(); }

  const char* name_of(const AVCodecContext& decoder) const {
    return is_video(decoder) ? "picture" : "sound";
  }

  // Damage that the index knows of is passed over, as FFmpeg does; so are frames before the first
  // that can be decoded.
  bool is_tolerated(const AVCodecContext& decoder) const {
    if (facts_) return true;
    return is_video(decoder) ? index_.by_decoding : index_.damaged_audio_packets > 0;
  }

  void on_damage(const AVCodecContext& decoder, int64_t packet, int code, const char* what) {
    if (!is_tolerated(decoder)) {
      if (code < 0) input_.fail(code, std::string(what) + " the " + name_of(decoder));
      throw Unusable{FileStatus::kCorrupt, std::string("the ") + name_of(decoder) + " is damaged"};
    }
    if (!facts_) return;
    if (is_video(decoder)) {
      note_damage(packet);
    } else {
      facts_->damaged_audio.insert(facts_->audio_packets - 1);
    }
  }

  void send(AVCodecContext& decoder, const AVPacket* packet) {
    input_.deadline().check();
    if (packet && packet->flags & AV_PKT_FLAG_CORRUPT && !is_tolerated(decoder)) {
      throw Unusable{FileStatus::kCorrupt,
                     std::string("a packet of the ") + name_of(decoder) + " is damaged"};
    }
    const int result = avcodec_send_packet(&decoder, packet);
    if (result < 0 && result != AVERROR_EOF) on_damage(decoder, sent_, result, "decoding");
  }

  // False when the decoder wants more input.
  bool receive(AVCodecContext& decoder) {
    while (true) {
      const int result = avcodec_receive_frame(&decoder, frame_.get());
      if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return false;
      if (result < 0) {
        on_damage(decoder, sent_, result, "decoding");
        if (++failures_ > kMostFailures) return false;
        continue;
      }
      if (frame_->decode_error_flags || frame_->flags & AV_FRAME_FLAG_CORRUPT) {
        on_damage(decoder, frame_->pts, 0, "");
      }
      return true;
    }
  }

  static constexpr int64_t kSomewhere = -1;
  static constexpr int kLatePackets = 8;
  static constexpr int64_t kMostFailures = 1'000'000;  // a decoder must not keep us for ever

  Input input_;
  const VideoIndex& index_;
  const DecodeRequest& request_;
  Converters& converters_;
  const Start start_;
  Facts* const facts_;
  std::vector<Target> targets_;  // by rank
  std::vector<Span> spans_;
  std::vector<size_t> by_key_;     // targets, by key
  CodecContextPtr video_, audio_;  // null once done with
  std::optional<SoundTrack> track_;
  SoundPiece piece_;
  FramePtr frame_{av_frame_alloc()};
  double sound_begin_ = 0, sound_end_ = 0;  // seconds on the file's clock
  size_t span_ = 0;
  size_t unsent_ = 0;                    // packets of targets of this span
  bool feeding_ = false;                 // the span's entry has been seen
  int64_t position_ = 0;                 // number of the next video packet, or kSomewhere
  const EntryPoint* awaited_ = nullptr;  // after a seek
  bool seeked_ = false, audio_begun_ = false;
  int64_t counted_ = 0;    // frames that came out, if they are counted
  int64_t sent_ = 0;       // number of the video packet sent last
  bool anchored_ = false;  // a key frame has come
  size_t next_target_ = 0;
  int64_t failures_ = 0;
  int late_packets_ = 0;       // of the sound, in a row, behind what is wanted
  size_t first_unfilled_ = 0;  // of the targets
};

}  // namespace

Interval sound_extent(const VideoIndex& index, const Facts& facts) {
  Interval extent{facts.sound.begin(), facts.sound.end()};
  if (index.container.starts_with("mov,")) {
    extent.begin = std::max(extent.begin, index.origin + index.audio_start);
    extent.end = std::min(extent.end, index.origin + index.audio_end());
  }
  return extent;
}

std::vector<float> decode(const Source& source, const VideoIndex& index,
                          const DecodeRequest& request, Converters& converters, Start start) {
  return Pass(source, index, request, converters, start, nullptr).run();
}

std::vector<float> decode_all(const Source& source, const VideoIndex& index,
                              const DecodeRequest& request, Converters& converters, Facts& facts) {
  return Pass(source, index, request, converters, Start::kFirstPacket, &facts).run();
}

}  // namespace avbench
