#include "media/random_access.h"

#include <algorithm>
#include <span>

namespace avbench::media {
namespace {

using Bytes = std::span<const uint8_t>;

// Bytes of a NAL unit's length field, or 0 if units are separated by start codes instead
// (ISO/IEC 14496-15: avcC has it in byte 4, hvcC in byte 21; their first byte is 1, a start code's
// 0).
int length_bytes(const AVCodecParameters& codec) {
  const int at = codec.codec_id == AV_CODEC_ID_H264 ? 4 : 21;
  if (codec.extradata_size <= at || codec.extradata[0] != 1) return 0;
  return (codec.extradata[at] & 3) + 1;
}

// Calls `visit` with each unit's first byte until it returns true.
template <typename Visit>
bool any_unit(Bytes data, int length, Visit visit) {
  if (length == 0) {
    for (size_t i = 0; i + 3 < data.size(); ++i) {
      if (data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1 && visit(data[i + 3])) return true;
    }
    return false;
  }
  while (data.size() > static_cast<size_t>(length)) {
    size_t size = 0;
    for (int i = 0; i < length; ++i) size = size << 8 | data[i];
    if (visit(data[length])) return true;
    data = data.subspan(std::min(data.size(), length + size));
  }
  return false;
}

bool has_start_code(Bytes data, uint8_t first, uint8_t last) {
  return any_unit(data, 0, [&](uint8_t byte) { return byte >= first && byte <= last; });
}

// Old versions of x264 wrote a 4:4:4 that decoders read rightly only if they know the version,
// which stands in a message in the first packet alone.
bool needs_first_packet(const AVCodecParameters& codec) {
  const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(codec.format));
  const bool full_chroma =
      format && format->nb_components >= 3 && !format->log2_chroma_w && !format->log2_chroma_h;
  return full_chroma || codec.profile == FF_PROFILE_H264_HIGH_444_PREDICTIVE ||
         codec.profile == FF_PROFILE_H264_HIGH_444 || codec.profile == FF_PROFILE_H264_CAVLC_444;
}

bool is_intra_only(AVCodecID codec) {
  const AVCodecDescriptor* descriptor = avcodec_descriptor_get(codec);
  return descriptor && descriptor->props & AV_CODEC_PROP_INTRA_ONLY;
}

}  // namespace

bool is_random_access_point(const AVPacket& packet, const AVCodecParameters& codec) {
  if (!(packet.flags & AV_PKT_FLAG_KEY)) return false;
  const Bytes data(packet.data, packet.size);
  switch (codec.codec_id) {
    case AV_CODEC_ID_H264:  // nal_unit_type 5: IDR (Table 7-1)
      return !needs_first_packet(codec) &&
             any_unit(data, length_bytes(codec), [](uint8_t byte) { return (byte & 31) == 5; });
    case AV_CODEC_ID_HEVC:  // 16..21: BLA, IDR, CRA; the last has leading frames that need the past
      return any_unit(data, length_bytes(codec), [](uint8_t byte) {
        const int type = byte >> 1 & 63;
        return type >= 16 && type <= 21;
      });
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:  // with the sequence header that says how to decode
      return has_start_code(data, 0xB3, 0xB3);
    case AV_CODEC_ID_MPEG4:  // likewise, the video object layer
      return codec.extradata_size > 0 || has_start_code(data, 0x20, 0x2F);
    case AV_CODEC_ID_VP8:
    case AV_CODEC_ID_VP9:
    case AV_CODEC_ID_AV1:
    case AV_CODEC_ID_THEORA:
    case AV_CODEC_ID_H263:
    case AV_CODEC_ID_FLV1:
    case AV_CODEC_ID_VP6F:
    case AV_CODEC_ID_MSMPEG4V2:
    case AV_CODEC_ID_MSMPEG4V3:
    case AV_CODEC_ID_WMV1:
    case AV_CODEC_ID_WMV2:
    case AV_CODEC_ID_WMV3:
    case AV_CODEC_ID_VC1:
    case AV_CODEC_ID_FFV1:
      return true;
    default:  // not known well enough to rely on the flag
      return is_intra_only(codec.codec_id);
  }
}

// show_frame: bit 4 of the frame tag (RFC 6386, 9.1).
bool shows_frame(const AVPacket& packet, const AVCodecParameters& codec) {
  if (codec.codec_id != AV_CODEC_ID_VP8 || packet.size < 1) return true;
  return packet.data[0] >> 4 & 1;
}

bool needs_all_packets(const AVCodecParameters& codec) {
  return codec.codec_id == AV_CODEC_ID_PCM_DVD;
}

}  // namespace avbench::media
