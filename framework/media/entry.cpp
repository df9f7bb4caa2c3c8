#include "media/entry.h"

#include <algorithm>
#include <span>

namespace avbench {
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

}  // namespace

bool is_entry(const AVPacket& packet, const AVCodecParameters& codec) {
  if (!(packet.flags & AV_PKT_FLAG_KEY)) return false;
  const Bytes data(packet.data, packet.size);
  switch (codec.codec_id) {
    case AV_CODEC_ID_H264:  // nal_unit_type 5: IDR (Table 7-1)
      return any_unit(data, length_bytes(codec), [](uint8_t byte) { return (byte & 31) == 5; });
    case AV_CODEC_ID_HEVC:  // 16..20: BLA and IDR; 21, CRA, has leading frames that need the past
      return any_unit(data, length_bytes(codec), [](uint8_t byte) {
        const int type = byte >> 1 & 63;
        return type >= 16 && type <= 20;
      });
    default:
      return true;
  }
}

}  // namespace avbench
