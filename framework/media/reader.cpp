#include "media/reader.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <stdexcept>

#include "media/input.h"
#include "media/picture.h"
#include "media/sound.h"

namespace avbench {
namespace {

// Decoded before the wanted sound begins: overlapping windows need the packets before theirs.
constexpr double kPrerollSeconds = 0.2;
// How far sound may lie away, in the file, from the picture of the same time.
constexpr double kInterleaveSeconds = 1;

// The container's index led behind the entry point: the pass is repeated without seeking.
struct LandedLate {};

// One frame that somebody wants.
struct Target {
  int64_t rank, pts;
  std::vector<uint8_t*> outs;
  bool filled = false;
};

// Targets that are decoded from the same entry point.
struct Span {
  const EntryPoint* entry;  // null: from the first packet on
  size_t begin, end;        // of the targets
};

std::vector<Target> gather_targets(const VideoIndex& index, const DecodeRequest& request) {
  std::vector<std::pair<int64_t, uint8_t*>> wanted;
  const size_t bytes = size_t(3) * request.height * request.width;
  for (const ClipRequest& clip : request.clips) {
    if (!clip.ranks.empty() && (request.height <= 0 || request.width <= 0 || !clip.out)) {
      throw std::invalid_argument("DecodeRequest: frames are wanted, but no size or no buffer");
    }
    for (size_t i = 0; i < clip.ranks.size(); ++i) {
      wanted.emplace_back(clip.ranks[i], clip.out + i * bytes);
    }
  }
  std::sort(wanted.begin(), wanted.end());
  std::vector<Target> targets;
  for (const auto& [rank, out] : wanted) {
    if (targets.empty() || targets.back().rank != rank) {
      if (rank < 0 || rank >= index.frames()) {
        throw std::out_of_range("DecodeRequest: frame " + std::to_string(rank) + " of " +
                                std::to_string(index.frames()));
      }
      targets.push_back({rank, index.pts[rank], {}});
    }
    targets.back().outs.push_back(out);
  }
  return targets;
}

std::vector<Span> group_targets(const VideoIndex& index, const std::vector<Target>& targets) {
  std::vector<Span> spans;
  for (size_t i = 0; i < targets.size(); ++i) {
    const auto after =
        std::upper_bound(index.entries.begin(), index.entries.end(), targets[i].pts,
                         [](int64_t pts, const EntryPoint& entry) { return pts < entry.pts; });
    const EntryPoint* entry = after == index.entries.begin() ? nullptr : &*(after - 1);
    if (spans.empty() || spans.back().entry != entry) spans.push_back({entry, i, i});
    spans.back().end = i + 1;
  }
  return spans;
}

// One open and one pass over a file.
class Pass {
 public:
  Pass(const std::filesystem::path& path, const Budget& budget, const VideoIndex& index,
       const DecodeRequest& request, PictureConverter& pictures, SoundConverter& sounds,
       bool may_seek)
      : input_(path, budget, index.file_bytes),
        index_(index),
        request_(request),
        pictures_(pictures),
        may_seek_(may_seek && !index.sequential),
        targets_(gather_targets(index, request)),
        spans_(group_targets(index, targets_)) {
    if (!targets_.empty()) open_video();
    if (request.sample_rate > 0 && index.has_audio) open_audio(budget, sounds);
    discard_finished();
  }

  std::vector<float> run() {
    seek_to_start();
    while (video_ || audio_) {
      const AVPacket* packet = input_.next();
      if (!packet) break;
      if (video_ && packet->stream_index == input_.video()->index) {
        on_video(*packet);
      } else if (audio_ && packet->stream_index == input_.audio()->index) {
        on_audio(*packet);
      }
    }
    if (video_) end_span();
    if (audio_) end_audio();
    for (const Target& target : targets_) {
      if (!target.filled) {
        throw Unusable{FileStatus::kCorrupt, "frame " + std::to_string(target.rank) + " of " +
                                                 std::to_string(index_.frames()) +
                                                 " cannot be decoded"};
      }
    }
    return track_ ? track_->finish(request_.sample_rate) : std::vector<float>{};
  }

 private:
  void open_video() {
    if (!input_.video()) input_.fail(AVERROR_STREAM_NOT_FOUND, "no picture");
    // A decoder that knows how far frames are reordered needs no guess, which may drop the first.
    input_.video()->codecpar->video_delay = index_.reorder;
    video_ = input_.open_decoder(*input_.video());
  }

  void open_audio(const Budget& budget, SoundConverter& sounds) {
    if (!input_.audio()) input_.fail(AVERROR_STREAM_NOT_FOUND, "no sound");
    audio_ = input_.open_decoder(*input_.audio());
    const auto [first, last] = request_.segment;
    double end = index_.audio_start + index_.audio_duration;
    if (last >= 0) end = std::min(end, last);
    sound_begin_ = index_.origin + first;
    sound_end_ = index_.origin + end;
    track_.emplace(sounds, sound_begin_, sound_end_, budget.audio_seconds);
  }

  // Streams that nobody waits for are not even read.
  void discard_finished() {
    if (input_.video() && !video_) input_.video()->discard = AVDISCARD_ALL;
    if (input_.audio() && !audio_) input_.audio()->discard = AVDISCARD_ALL;
  }

  void seek_to_start() {
    if (!may_seek_) return;
    const EntryPoint* entry = spans_.empty() ? nullptr : spans_.front().entry;
    if (audio_) {
      const double from = sound_begin_ - kPrerollSeconds - kInterleaveSeconds;
      const double unit = static_cast<double>(index_.time_base_num) / index_.time_base_den;
      while (entry && static_cast<double>(entry->pts) * unit > from) {
        entry = entry == index_.entries.data() ? nullptr : entry - 1;
      }
      if (spans_.empty() && from > index_.origin) {
        const AVStream& audio = *input_.audio();
        input_.seek(audio, static_cast<int64_t>(from / av_q2d(audio.time_base)));
      }
    }
    seek_to(entry);
  }

  void seek_to(const EntryPoint* entry) {
    if (!entry || entry->packet <= position_) return;
    if (!input_.seek(*input_.video(), entry->dts)) throw LandedLate{};
    position_ = entry->packet;
  }

  void on_video(const AVPacket& packet) {
    const Span& span = spans_[span_];
    if (!feeding_) {
      const EntryPoint* entry = span.entry;
      if (entry && packet.pts != entry->pts) {
        if (may_seek_ && packet.dts != AV_NOPTS_VALUE && packet.dts > entry->dts) {
          throw LandedLate{};
        }
        return;
      }
      if (entry) position_ = entry->packet;
      feeding_ = true;
      unsent_ = span.end - span.begin;
    }
    ++position_;
    const bool wanted = index_.sequential || is_target(packet);
    // What no other frame refers to need not be decoded for itself.
    video_->skip_frame = wanted ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
    send(*video_, &packet, "picture");
    receive_pictures();
    if (!index_.sequential && wanted && --unsent_ == 0) end_span();
    if (index_.sequential && targets_.back().filled) stop_video();
  }

  bool is_target(const AVPacket& packet) const {
    if (packet.flags & AV_PKT_FLAG_DISCARD) return false;
    return find_target(packet.pts, spans_[span_]) != nullptr;
  }

  const Target* find_target(int64_t pts, const Span& span) const {
    const auto begin = targets_.begin() + static_cast<ptrdiff_t>(span.begin);
    const auto end = targets_.begin() + static_cast<ptrdiff_t>(span.end);
    const auto found = std::lower_bound(
        begin, end, pts, [](const Target& target, int64_t value) { return target.pts < value; });
    return found != end && found->pts == pts ? &*found : nullptr;
  }

  void send(AVCodecContext& decoder, const AVPacket* packet, const char* what) {
    input_.deadline().check();
    const int result = avcodec_send_packet(&decoder, packet);
    if (result < 0 && result != AVERROR_EOF) {
      input_.fail(result, std::string("decoding the ") + what);
    }
  }

  // False when the decoder wants more input.
  bool receive(AVCodecContext& decoder, const char* what) {
    const int result = avcodec_receive_frame(&decoder, frame_.get());
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return false;
    if (result < 0) input_.fail(result, std::string("decoding the ") + what);
    if (frame_->decode_error_flags || frame_->flags & AV_FRAME_FLAG_CORRUPT) {
      throw Unusable{FileStatus::kCorrupt, std::string("the ") + what + " is damaged"};
    }
    return true;
  }

  void receive_pictures() {
    while (receive(*video_, "picture")) {
      const int64_t pts = index_.sequential ? counted_++ : frame_->pts;
      auto* target = const_cast<Target*>(find_target(pts, spans_[span_]));
      if (!target || target->filled) continue;
      const size_t bytes = size_t(3) * request_.height * request_.width;
      if (!pictures_.convert(*frame_, {index_.rotation, index_.mirrored}, request_.height,
                             request_.width, target->outs.front())) {
        throw Unusable{FileStatus::kCorrupt, "a picture format that cannot be converted"};
      }
      for (size_t i = 1; i < target->outs.size(); ++i) {
        std::memcpy(target->outs[i], target->outs.front(), bytes);
      }
      target->filled = true;
    }
  }

  // All packets of the span are in: what the decoder holds back comes out without further ones.
  void end_span() {
    video_->skip_frame = AVDISCARD_DEFAULT;
    send(*video_, nullptr, "picture");
    receive_pictures();
    if (++span_ == spans_.size()) return stop_video();
    avcodec_flush_buffers(video_.get());
    feeding_ = false;
    if (may_seek_ && !audio_) seek_to(spans_[span_].entry);
  }

  void stop_video() {
    video_.reset();
    discard_finished();
  }

  void on_audio(const AVPacket& packet) {
    if (packet.pts != AV_NOPTS_VALUE) {
      const double unit = av_q2d(input_.audio()->time_base);
      const double begin = static_cast<double>(packet.pts) * unit;
      if (begin >= sound_end_) return end_audio();
      if (begin + static_cast<double>(packet.duration) * unit < sound_begin_ - kPrerollSeconds) {
        return;
      }
    }
    send(*audio_, &packet, "sound");
    receive_sound();
  }

  void receive_sound() {
    while (receive(*audio_, "sound")) track_->add(*frame_, input_.audio()->time_base);
  }

  void end_audio() {
    send(*audio_, nullptr, "sound");
    receive_sound();
    audio_.reset();
    discard_finished();
  }

  Input input_;
  const VideoIndex& index_;
  const DecodeRequest& request_;
  PictureConverter& pictures_;
  const bool may_seek_;
  std::vector<Target> targets_;  // by rank
  std::vector<Span> spans_;
  CodecContextPtr video_, audio_;  // null once done with
  std::optional<SoundTrack> track_;
  FramePtr frame_{av_frame_alloc()};
  double sound_begin_ = 0, sound_end_ = 0;  // seconds on the file's clock
  size_t span_ = 0;
  size_t unsent_ = 0;     // packets of targets of this span
  bool feeding_ = false;  // the span's entry has been seen
  int64_t position_ = 0;  // number of the next video packet, as far as known
  int64_t counted_ = 0;   // frames that came out, if they are counted
};

}  // namespace

class MediaReader::Impl {
 public:
  explicit Impl(const Budget& budget) : budget_(budget) {}

  Decoded read(const std::filesystem::path& path, const VideoIndex& index,
               const DecodeRequest& request) {
    Decoded decoded;
    if (request.sample_rate > 0 && !index.has_audio) {
      decoded.status = FileStatus::kNoAudio;
      decoded.message = "no sound";
    }
    try {
      try {
        decoded.sound = pass(path, index, request, true);
      } catch (const LandedLate&) {
        decoded.sound = pass(path, index, request, false);
      }
    } catch (const Unusable& unusable) {
      decoded.status = unusable.status;
      decoded.message = unusable.message;
    }
    return decoded;
  }

 private:
  std::vector<float> pass(const std::filesystem::path& path, const VideoIndex& index,
                          const DecodeRequest& request, bool may_seek) {
    return Pass(path, budget_, index, request, pictures_, sounds_, may_seek).run();
  }

  Budget budget_;
  PictureConverter pictures_;
  SoundConverter sounds_;
};

ClipRequest all_frames(const VideoIndex& index, uint8_t* out) {
  ClipRequest clip{std::vector<int64_t>(index.pts.size()), out};
  std::iota(clip.ranks.begin(), clip.ranks.end(), 0);
  return clip;
}

MediaReader::MediaReader(const Budget& budget) : impl_(std::make_unique<Impl>(budget)) {}
MediaReader::~MediaReader() = default;
Decoded MediaReader::read(const std::filesystem::path& path, const VideoIndex& index,
                          const DecodeRequest& request) {
  return impl_->read(path, index, request);
}

}  // namespace avbench
