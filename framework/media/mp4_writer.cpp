#include "media/mp4_writer.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "io/error.h"
#include "media/ffmpeg.h"

namespace avbench::media {
namespace {

void check_options(const Mp4Options& o, const std::string& path) {
  const auto refuse = [&](const std::string& what) { throw io::UserError(path + ": " + what); };
  const std::string size = std::to_string(o.width) + "x" + std::to_string(o.height);
  if (o.width < 0 || o.height < 0 || o.width % 2 || o.height % 2 || !o.width != !o.height) {
    refuse("got a frame of " + size + ", expected even, positive width and height");
  }
  if (!o.width && !o.sample_rate) refuse("neither video nor audio to write");
  if (o.width && (o.fps.num <= 0 || o.fps.den <= 0)) {
    refuse("got a frame rate of " + std::to_string(o.fps.num) + "/" + std::to_string(o.fps.den) +
           ", expected a positive one");
  }
  if (o.rotation % 90) {
    refuse("got a rotation of " + std::to_string(o.rotation) +
           " degrees, expected 0, 90, 180, 270");
  }
}

void set_option(void* object, const char* name, const std::string& value) {
  check_av(av_opt_set(object, name, value.c_str(), AV_OPT_SEARCH_CHILDREN),
           std::string("encoder option ") + name + "=" + value);
}

CodecContextPtr make_encoder(const char* name) {
  const AVCodec* codec = avcodec_find_encoder_by_name(name);
  if (!codec) throw std::runtime_error(std::string("this FFmpeg has no encoder ") + name);
  CodecContextPtr encoder(avcodec_alloc_context3(codec));
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
  return encoder;
}

CodecContextPtr open_video_encoder(const Mp4Options& o) {
  CodecContextPtr encoder = make_encoder("libx264");
  encoder->width = o.width;
  encoder->height = o.height;
  encoder->pix_fmt = AV_PIX_FMT_YUV420P;
  encoder->time_base = {o.fps.den, o.fps.num};
  encoder->framerate = {o.fps.num, o.fps.den};
  encoder->gop_size = o.gop;
  if (o.b_frames >= 0) encoder->max_b_frames = o.b_frames;
  encoder->colorspace = AVCOL_SPC_SMPTE170M;
  encoder->color_primaries = AVCOL_PRI_SMPTE170M;
  encoder->color_trc = AVCOL_TRC_SMPTE170M;
  encoder->color_range = AVCOL_RANGE_MPEG;
  set_option(encoder.get(), "preset", o.preset);
  set_option(encoder.get(), "crf", std::to_string(o.crf));
  check_av(avcodec_open2(encoder.get(), nullptr, nullptr), "opening the H.264 encoder");
  return encoder;
}

CodecContextPtr open_audio_encoder(const Mp4Options& o) {
  CodecContextPtr encoder = make_encoder("aac");
  encoder->sample_rate = o.sample_rate;
  encoder->ch_layout = AV_CHANNEL_LAYOUT_MONO;
  encoder->sample_fmt = AV_SAMPLE_FMT_FLTP;
  encoder->bit_rate = o.audio_bit_rate;
  encoder->time_base = {1, o.sample_rate};
  set_option(encoder.get(), "aac_coder", "fast");  // the other one takes most of a tiny file's time
  check_av(avcodec_open2(encoder.get(), nullptr, nullptr),
           "opening the AAC encoder at " + std::to_string(o.sample_rate) + " Hz");
  return encoder;
}

FramePtr make_frame(const AVCodecContext& encoder) {
  FramePtr frame(av_frame_alloc());
  if (encoder.width) {
    frame->format = encoder.pix_fmt;
    frame->width = encoder.width;
    frame->height = encoder.height;
    frame->colorspace = encoder.colorspace;
    frame->color_range = encoder.color_range;
  } else {
    frame->format = encoder.sample_fmt;
    frame->nb_samples = encoder.frame_size;
    frame->sample_rate = encoder.sample_rate;
    check_av(av_channel_layout_copy(&frame->ch_layout, &encoder.ch_layout), "channel layout");
  }
  check_av(av_frame_get_buffer(frame.get(), 0), "allocating a frame");
  return frame;
}

}  // namespace

class Mp4Writer::Impl {
 public:
  Impl(const std::filesystem::path& path, const Mp4Options& options)
      : path_(path), temporary_(path.string() + ".part"), options_(options) {
    silence_ffmpeg();
    check_options(options, path.string());
    const std::string url = "file:" + temporary_.string();
    AVFormatContext* output = nullptr;
    check_av(avformat_alloc_output_context2(&output, nullptr, "mp4", url.c_str()), path.string());
    output_.reset(output);
    output->flags |= AVFMT_FLAG_BITEXACT;
    output->max_interleave_delta = 0;  // wait for both streams, whatever the order of the calls
    if (options.width) open_video();
    if (options.sample_rate) open_audio();
    check_av(avio_open(&output->pb, url.c_str(), AVIO_FLAG_WRITE),
             "cannot write " + temporary_.string());
    AVDictionary* muxer_options = nullptr;
    if (options.index_first) av_dict_set(&muxer_options, "movflags", "faststart", 0);
    // Edit lists count in this unit: in milliseconds, the default, they would cut some samples off.
    if (options.sample_rate)
      av_dict_set_int(&muxer_options, "movie_timescale", options.sample_rate, 0);
    const int result = avformat_write_header(output, &muxer_options);
    av_dict_free(&muxer_options);
    check_av(result, "cannot write " + temporary_.string());
  }

  ~Impl() {
    if (!output_) return;
    output_.reset();
    std::error_code ignored;
    std::filesystem::remove(temporary_, ignored);
  }

  void add_frame(std::span<const uint8_t> rgb24, int ticks) {
    const size_t expected = size_t(3) * options_.width * options_.height;
    if (!frame_ || rgb24.size() != expected || ticks < 1) {
      throw std::invalid_argument("Mp4Writer::add_frame: got " + std::to_string(rgb24.size()) +
                                  " bytes, expected " + std::to_string(expected));
    }
    check_av(av_frame_make_writable(video_frame_.get()), "video frame");
    const uint8_t* rows[] = {rgb24.data()};
    const int strides[] = {3 * options_.width};
    sws_scale(to_yuv_.get(), rows, strides, 0, options_.height, video_frame_->data,
              video_frame_->linesize);
    video_frame_->pts = next_tick_;
    ticks_[next_tick_] = ticks;
    next_tick_ += ticks;
    encode(*frame_, video_frame_.get(), *video_stream_);
  }

  void add_audio(std::span<const float> mono) {
    if (!audio_) throw std::invalid_argument("Mp4Writer::add_audio: the file has no audio");
    pending_.insert(pending_.end(), mono.begin(), mono.end());
    const size_t step = audio_->frame_size;
    size_t used = 0;
    for (; pending_.size() - used >= step; used += step) {
      encode_audio({pending_.data() + used, step});
    }
    pending_.erase(pending_.begin(), pending_.begin() + used);
  }

  void finish() {
    if (frame_) encode(*frame_, nullptr, *video_stream_);
    if (audio_) {
      if (!pending_.empty()) encode_audio(pending_);
      encode(*audio_, nullptr, *audio_stream_);
    }
    check_av(av_write_trailer(output_.get()), "cannot finish " + temporary_.string());
    check_av(avio_closep(&output_->pb), "cannot finish " + temporary_.string());
    output_.reset();
    std::filesystem::rename(temporary_, path_);
  }

 private:
  AVStream* add_stream(const AVCodecContext& encoder) {
    AVStream* stream = avformat_new_stream(output_.get(), nullptr);
    if (!stream) throw std::runtime_error("out of memory");
    check_av(avcodec_parameters_from_context(stream->codecpar, &encoder), "stream parameters");
    stream->time_base = encoder.time_base;
    return stream;
  }

  void open_video() {
    frame_ = open_video_encoder(options_);
    video_frame_ = make_frame(*frame_);
    video_stream_ = add_stream(*frame_);
    video_stream_->avg_frame_rate = frame_->framerate;
    if (options_.rotation) {
      av_display_rotation_set(add_display_matrix(video_stream_), options_.rotation);
    }
    to_yuv_.reset(sws_getContext(options_.width, options_.height, AV_PIX_FMT_RGB24, options_.width,
                                 options_.height, AV_PIX_FMT_YUV420P,
                                 SWS_BILINEAR | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr,
                                 nullptr));
    if (!to_yuv_) throw std::runtime_error("no conversion from RGB to YUV");
  }

  void open_audio() {
    audio_ = open_audio_encoder(options_);
    audio_frame_ = make_frame(*audio_);
    audio_stream_ = add_stream(*audio_);
  }

  void encode_audio(std::span<const float> samples) {
    check_av(av_frame_make_writable(audio_frame_.get()), "audio frame");
    std::copy(samples.begin(), samples.end(), reinterpret_cast<float*>(audio_frame_->data[0]));
    audio_frame_->nb_samples = static_cast<int>(samples.size());
    audio_frame_->pts = next_sample_;
    next_sample_ += audio_frame_->nb_samples;
    encode(*audio_, audio_frame_.get(), *audio_stream_);
  }

  // frame null: drains the encoder.
  void encode(AVCodecContext& encoder, const AVFrame* frame, AVStream& stream) {
    check_av(avcodec_send_frame(&encoder, frame), "encoding " + path_.string());
    for (;;) {
      const int result = avcodec_receive_packet(&encoder, packet_.get());
      if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return;
      check_av(result, "encoding " + path_.string());
      if (&encoder == frame_.get()) {
        const auto shown = ticks_.extract(packet_->pts);
        packet_->duration = shown ? shown.mapped() : 1;
      }
      packet_->stream_index = stream.index;
      av_packet_rescale_ts(packet_.get(), encoder.time_base, stream.time_base);
      check_av(av_interleaved_write_frame(output_.get(), packet_.get()),
               "writing " + temporary_.string());
    }
  }

  std::filesystem::path path_, temporary_;
  Mp4Options options_;
  OutputPtr output_;  // null once finished
  CodecContextPtr frame_, audio_;
  AVStream *video_stream_ = nullptr, *audio_stream_ = nullptr;
  FramePtr video_frame_, audio_frame_;
  SwsPtr to_yuv_;
  PacketPtr packet_{av_packet_alloc()};
  std::map<int64_t, int> ticks_;  // by pts, of frames inside the encoder
  std::vector<float> pending_;    // samples short of a whole encoder frame
  int64_t next_tick_ = 0, next_sample_ = 0;
};

Mp4Writer::Mp4Writer(const std::filesystem::path& path, const Mp4Options& options)
    : impl_(std::make_unique<Impl>(path, options)) {}
Mp4Writer::~Mp4Writer() = default;
void Mp4Writer::add_frame(std::span<const uint8_t> rgb24, int ticks) {
  impl_->add_frame(rgb24, ticks);
}
void Mp4Writer::add_audio(std::span<const float> mono) { impl_->add_audio(mono); }
void Mp4Writer::finish() { impl_->finish(); }

}  // namespace avbench::media
