#include "media/reader.h"

#include <numeric>

#include "media/decode_pass.h"
#include "media/examine.h"
#include "media/file_bytes.h"

namespace avbench::media {
namespace {

// What the index was made with may be read: its formats, if they are none of the usual ones.
Formats formats_of(const VideoIndex& index) {
  const Formats usual;
  std::vector<std::string> more;
  const auto container = index.container.substr(0, index.container.find(','));
  if (!container.empty() && !usual.has_container(index.container)) more.push_back(container);
  for (const std::string& codec : {index.video_codec, index.audio_codec}) {
    if (!codec.empty() && !usual.has_codec(codec)) more.push_back(codec);
  }
  return Formats(more);
}

}  // namespace

class MediaReader::Impl {
 public:
  explicit Impl(const DecodeLimits& limits) : limits_(limits) {}

  Decoded read(const std::filesystem::path& path, const VideoIndex& index,
               const DecodeRequest& request) {
    Decoded decoded = begin(index, request);
    const Formats formats = formats_of(index);
    const Source source{path, limits_, formats};
    with_status([&] { decoded.audio = decode_somehow(source, index, request); }, decoded.status,
                decoded.message);
    return decoded;
  }

  Decoded examine(const std::filesystem::path& path, VideoIndex& index,
                  const DecodeRequest& request, bool& reindexed) {
    Decoded decoded = begin(index, request);
    const Formats formats = formats_of(index);
    const auto work = [&] {
      ExaminedFile done = examine_file({path, limits_, formats}, index, request, converters_);
      decoded.audio = std::move(done.audio);
      reindexed = done.reindexed;
    };
    with_status(work, index.status, index.message);
    if (index.status != FileStatus::kOk) {
      decoded.status = index.status;
      decoded.message = index.message;
    }
    return decoded;
  }

 private:
  static Decoded begin(const VideoIndex& index, const DecodeRequest& request) {
    if (request.sample_rate > 0 && !index.has_audio) return {FileStatus::kNoAudio, "no audio", {}};
    return {};
  }

  // Only what goes wrong from the first packet on is the file's fault.
  std::vector<float> decode_somehow(const Source& source, const VideoIndex& index,
                                    const DecodeRequest& request) {
    try {
      return decode(source, index, request, converters_, Start::kRandomAccess);
    } catch (const SeekOvershoot&) {
    } catch (const Unusable& unusable) {
      if (unusable.status != FileStatus::kCorrupt) throw;
    }
    return decode(source, index, request, converters_, Start::kFirstPacket);
  }

  DecodeLimits limits_;
  Converters converters_;
};

ClipRequest all_frames(const VideoIndex& index, uint8_t* out) {
  ClipRequest clip{std::vector<int64_t>(index.pts.size()), out};
  std::iota(clip.frame_indices.begin(), clip.frame_indices.end(), 0);
  return clip;
}

MediaReader::MediaReader(const DecodeLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
MediaReader::~MediaReader() = default;
Decoded MediaReader::read(const std::filesystem::path& path, const VideoIndex& index,
                          const DecodeRequest& request) {
  return impl_->read(path, index, request);
}
Decoded MediaReader::examine(const std::filesystem::path& path, VideoIndex& index,
                             const DecodeRequest& request, bool& reindexed) {
  return impl_->examine(path, index, request, reindexed);
}

}  // namespace avbench::media
