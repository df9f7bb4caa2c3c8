// The only place that includes FFmpeg: owning handles, and what differs between its versions.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavcodec/bsf.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libavutil/tx.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <stdexcept>
#include <string>

// FFmpeg 7 moved side data from the stream to its codec parameters.
#define AVBENCH_CODED_SIDE_DATA (LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 16, 100))
// FFmpeg 5.1 replaced channel masks by AVChannelLayout.
static_assert(LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 28, 100), "FFmpeg 5.1 or newer");

namespace avbench::media {

// Deleter for FFmpeg's `void free(T**)` functions.
template <auto kFree>
struct FreeByAddress {
  template <typename T>
  void operator()(T* object) const {
    kFree(&object);
  }
};
// Deleter for its `void free(T*)` functions.
template <auto kFree>
struct FreeByValue {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using CodecContextPtr = std::unique_ptr<AVCodecContext, FreeByAddress<avcodec_free_context>>;
using PacketPtr = std::unique_ptr<AVPacket, FreeByAddress<av_packet_free>>;
using FramePtr = std::unique_ptr<AVFrame, FreeByAddress<av_frame_free>>;
using SwsPtr = std::unique_ptr<SwsContext, FreeByValue<sws_freeContext>>;
using SwrPtr = std::unique_ptr<SwrContext, FreeByAddress<swr_free>>;
using TxPtr = std::unique_ptr<AVTXContext, FreeByAddress<av_tx_uninit>>;

struct CloseInput {
  void operator()(AVFormatContext* context) const { avformat_close_input(&context); }
};
using InputPtr = std::unique_ptr<AVFormatContext, CloseInput>;

struct CloseOutput {
  void operator()(AVFormatContext* context) const {
    avio_closep(&context->pb);
    avformat_free_context(context);
  }
};
using OutputPtr = std::unique_ptr<AVFormatContext, CloseOutput>;

struct FreeIo {  // the buffer may have been replaced by FFmpeg meanwhile
  void operator()(AVIOContext* context) const {
    av_freep(&context->buffer);
    avio_context_free(&context);
  }
};
using IoPtr = std::unique_ptr<AVIOContext, FreeIo>;

// FFmpeg's words for one of its negative results.
inline std::string av_message(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  return text;
}

// Passes non-negative results through, throws std::runtime_error on the others.
inline int check_av(int code, const std::string& what) {
  if (code < 0) throw std::runtime_error(what + ": " + av_message(code));
  return code;
}

// What FFmpeg would print is in our own messages and statuses.
inline void silence_ffmpeg() {
  static const bool done = (av_log_set_level(AV_LOG_QUIET), true);
  (void)done;
}

// The 3x3 display matrix of a stream, or null.
inline const int32_t* display_matrix(const AVStream* stream) {
#if AVBENCH_CODED_SIDE_DATA
  const AVPacketSideData* data =
      av_packet_side_data_get(stream->codecpar->coded_side_data,
                              stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  return data && data->size >= 36 ? reinterpret_cast<const int32_t*>(data->data) : nullptr;
#else
  size_t size = 0;
  const uint8_t* data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  return data && size >= 36 ? reinterpret_cast<const int32_t*>(data) : nullptr;
#endif
}

// A zeroed 3x3 display matrix that the muxer will write; throws std::runtime_error out of memory.
inline int32_t* add_display_matrix(AVStream* stream) {
#if AVBENCH_CODED_SIDE_DATA
  AVPacketSideData* data = av_packet_side_data_new(&stream->codecpar->coded_side_data,
                                                   &stream->codecpar->nb_coded_side_data,
                                                   AV_PKT_DATA_DISPLAYMATRIX, 36, 0);
  uint8_t* bytes = data ? data->data : nullptr;
#else
  uint8_t* bytes = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, 36);
#endif
  if (!bytes) throw std::runtime_error("out of memory");
  return reinterpret_cast<int32_t*>(bytes);
}

}  // namespace avbench::media
