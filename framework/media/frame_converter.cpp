#include "media/frame_converter.h"

namespace avbench::media {
namespace {

constexpr size_t kMostScalers = 16;  // data sets have few frame sizes; files may lie

// The matrix of a stream that does not say, by the usual rule of players.
int colour_matrix(const AVFrame& frame) {
  switch (frame.colorspace) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
      return SWS_CS_ITU601;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    default:
      return frame.height < 720 ? SWS_CS_ITU601 : SWS_CS_ITU709;
  }
}

bool full_range(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ411P:
      return true;
    default:
      return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

// Offset of the stored pixel that is shown at (y, x): first + y * down + x * right.
struct Walk {
  ptrdiff_t first, down, right;
};

Walk walk(Orientation o, int rows, int columns, ptrdiff_t stride) {
  // Row and column of the stored pixel as c + y * cy + x * cx.
  struct Line {
    int c, cy, cx;
  };
  Line row{}, column{};
  switch (o.rotation) {
    case 90:
      row = {rows - 1, 0, -1}, column = {0, 1, 0};
      break;
    case 180:
      row = {rows - 1, -1, 0}, column = {columns - 1, 0, -1};
      break;
    case 270:
      row = {0, 0, 1}, column = {columns - 1, -1, 0};
      break;
    default:
      row = {0, 1, 0}, column = {0, 0, 1};
  }
  if (o.mirrored) column = {columns - 1 - column.c, -column.cy, -column.cx};
  return {row.c * stride + column.c, row.cy * stride + column.cy, row.cx * stride + column.cx};
}

}  // namespace

// Bilinear with a support that grows with the reduction (as PIL's and torchvision's antialiased
// one): what lies between the sampled pixels counts too, so thin moving things don't flicker.
// Planar output has full chroma resolution and swscale's fast path.
SwsContext* FrameConverter::scaler(const Key& key) {
  const auto found = scalers_.find(key);
  if (found != scalers_.end()) return found->second.get();
  const auto [width, height, format, matrix, full, to_width, to_height] = key;
  SwsPtr made(sws_getContext(width, height, static_cast<AVPixelFormat>(format), to_width, to_height,
                             AV_PIX_FMT_GBRP, SWS_BILINEAR | SWS_ACCURATE_RND, nullptr, nullptr,
                             nullptr));
  if (!made) return nullptr;
  // Fails harmlessly where the source has no YUV matrix.
  sws_setColorspaceDetails(made.get(), sws_getCoefficients(matrix), full,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
  if (scalers_.size() == kMostScalers) scalers_.clear();
  return scalers_.emplace(key, std::move(made)).first->second.get();
}

bool FrameConverter::convert(const AVFrame& frame, Orientation orientation, int height, int width,
                             uint8_t* out) {
  const bool turned = orientation.rotation % 180 != 0;
  const int rows = turned ? width : height, columns = turned ? height : width;
  SwsContext* sws = scaler({frame.width, frame.height, frame.format, colour_matrix(frame),
                            full_range(frame), columns, rows});
  if (!sws) return false;
  // swscale writes whole vectors: rows are padded to 64 bytes, and one more row for the last.
  const int stride = (columns + 63) / 64 * 64 + 64;
  const size_t plane = static_cast<size_t>(stride) * (rows + 1);
  planes_.resize(3 * plane + 64);
  uint8_t* const base =
      planes_.data() + (64 - reinterpret_cast<uintptr_t>(planes_.data()) % 64) % 64;
  uint8_t* const planes[] = {base, base + plane, base + 2 * plane};
  const int strides[] = {stride, stride, stride};
  if (sws_scale(sws, frame.data, frame.linesize, 0, frame.height, planes, strides) != rows) {
    return false;
  }
  const Walk at = walk(orientation, rows, columns, stride);
  for (int y = 0; y < height; ++y) {
    const uint8_t* pixel = base + at.first + y * at.down;
    for (int x = 0; x < width; ++x, pixel += at.right, out += 3) {
      out[0] = pixel[2 * plane];
      out[1] = pixel[0];
      out[2] = pixel[plane];
    }
  }
  return true;
}

}  // namespace avbench::media
