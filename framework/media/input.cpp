#include "media/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/error.h"

namespace avbench {
namespace {

constexpr int kIoBytes = 1 << 16;
constexpr char kFormats[] = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,flv";
constexpr char kCodecs[] =
    "h264,hevc,mpeg4,msmpeg4v2,msmpeg4v3,mpeg1video,mpeg2video,flv,vp8,vp9,av1,libdav1d,mjpeg,"
    "aac,mp3,mp3float,mp2,mp2float,ac3,eac3,opus,vorbis,flac,alac,"
    "pcm_s16le,pcm_s16be,pcm_s24le,pcm_s32le,pcm_u8,pcm_f32le";

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

}  // namespace

Deadline::Deadline(double seconds)
    : end_(std::chrono::steady_clock::now() +
           std::chrono::duration_cast<std::chrono::steady_clock::duration>(
               std::chrono::duration<double>(seconds))),
      seconds_(seconds) {}

void Deadline::check() const {
  if (passed()) {
    throw Unusable{FileStatus::kTimeout, "not done after " + std::to_string(seconds_) + " seconds"};
  }
}

FileBytes::FileBytes(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat info {};
  if (descriptor_ < 0 || fstat(descriptor_, &info) != 0) {
    const int code = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    throw UserError("cannot open " + path.string() + ": " + std::strerror(code));
  }
  if (!S_ISREG(info.st_mode)) {
    ::close(descriptor_);
    throw UserError(path.string() + " is not a regular file; expected a video file");
  }
  size_ = info.st_size;
}

FileBytes::~FileBytes() { ::close(descriptor_); }

int FileBytes::read(void* self, uint8_t* out, int bytes) {
  FileBytes& file = *static_cast<FileBytes*>(self);
  const int64_t wanted = std::min<int64_t>(bytes, file.size_ - file.position_);
  if (wanted <= 0) return AVERROR_EOF;
  ssize_t got;
  do {
    got = ::pread(file.descriptor_, out, wanted, file.position_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return AVERROR(errno);
  if (got == 0) {
    file.shrank_ = true;
    return AVERROR(EIO);
  }
  file.position_ += got;
  return static_cast<int>(got);
}

int64_t FileBytes::seek(void* self, int64_t offset, int whence) {
  FileBytes& file = *static_cast<FileBytes*>(self);
  switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
      return file.size_;
    case SEEK_SET:
      break;
    case SEEK_CUR:
      offset += file.position_;
      break;
    case SEEK_END:
      offset += file.size_;
      break;
    default:
      return AVERROR(EINVAL);
  }
  if (offset < 0) return AVERROR(EINVAL);
  return file.position_ = offset;
}

bool FileBytes::read_at(int64_t offset, void* out, size_t bytes) const {
  return ::pread(descriptor_, out, bytes, offset) == static_cast<ssize_t>(bytes);
}

void Input::check_size(int64_t expected_bytes) const {
  const auto refuse = [](const std::string& what) { throw Unusable{FileStatus::kCorrupt, what}; };
  const std::string size = "the file has " + std::to_string(file_.size()) + " bytes";
  if (file_.size() == 0) refuse("the file is empty");
  if (file_.size() > budget_.file_bytes) {
    refuse(size + ", allowed are " + std::to_string(budget_.file_bytes));
  }
  if (expected_bytes >= 0 && file_.size() != expected_bytes) {
    refuse(size + " and had " + std::to_string(expected_bytes) + " when it was indexed");
  }
}

// FFmpeg takes an MP4 file whose end is missing for a shorter one where it can. The outermost boxes
// tell: 32-bit size (0: to the end, 1: 64 bits follow the type), type (ISO/IEC 14496-12, 4.2).
void Input::check_boxes() const {
  int64_t at = 0;
  uint8_t head[16];
  while (at + 8 <= file_.size() && file_.read_at(at, head, 8)) {
    uint64_t size = 0;
    for (int i = 0; i < 4; ++i) size = size << 8 | head[i];
    if (size == 1 && file_.read_at(at + 8, head + 8, 8)) {
      size = 0;
      for (int i = 8; i < 16; ++i) size = size << 8 | head[i];
    }
    if (size < 8) return;
    if (size > static_cast<uint64_t>(file_.size() - at)) {
      throw Unusable{FileStatus::kCorrupt,
                     "the file is cut off: a part of " + std::to_string(size) + " bytes begins " +
                         std::to_string(file_.size() - at) + " bytes before the end"};
    }
    at += static_cast<int64_t>(size);
  }
}

Input::Input(const std::filesystem::path& path, const Budget& budget, int64_t expected_bytes)
    : budget_(budget), deadline_(budget.seconds), file_(path) {
  silence_ffmpeg();
  check_size(expected_bytes);
  io_.reset(avio_alloc_context(static_cast<uint8_t*>(av_malloc(kIoBytes)), kIoBytes, 0, &file_,
                               FileBytes::read, nullptr, FileBytes::seek));
  AVFormatContext* format = avformat_alloc_context();
  if (!io_ || !format) throw std::runtime_error("out of memory");
  format->pb = io_.get();
  format->flags |= AVFMT_FLAG_CUSTOM_IO;
  format->interrupt_callback = {&Input::interrupted, this};
  format->io_open = refuse_to_open;
  format->max_streams = budget.streams;
  format->probesize = budget.probe_bytes;
  format->format_probesize = static_cast<int>(budget.probe_bytes);
  format->format_whitelist = av_strdup(kFormats);
  format->codec_whitelist = av_strdup(kCodecs);
  // Frees the context itself when it fails.
  const int result = avformat_open_input(&format, "", nullptr, nullptr);
  if (result < 0) fail(result, "no media file that can be read");
  format_.reset(format);
  if (std::strncmp(format->iformat->name, "mov,", 4) == 0) check_boxes();
  choose_streams();
}

void Input::choose_streams() {
  const auto streams = [&](AVMediaType kind) {
    const int i = av_find_best_stream(format_.get(), kind, -1, -1, nullptr, 0);
    return i < 0 ? nullptr : format_->streams[i];
  };
  const auto all_complete = [&] {
    return format_->nb_streams > 0 && !(format_->ctx_flags & AVFMTCTX_NOHEADER) &&
           std::all_of(format_->streams, format_->streams + format_->nb_streams,
                       [](const AVStream* s) { return complete(*s->codecpar); });
  };
  if (!all_complete()) {
    const int result = avformat_find_stream_info(format_.get(), nullptr);
    if (result < 0) fail(result, "streams cannot be recognised");
  }
  video_ = streams(AVMEDIA_TYPE_VIDEO);
  if (video_ && (video_->disposition & AV_DISPOSITION_ATTACHED_PIC)) video_ = nullptr;
  audio_ = streams(AVMEDIA_TYPE_AUDIO);
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    AVStream* stream = format_->streams[i];
    if (stream != video_ && stream != audio_) stream->discard = AVDISCARD_ALL;
  }
}

AVPacket* Input::next() {
  av_packet_unref(packet_.get());
  if (++packets_ > budget_.packets) {
    throw Unusable{FileStatus::kCorrupt,
                   "more than " + std::to_string(budget_.packets) + " packets"};
  }
  const int result = av_read_frame(format_.get(), packet_.get());
  if (file_.shrank()) fail(AVERROR(EIO), "the file shrank while it was read");
  if (result == AVERROR_EOF) {
    if (io_->error < 0 && io_->error != AVERROR_EOF) fail(io_->error, "reading");
    return nullptr;
  }
  if (result < 0) fail(result, "reading packet " + std::to_string(packets_));
  if (packet_->flags & AV_PKT_FLAG_CORRUPT) {
    throw Unusable{FileStatus::kCorrupt, "packet " + std::to_string(packets_) + " is damaged"};
  }
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
  decoder->max_pixels = budget_.pixels;
  decoder->codec_whitelist = av_strdup(kCodecs);
  result = avcodec_open2(decoder.get(), codec, nullptr);
  if (result < 0) fail(result, std::string("cannot decode ") + name);
  return decoder;
}

void Input::fail(int code, const std::string& what) const {
  deadline_.check();
  throw Unusable{FileStatus::kCorrupt, what + ": " + av_message(code)};
}

int Input::interrupted(void* self) { return static_cast<Input*>(self)->deadline_.passed(); }

}  // namespace avbench
