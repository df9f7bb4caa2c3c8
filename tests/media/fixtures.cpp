#include "media/fixtures.h"

#include <cmath>
#include <fstream>
#include <map>
#include <random>

#include "media/ffmpeg.h"

namespace avbench::test {

std::vector<uint8_t> numbered_frame(int number, int width, int height) {
  std::vector<uint8_t> rgb(size_t(3) * width * height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int bit = (y * 2 / height) * 4 + x * 4 / width;
      const int value = number >> bit & 1 ? 220 : 30;
      for (int c = 0; c < 3; ++c) rgb[3 * (y * width + x) + c] = static_cast<uint8_t>(value);
    }
  }
  return rgb;
}

int frame_number(std::span<const uint8_t> rgb, int width, int height) {
  int number = 0;
  for (int bit = 0; bit < 8; ++bit) {
    const int y = (bit / 4 * 2 + 1) * height / 4, x = (bit % 4 * 2 + 1) * width / 8;
    number |= (rgb[3 * (y * width + x) + 1] > 125) << bit;
  }
  return number;
}

media::Mp4Options plain_options() {
  media::Mp4Options options;
  options.width = kWidth;
  options.height = kHeight;
  options.preset = "fast";
  options.b_frames = 3;
  return options;
}

void write_numbered(const std::filesystem::path& path, const media::Mp4Options& options,
                    int frames) {
  media::Mp4Writer writer(path, options);
  const double seconds = static_cast<double>(frames) * options.fps.den / options.fps.num;
  const std::vector<float> audio =
      noise(static_cast<size_t>(std::lround(seconds * options.sample_rate)));
  for (int i = 0; i < frames; ++i) {
    writer.add_frame(numbered_frame(i, options.width, options.height));
  }
  if (options.sample_rate) writer.add_audio(audio);
  writer.finish();
}

std::vector<float> noise(size_t samples, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> wave(samples);
  float smooth = 0;  // low-passed, so that AAC keeps it
  for (float& value : wave) {
    smooth += 0.3f * (static_cast<float>(random() % 2001) / 1000 - 1 - smooth);
    value = smooth;
  }
  return wave;
}

std::vector<float> sine(size_t samples, double hertz, int rate) {
  std::vector<float> wave(samples);
  for (size_t i = 0; i < samples; ++i) {
    wave[i] = 0.5f * static_cast<float>(std::sin(2 * M_PI * hertz * static_cast<double>(i) / rate));
  }
  return wave;
}

std::vector<uint8_t> file_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const std::filesystem::path& path, std::span<const uint8_t> bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

Frames read_clip(media::MediaReader& reader, const std::filesystem::path& path,
                 const media::VideoIndex& index, const std::vector<int64_t>& frame_indices,
                 int width, int height) {
  Frames frames;
  frames.rgb.resize(frame_indices.size() * 3 * width * height);
  media::DecodeRequest request;
  request.clips.push_back({frame_indices, frames.rgb.data()});
  request.width = width;
  request.height = height;
  frames.decoded = reader.read(path, index, request);
  return frames;
}

namespace {

using FilterPtr = std::unique_ptr<AVBSFContext, media::FreeByAddress<av_bsf_free>>;

// AVI wants H.264 with start codes.
FilterPtr start_code_filter(const AVStream& stream) {
  AVBSFContext* made = nullptr;
  media::check_av(av_bsf_alloc(av_bsf_get_by_name("h264_mp4toannexb"), &made), "remux: filter");
  FilterPtr filter(made);
  media::check_av(avcodec_parameters_copy(made->par_in, stream.codecpar), "remux: filter");
  made->time_base_in = stream.time_base;
  media::check_av(av_bsf_init(made), "remux: filter");
  return filter;
}

}  // namespace

void remux(const std::filesystem::path& from, const std::filesystem::path& to,
           const std::string& format, double shift) {
  AVFormatContext* opened = nullptr;
  media::check_av(avformat_open_input(&opened, from.c_str(), nullptr, nullptr), "remux: input");
  const media::InputPtr in(opened);
  media::check_av(avformat_find_stream_info(opened, nullptr), "remux: input");
  AVFormatContext* made = nullptr;
  media::check_av(avformat_alloc_output_context2(&made, nullptr, format.c_str(), nullptr), "remux");
  const media::OutputPtr out(made);
  made->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
  const FilterPtr filter = format == "avi" ? start_code_filter(*in->streams[0]) : nullptr;
  for (unsigned i = 0; i < in->nb_streams; ++i) {
    AVStream* stream = avformat_new_stream(made, nullptr);
    const AVCodecParameters* codec = filter ? filter->par_out : in->streams[i]->codecpar;
    media::check_av(avcodec_parameters_copy(stream->codecpar, codec), "remux");
    stream->codecpar->codec_tag = 0;
    stream->time_base = in->streams[i]->time_base;
    stream->avg_frame_rate = in->streams[i]->avg_frame_rate;
  }
  media::check_av(avio_open(&made->pb, to.c_str(), AVIO_FLAG_WRITE), "remux: output");
  media::check_av(avformat_write_header(made, nullptr), "remux: header");
  const media::PacketPtr packet(av_packet_alloc());
  while (av_read_frame(in.get(), packet.get()) >= 0) {
    if (filter) {
      media::check_av(av_bsf_send_packet(filter.get(), packet.get()), "remux: filter");
      media::check_av(av_bsf_receive_packet(filter.get(), packet.get()), "remux: filter");
    }
    const AVStream& stream = *in->streams[packet->stream_index];
    const auto ticks = static_cast<int64_t>(std::llround(shift / av_q2d(stream.time_base)));
    packet->pts += ticks;
    packet->dts += ticks;
    packet->pos = -1;
    av_packet_rescale_ts(packet.get(), stream.time_base,
                         made->streams[packet->stream_index]->time_base);
    media::check_av(av_interleaved_write_frame(made, packet.get()), "remux: packet");
  }
  media::check_av(av_write_trailer(made), "remux: trailer");
}

void remux_with_lead(const std::filesystem::path& from, const std::filesystem::path& to,
                     const std::string& format, double lead) {
  AVFormatContext* opened = nullptr;
  media::check_av(avformat_open_input(&opened, from.c_str(), nullptr, nullptr), "remux: input");
  const media::InputPtr in(opened);
  media::check_av(avformat_find_stream_info(opened, nullptr), "remux: input");
  AVFormatContext* made = nullptr;
  media::check_av(avformat_alloc_output_context2(&made, nullptr, format.c_str(), nullptr), "remux");
  const media::OutputPtr out(made);
  for (unsigned i = 0; i < in->nb_streams; ++i) {
    AVStream* stream = avformat_new_stream(made, nullptr);
    media::check_av(avcodec_parameters_copy(stream->codecpar, in->streams[i]->codecpar), "remux");
    stream->codecpar->codec_tag = 0;
    stream->time_base = in->streams[i]->time_base;
  }
  media::check_av(avio_open(&made->pb, to.c_str(), AVIO_FLAG_WRITE), "remux: output");
  media::check_av(avformat_write_header(made, nullptr), "remux: header");
  std::multimap<double, media::PacketPtr> packets;
  for (media::PacketPtr packet(av_packet_alloc()); av_read_frame(in.get(), packet.get()) >= 0;
       packet.reset(av_packet_alloc())) {
    const AVStream& stream = *in->streams[packet->stream_index];
    const bool audio = stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
    const double seconds = static_cast<double>(packet->dts) * av_q2d(stream.time_base);
    packets.emplace(seconds - (audio ? lead : 0), std::move(packet));
  }
  for (const auto& [order, packet] : packets) {
    const AVStream& stream = *in->streams[packet->stream_index];
    packet->pos = -1;
    av_packet_rescale_ts(packet.get(), stream.time_base,
                         made->streams[packet->stream_index]->time_base);
    media::check_av(av_write_frame(made, packet.get()), "remux: packet");
  }
  media::check_av(av_write_trailer(made), "remux: trailer");
}

std::vector<Place> packet_places(const std::filesystem::path& path, bool video) {
  AVFormatContext* opened = nullptr;
  media::check_av(avformat_open_input(&opened, path.c_str(), nullptr, nullptr), "places");
  const media::InputPtr in(opened);
  media::check_av(avformat_find_stream_info(opened, nullptr), "places");
  const AVMediaType kind = video ? AVMEDIA_TYPE_VIDEO : AVMEDIA_TYPE_AUDIO;
  const media::PacketPtr packet(av_packet_alloc());
  std::vector<Place> places;
  while (av_read_frame(in.get(), packet.get()) >= 0) {
    if (in->streams[packet->stream_index]->codecpar->codec_type == kind && packet->pos >= 0) {
      places.push_back({packet->pos, packet->size});
    }
    av_packet_unref(packet.get());
  }
  return places;
}

void write_mjpeg(const std::filesystem::path& path, int frames) {
  const media::CodecContextPtr encoder(
      avcodec_alloc_context3(avcodec_find_encoder(AV_CODEC_ID_MJPEG)));
  encoder->width = kWidth;
  encoder->height = kHeight;
  encoder->pix_fmt = AV_PIX_FMT_YUVJ444P;
  encoder->time_base = {1, 25};
  encoder->qmin = encoder->qmax = 2;
  AVFormatContext* made = nullptr;
  media::check_av(avformat_alloc_output_context2(&made, nullptr, "matroska", nullptr), "mjpeg");
  const media::OutputPtr out(made);
  media::check_av(avcodec_open2(encoder.get(), nullptr, nullptr), "mjpeg");
  AVStream* stream = avformat_new_stream(made, nullptr);
  media::check_av(avcodec_parameters_from_context(stream->codecpar, encoder.get()), "mjpeg");
  stream->time_base = encoder->time_base;
  media::check_av(avio_open(&made->pb, path.c_str(), AVIO_FLAG_WRITE), "mjpeg");
  media::check_av(avformat_write_header(made, nullptr), "mjpeg");
  const media::FramePtr frame(av_frame_alloc());
  frame->format = encoder->pix_fmt;
  frame->width = kWidth;
  frame->height = kHeight;
  media::check_av(av_frame_get_buffer(frame.get(), 0), "mjpeg");
  const media::PacketPtr packet(av_packet_alloc());
  for (int i = 0; i < frames; ++i) {
    media::check_av(av_frame_make_writable(frame.get()), "mjpeg");
    const std::vector<uint8_t> rgb = numbered_frame(i);
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        frame->data[0][y * frame->linesize[0] + x] = rgb[3 * (y * kWidth + x)];
        frame->data[1][y * frame->linesize[1] + x] = 128;
        frame->data[2][y * frame->linesize[2] + x] = 128;
      }
    }
    frame->pts = i;
    media::check_av(avcodec_send_frame(encoder.get(), frame.get()), "mjpeg");
    while (avcodec_receive_packet(encoder.get(), packet.get()) >= 0) {
      av_packet_rescale_ts(packet.get(), encoder->time_base, stream->time_base);
      media::check_av(av_interleaved_write_frame(made, packet.get()), "mjpeg");
    }
  }
  media::check_av(av_write_trailer(made), "mjpeg");
}

std::vector<std::vector<uint8_t>> decode_luma(const std::filesystem::path& path) {
  AVFormatContext* opened = nullptr;
  media::check_av(avformat_open_input(&opened, path.c_str(), nullptr, nullptr), "twin");
  const media::InputPtr in(opened);
  media::check_av(avformat_find_stream_info(opened, nullptr), "twin");
  const int number = av_find_best_stream(opened, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  const AVStream& stream = *in->streams[media::check_av(number, "twin")];
  const media::CodecContextPtr decoder(
      avcodec_alloc_context3(avcodec_find_decoder(stream.codecpar->codec_id)));
  media::check_av(avcodec_parameters_to_context(decoder.get(), stream.codecpar), "twin");
  decoder->pkt_timebase = stream.time_base;
  media::check_av(avcodec_open2(decoder.get(), nullptr, nullptr), "twin");
  std::vector<std::vector<uint8_t>> frames;
  const media::FramePtr frame(av_frame_alloc());
  const media::PacketPtr packet(av_packet_alloc());
  const auto feed = [&](const AVPacket* data) {
    media::check_av(avcodec_send_packet(decoder.get(), data), "twin");
    while (avcodec_receive_frame(decoder.get(), frame.get()) >= 0) {
      std::vector<uint8_t>& luma = frames.emplace_back();
      for (int y = 0; y < frame->height; ++y) {
        const uint8_t* row = frame->data[0] + static_cast<ptrdiff_t>(y) * frame->linesize[0];
        luma.insert(luma.end(), row, row + frame->width);
      }
    }
  };
  while (av_read_frame(opened, packet.get()) >= 0) {
    if (packet->stream_index == number) feed(packet.get());
    av_packet_unref(packet.get());
  }
  feed(nullptr);
  return frames;
}

}  // namespace avbench::test
