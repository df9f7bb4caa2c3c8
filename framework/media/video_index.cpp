#include "media/video_index.h"

#include "media/examine.h"
#include "media/file_bytes.h"
#include "media/settle.h"
#include "media/survey.h"

namespace avbench::media {

double VideoIndex::time_of(int64_t frame_index) const {
  const double ticks = static_cast<double>(pts.at(frame_index)) - static_cast<double>(pts.front());
  return ticks * static_cast<double>(time_base_num) / static_cast<double>(time_base_den);
}

VideoIndex index_file(const std::filesystem::path& path, const DecodeLimits& limits,
                      const Formats& formats) {
  VideoIndex index;
  const Source source{path, limits, formats};
  const auto work = [&] {
    survey_file(source, index);
    if (index.by_decoding) {
      Converters converters;
      examine_file(source, index, {}, converters);
    } else {
      settle_status(limits, index);
    }
  };
  with_status(work, index.status, index.message);
  return index;
}

}  // namespace avbench::media
