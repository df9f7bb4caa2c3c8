#include "media/input.h"

#include <algorithm>
#include <cstring>

#include "media/cut_off.h"

namespace avbench::media {
namespace {

constexpr int kIoBytes = 1 << 16;

// A media file may name others: none is opened.
int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

bool complete(const AVCodecParameters& p) {
  if (p.codec_id == AV_CODEC_ID_NONE) return false;
  if (p.codec_type == AVMEDIA_TYPE_VIDEO) return p.width > 0 && p.height > 0;
  if (p.codec_type == AVMEDIA_TYPE_AUDIO) return p.sample_rate > 0 && p.ch_layout.nb_channels > 0;
  return true;
}

bool is_cover(const AVStream& stream) { return stream.disposition & AV_DISPOSITION_ATTACHED_PIC; }

}  // namespace

void Input::check_size(int64_t expected_bytes) const {
  const auto refuse = [](const std::string& what) { throw Unusable{FileStatus::kCorrupt, what}; };
  const std::string size = "the file has " + std::to_string(file_.size()) + " bytes";
  if (file_.size() == 0) refuse("the file is empty");
  if (file_.size() > limits_.file_bytes) {
    refuse(size + ", allowed are " + std::to_string(limits_.file_bytes));
  }
  if (expected_bytes >= 0 && file_.size() != expected_bytes) {
    throw Unusable{FileStatus::kUnreadable,
                   size + " and had " + std::to_string(expected_bytes) + " when it was indexed"};
  }
}

Input::Input(const std::filesystem::path& path, const DecodeLimits& limits, const Formats& formats,
             const Options& options)
    : limits_(limits),
      deadline_(options.seconds > 0 ? options.seconds : limits.seconds),
      file_(path),
      decoders_(formats.decoders()) {
  silence_ffmpeg();
  check_size(options.expected_bytes);
  open(formats, options.check_whole);
  choose_streams(options);
  require_codec(video_, formats);
  require_codec(audio_, formats);
}

void Input::open(const Formats& formats, bool check_whole) {
  io_.reset(avio_alloc_context(static_cast<uint8_t*>(av_malloc(kIoBytes)), kIoBytes, 0, &file_,
                               FileBytes::read, nullptr, FileBytes::seek));
  AVFormatContext* format = avformat_alloc_context();
  if (!io_ || !format) throw std::runtime_error("out of memory");
  format_.reset(format);
  const AVInputFormat* demuxer = nullptr;
  const int score = av_probe_input_buffer2(io_.get(), &demuxer, "", nullptr, 0,
                                           static_cast<unsigned>(limits_.probe_bytes));
  if (score < 0 || !demuxer) fail(AVERROR_INVALIDDATA, "no media file that can be read");
  if (!formats.has_container(demuxer->name)) {
    // A low score is a guess that many a text gets.
    if (score <= AVPROBE_SCORE_RETRY) {
      fail(AVERROR_INVALIDDATA, "no media file that can be read");
    }
    throw Unusable{FileStatus::kUnsupported,
                   std::string("format ") + demuxer->name + " (" + demuxer->long_name +
                       ") is not supported: allowed are " + formats.containers()};
  }
  if (check_whole) require_whole(file_, demuxer->name, deadline_);
  format->pb = io_.get();
  format->flags |= AVFMT_FLAG_CUSTOM_IO;
  format->interrupt_callback = {&Input::interrupted, this};
  format->io_open = refuse_to_open;
  format->max_streams = limits_.streams;
  format->probesize = limits_.probe_bytes;
  format->codec_whitelist = av_strdup(decoders_.c_str());
  format = format_.release();  // which is freed when opening fails
  const int result = avformat_open_input(&format, "", demuxer, nullptr);
  if (result < 0) fail(result, "no media file that can be read");
  format_.reset(format);
}

// Null if there is none. A cover image is no video.
AVStream* Input::stream_of(AVMediaType kind, int64_t number) const {
  AVStream** const begin = format_->streams;
  AVStream** const end = begin + format_->nb_streams;
  if (number >= 0 && number < end - begin && begin[number]->codecpar->codec_type == kind) {
    return begin[number];
  }
  const int best = av_find_best_stream(format_.get(), kind, -1, -1, nullptr, 0);
  if (best < 0) return nullptr;
  if (!is_cover(*begin[best])) return begin[best];
  AVStream** const real = std::find_if(begin, end, [&](const AVStream* stream) {
    return stream->codecpar->codec_type == kind && !is_cover(*stream);
  });
  return real == end ? nullptr : *real;
}

void Input::choose_streams(const Options& options) {
  const auto all_complete = [&] {
    return format_->nb_streams > 0 && !(format_->ctx_flags & AVFMTCTX_NOHEADER) &&
           std::all_of(format_->streams, format_->streams + format_->nb_streams,
                       [](const AVStream* s) { return complete(*s->codecpar); });
  };
  if (options.probe || !all_complete()) {
    const int result = avformat_find_stream_info(format_.get(), nullptr);
    if (result < 0) fail(result, "streams cannot be recognised");
  }
  video_ = stream_of(AVMEDIA_TYPE_VIDEO, options.video_stream);
  audio_ = stream_of(AVMEDIA_TYPE_AUDIO, options.audio_stream);
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* stream = format_->streams[i];
    if (stream != video_ && stream != audio_) stream->discard = AVDISCARD_ALL;
  }
}

void Input::require_codec(const AVStream* stream, const Formats& formats) const {
  if (!stream) return;
  const AVCodecParameters& codec = *stream->codecpar;
  const char* name = avcodec_get_name(codec.codec_id);
  if (codec.codec_id != AV_CODEC_ID_NONE && formats.has_codec(name)) return;
  const bool video = codec.codec_type == AVMEDIA_TYPE_VIDEO;
  char tag[AV_FOURCC_MAX_STRING_SIZE];
  throw Unusable{FileStatus::kUnsupported,
                 std::string(video ? "video" : "audio") + " codec " +
                     (codec.codec_id == AV_CODEC_ID_NONE
                          ? std::string("'") + av_fourcc_make_string(tag, codec.codec_tag) + "'"
                          : name) +
                     " is not supported: allowed are " + formats.codecs(video)};
}

AVPacket* Input::next() {
  av_packet_unref(packet_.get());
  if (++packets_ > limits_.packets) {
    throw Unusable{FileStatus::kCorrupt,
                   "more than " + std::to_string(limits_.packets) + " packets"};
  }
  const int result = av_read_frame(format_.get(), packet_.get());
  if (file_.shrank()) fail(AVERROR(EIO), "the file shrank while it was read");
  if (result == AVERROR_EOF) {
    if (io_->error < 0 && io_->error != AVERROR_EOF) fail(io_->error, "reading");
    return nullptr;
  }
  if (result < 0) fail(result, "reading packet " + std::to_string(packets_));
  if (packets_ % 64 == 0) deadline_.check();
  return packet_.get();
}

bool Input::seek(const AVStream& stream, int64_t dts) {
  return av_seek_frame(format_.get(), stream.index, dts, AVSEEK_FLAG_BACKWARD) >= 0;
}

CodecContextPtr Input::open_decoder(const AVStream& stream) const {
  const AVCodec* codec = avcodec_find_decoder(stream.codecpar->codec_id);
  const char* name = avcodec_get_name(stream.codecpar->codec_id);
  if (!codec) fail(AVERROR_DECODER_NOT_FOUND, name);
  CodecContextPtr decoder(avcodec_alloc_context3(codec));
  if (!decoder) throw std::runtime_error("out of memory");
  int result = avcodec_parameters_to_context(decoder.get(), stream.codecpar);
  if (result < 0) fail(result, name);
  decoder->pkt_timebase = stream.time_base;
  decoder->thread_count = 1;
  decoder->max_pixels = limits_.pixels;
  decoder->codec_whitelist = av_strdup(decoders_.c_str());
  result = avcodec_open2(decoder.get(), codec, nullptr);
  if (result < 0) fail(result, std::string("cannot decode ") + name);
  return decoder;
}

void Input::fail(int code, const std::string& what) const {
  deadline_.check();
  // A disk, or an installation, may be better another time.
  FileStatus status = FileStatus::kCorrupt;
  if (code == AVERROR(EIO) || code == AVERROR(ESTALE)) status = FileStatus::kUnreadable;
  if (code == AVERROR_DECODER_NOT_FOUND) status = FileStatus::kUnsupported;
  throw Unusable{status, what + ": " + av_message(code)};
}

int Input::interrupted(void* self) { return static_cast<Input*>(self)->deadline_.passed(); }

}  // namespace avbench::media
