#include "media/examine.h"

#include "media/settle.h"

namespace avbench::media {

ExaminedFile examine_file(const Source& source, VideoIndex& index, const DecodeRequest& request,
                          Converters& converters) {
  ExaminedFile result;
  Facts facts;
  const bool packets_tell = !index.by_decoding;
  result.audio = decode_all(source, index, request, converters, facts);
  if (!agrees(index, facts)) {
    result.reindexed = true;
    if (packets_tell) {
      // What packets said of the order was wrong too, perhaps: FFmpeg's probing finds it.
      index.by_decoding = true;
      facts = {};
      decode_all(source, index, {}, converters, facts);
    }
    settle_frames(facts, index);
  }
  settle_examination(facts, index);
  settle_status(source.limits, index);
  return result;
}

}  // namespace avbench::media
