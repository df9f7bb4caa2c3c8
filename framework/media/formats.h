// Which containers and codecs are opened: those that data sets of the field come in. Every other
// reader of FFmpeg is code that nobody needs and a stranger's file could reach.
#pragma once

#include <string>
#include <vector>

namespace avbench::media {

// FFmpeg's names. A container's is one of those that its demuxer goes by, such as "mov" or "webm".
const std::vector<std::string>& allowed_containers();
const std::vector<std::string>& allowed_video_codecs();
const std::vector<std::string>& allowed_audio_codecs();

// The codecs above that no test reads, since no free encoder writes them.
const std::vector<std::string>& untested_codecs();

// The lists above, and `more` names of either kind.
class Formats {
 public:
  // Throws UserError on a name that FFmpeg has neither a demuxer nor a codec for.
  explicit Formats(const std::vector<std::string>& more = {});

  bool has_container(const std::string& demuxer) const;  // a name, or several: "mov,mp4,m4a"
  bool has_codec(const std::string& name) const;

  // "mov, mp4, ...": for a message that says what is allowed.
  std::string containers() const;
  std::string codecs(bool video) const;

  // Decoders of the codecs, as FFmpeg wants its lists of what is allowed.
  const std::string& decoders() const;

 private:
  std::vector<std::string> more_;
  std::string decoders_;  // if there are more
};

}  // namespace avbench::media
