#include "media/cut_off.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace avbench::media {
namespace {

// One element of a container: where it begins and how many bytes it has, its head included.
struct Part {
  int64_t at, bytes;
};

[[noreturn]] void fail(const std::string& how) {
  throw Unusable{FileStatus::kCorrupt, "the file is cut off: " + how};
}

void require_inside(const FileBytes& file, Part part, int64_t slack = 0) {
  if (part.bytes - slack <= file.size() - part.at) return;
  fail("a part of " + std::to_string(part.bytes) + " bytes begins " +
       std::to_string(file.size() - part.at) + " bytes before the end");
}

uint64_t big_endian(const uint8_t* bytes, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

uint64_t little_endian(const uint8_t* bytes, int count) {
  uint64_t value = 0;
  for (int i = count - 1; i >= 0; --i) value = value << 8 | bytes[i];
  return value;
}

// So that sums of offsets cannot overflow.
int64_t limited(uint64_t bytes) {
  return static_cast<int64_t>(std::min<uint64_t>(bytes, uint64_t{1} << 62));
}

// Looks at the time now and then while a file is walked through.
class Pace {
 public:
  explicit Pace(const Deadline& deadline) : deadline_(deadline) {}
  void step() {
    if (++steps_ % 1024 == 0) deadline_.check();
  }

 private:
  const Deadline& deadline_;
  int64_t steps_ = 0;
};

// MP4's outermost boxes: 32-bit size (0: to the end, 1: 64 bits follow the type), type
// (ISO/IEC 14496-12, 4.2).
void check_boxes(const FileBytes& file, Pace pace) {
  constexpr std::string_view kKnown =
      "ftyp moov mdat moof mfra free skip wide uuid sidx styp meta pdin ";
  uint8_t head[16];
  for (int64_t at = 0; file.read_at(at, head, 8); pace.step()) {
    const std::string_view type(reinterpret_cast<const char*>(head + 4), 4);
    if (kKnown.find(std::string(type) + ' ') == std::string_view::npos) return;
    uint64_t size = big_endian(head, 4);
    if (size == 1 && file.read_at(at + 8, head + 8, 8)) size = big_endian(head + 8, 8);
    if (size < 8) return;
    require_inside(file, {at, limited(size)});
    at += limited(size);
  }
}

// ---- Matroska: EBML elements, each an id and a size (RFC 8794, 4) -------------------------------

struct Element {
  uint32_t id;
  int64_t content;              // where it begins
  std::optional<int64_t> size;  // of the content; nothing if the writer left it open
};

std::optional<Element> element_at(const FileBytes& file, int64_t at) {
  std::array<uint8_t, 12> head{};
  const auto available = std::min<int64_t>(head.size(), file.size() - at);
  if (available < 2 || !file.read_at(at, head.data(), available)) return std::nullopt;
  const auto length = [](uint8_t first) { return first ? __builtin_clz(first) - 23 : 9; };
  const int id_length = length(head[0]);
  if (id_length > 4 || id_length >= available) return std::nullopt;
  const int size_length = length(head[id_length]);
  if (size_length > 8 || id_length + size_length > available) return std::nullopt;
  const uint64_t mask = (uint64_t{1} << 7 * size_length) - 1;
  const uint64_t size = big_endian(&head[id_length], size_length) & mask;
  Element element{static_cast<uint32_t>(big_endian(head.data(), id_length)),
                  at + id_length + size_length, std::nullopt};
  if (size != mask) element.size = limited(size);
  return element;
}

// The outermost elements, and inside a segment of open size its children.
void check_elements(const FileBytes& file, Pace pace) {
  constexpr uint32_t kSegment = 0x18538067;
  constexpr std::array<uint32_t, 12> kKnown{kSegment,   0x1A45DFA3, 0x114D9B74, 0x1549A966,
                                            0x1654AE6B, 0x1F43B675, 0x1C53BB6B, 0x1254C367,
                                            0x1941A469, 0x1043A770, 0xEC,       0xBF};
  int64_t at = 0;
  for (; const auto element = element_at(file, at); pace.step()) {
    if (std::find(kKnown.begin(), kKnown.end(), element->id) == kKnown.end()) return;
    if (!element->size) {
      if (element->id != kSegment) return;  // a cluster of a live recording
      at = element->content;
      continue;
    }
    require_inside(file, {at, element->content - at + *element->size});
    at = element->content + *element->size;
  }
}

// ---- AVI: RIFF chunks of a four-letter name and a size, at even places --------------------------

// A file that was never finished has a size of 0, or the largest. Some writers count the head
// twice.
void check_riff(const FileBytes& file) {
  constexpr int64_t kHead = 8;
  uint8_t head[kHead];
  for (int64_t at = 0; file.read_at(at, head, kHead);) {
    if (std::memcmp(head, "RIFF", 4) != 0) return;
    const auto size = static_cast<int64_t>(little_endian(head + 4, 4));
    if (size == 0 || size == 0xFFFFFFFF) return;
    require_inside(file, {at, kHead + size}, kHead);
    at += kHead + size + size % 2;
  }
}

// ---- MPEG-TS: packets of 188 bytes, or with a time stamp or a checksum 192 or 204 ---------------

// Bytes may be lost in the middle: what counts is whether the last packets end with the file.
void check_transport_packets(const FileBytes& file) {
  constexpr uint8_t kSync = 0x47;
  constexpr int kPackets = 5;  // in a row, to be sure of the grid
  // The first sync byte of `kPackets` in the bytes, or -1.
  const auto find_grid = [&](std::span<const uint8_t> bytes, int packet) {
    for (int first = 0; first < packet; ++first) {
      int found = 0;
      while (found < kPackets && first + found * packet < static_cast<int>(bytes.size()) &&
             bytes[first + found * packet] == kSync) {
        ++found;
      }
      if (found == kPackets) return first;
    }
    return -1;
  };
  for (const int packet : {188, 192, 204}) {
    std::array<uint8_t, 204 * (kPackets + 1)> bytes{};
    const int64_t count = int64_t{packet} * (kPackets + 1);
    if (file.size() < 2 * count || !file.read_at(0, bytes.data(), count)) continue;
    if (find_grid(std::span(bytes).first(count), packet) < 0) continue;
    if (!file.read_at(file.size() - count, bytes.data(), count)) return;
    const int first = find_grid(std::span(bytes).first(count), packet);
    if (first < 0) return;  // too damaged to tell
    // A time stamp of four bytes stands before the sync byte of the long ones.
    const int64_t begin = packet == 192 ? first - 4 : first;
    const int64_t rest = (count - begin) % packet;
    if (rest) {
      fail("its last packet has " + std::to_string(rest) + " bytes of " + std::to_string(packet));
    }
    return;
  }
}

// FLV: a head of at least 9 bytes, then tags, each behind the size of the one before it: type, 24
// bits of size, 7 more bytes (Adobe Flash Video File Format 10.1, annex E).
void check_flv_tags(const FileBytes& file, Pace pace) {
  constexpr int64_t kBackward = 4, kHead = 11;
  uint8_t head[kHead];
  if (!file.read_at(0, head, 9)) return;
  int64_t at = static_cast<int64_t>(big_endian(head + 5, 4)) + kBackward;
  while (file.read_at(at, head, kHead)) {
    const Part tag{at, kHead + static_cast<int64_t>(big_endian(head + 1, 3)) + kBackward};
    require_inside(file, tag, kBackward);  // some writers leave the last size out
    at += tag.bytes;
    pace.step();
  }
  if (at + kBackward < file.size()) require_inside(file, {at, kHead});
}

// Ogg: pages of a head of 27 bytes, whose last counts the segments; a byte for the size of each,
// and the segments (RFC 3533, 6).
void check_ogg_pages(const FileBytes& file, Pace pace) {
  constexpr int64_t kHead = 27;
  uint8_t head[kHead], sizes[255];
  int64_t at = 0;
  while (file.read_at(at, head, kHead)) {
    if (std::memcmp(head, "OggS", 4) != 0) return;
    const int segments = head[kHead - 1];
    int64_t bytes = kHead + segments;
    require_inside(file, {at, bytes});
    if (!file.read_at(at + kHead, sizes, segments)) return;
    for (int i = 0; i < segments; ++i) bytes += sizes[i];
    require_inside(file, {at, bytes});
    at += bytes;
    pace.step();
  }
  if (at < file.size()) require_inside(file, {at, kHead});
}

// ASF: the head is an object with objects in it, each a GUID and 64 bits of size; the one of the
// file's properties tells the file's size, unless it was written while being sent (ASF
// specification 3.2).
void check_asf_size(const FileBytes& file) {
  constexpr std::array<uint8_t, 16> kProperties{0xA1, 0xDC, 0xAB, 0x8C, 0x47, 0xA9, 0xCF, 0x11,
                                                0x8E, 0xE4, 0x00, 0xC0, 0x0C, 0x20, 0x53, 0x65};
  constexpr int64_t kGuid = 16, kFileSize = 40, kFlags = 88, kNeeded = 92;
  uint8_t head[kNeeded];
  if (!file.read_at(0, head, kGuid + 8)) return;
  const int64_t end = limited(little_endian(head + kGuid, 8));
  require_inside(file, {0, end});
  for (int64_t at = 30; at + kNeeded <= end && file.read_at(at, head, kNeeded);) {
    if (std::equal(kProperties.begin(), kProperties.end(), head)) {
      const bool sent = head[kFlags] & 1;
      const int64_t size = limited(little_endian(head + kFileSize, 8));
      if (!sent) require_inside(file, {0, size});
      return;
    }
    const int64_t size = limited(little_endian(head + kGuid, 8));
    if (size < kGuid + 8) return;
    at += size;
  }
}

// MXF: a 16-byte key and a length in BER, short (one byte) or long (128 + bytes that follow)
// (SMPTE ST 336).
void check_klv(const FileBytes& file, Pace pace) {
  constexpr uint8_t kKey[4] = {0x06, 0x0E, 0x2B, 0x34};
  uint8_t head[25];
  for (int64_t at = 0; file.read_at(at, head, 17);) {
    if (std::memcmp(head, kKey, sizeof kKey) != 0) return;
    int64_t bytes = 17;
    if (const int more = head[16] & 127; head[16] & 128) {
      if (more > 8) return;
      require_inside(file, {at, bytes + more});
      if (!file.read_at(at + 17, head + 17, more)) return;
      bytes += more + limited(big_endian(head + 17, more));
    } else {
      bytes += more;
    }
    require_inside(file, {at, bytes});
    at += bytes;
    pace.step();
  }
}

}  // namespace

void require_whole(const FileBytes& file, const std::string& demuxer, const Deadline& deadline) {
  const auto is = [&](const char* name) { return demuxer.starts_with(name); };
  const Pace pace(deadline);
  if (is("mov,")) check_boxes(file, pace);
  if (is("matroska,")) check_elements(file, pace);
  if (is("avi")) check_riff(file);
  if (is("mpegts")) check_transport_packets(file);
  if (is("flv")) check_flv_tags(file, pace);
  if (is("ogg")) check_ogg_pages(file, pace);
  if (is("asf")) check_asf_size(file);
  if (is("mxf")) check_klv(file, pace);
}

}  // namespace avbench::media
