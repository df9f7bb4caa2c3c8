#include "media/video_position.h"

#include "media/frame_plan.h"

namespace avbench::media {

bool VideoPosition::seek_to(const RandomAccessPoint& point) {
  if (point.packet <= number_) return false;
  const int64_t time = point.dts != AV_NOPTS_VALUE ? point.dts : point.pts;
  if (!input_.seek(*input_.video(), time)) throw SeekOvershoot{};
  number_ = kUnknown;
  awaited_ = &point;
  return true;
}

bool VideoPosition::locate(const AVPacket& packet) {
  if (known()) return true;
  const RandomAccessPoint& point = *awaited_;
  if (packet.dts == point.dts && packet.pts == point.pts && packet.size == point.bytes) {
    number_ = point.packet;
    return true;
  }
  if (packet.dts != AV_NOPTS_VALUE && point.dts != AV_NOPTS_VALUE && packet.dts > point.dts) {
    throw SeekOvershoot{};
  }
  return false;
}

}  // namespace avbench::media
