#include "synth/dataset.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/fields.h"
#include "media/mp4_writer.h"
#include "synth/render.h"

namespace avbench::synth {
namespace {

namespace fs = std::filesystem;

constexpr std::array kAllSplits{SynthSplit::kTrain, SynthSplit::kVal, SynthSplit::kTest};
constexpr const char* kDescription = "dataset.json";
constexpr const char* kBegun = ".begun.json";  // the description while files are missing

struct Job {
  SynthSplit split;
  int64_t index;
};

std::vector<Job> all_jobs(const SynthOptions& options) {
  std::vector<Job> jobs;
  for (SynthSplit split : kAllSplits) {
    const int64_t count = options.files[static_cast<size_t>(split)];
    for (int64_t index = 0; index < count; ++index) jobs.push_back({split, index});
  }
  return jobs;
}

fs::path path_of(const SynthOptions& options, const Job& job) {
  return synth_file(job.split, static_cast<int>(job.index % options.classes), job.index);
}

// The options that differ between two descriptions, as "seed 1 (asked for 2)".
std::string differences(const io::Json& found, const io::Json& wanted) {
  std::string text;
  for (const auto& [key, value] : wanted.items()) {
    if (found.contains(key) && found[key] == value) continue;
    const std::string got = found.contains(key) ? found[key].dump() : "missing";
    text += fmt::format("{}{} {} (asked for {})", text.empty() ? "" : ", ", key, got, value.dump());
  }
  return text;
}

// Throws unless `folder` was written with the same options.
void check_description(const fs::path& folder, const fs::path& file, const io::Json& wanted) {
  const io::Json found = io::Json::parse(io::read_file(file), nullptr, false);
  if (found == wanted) return;
  const std::string other = found.is_object() ? differences(found, wanted) : "no JSON object";
  throw io::UserError(fmt::format(
      "{}: holds another synthetic data set: {}. Give another folder, or remove this one.",
      folder.string(), other));
}

bool is_empty_or_missing(const fs::path& folder) {
  return !fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder));
}

void render_all(const fs::path& folder, const SynthOptions& options, const std::vector<Job>& jobs,
                int threads, const std::function<void(int64_t, int64_t)>& progress) {
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  int64_t done = 0;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (size_t i = next++; i < jobs.size(); i = next++) {
        write_synth_file(folder / path_of(options, jobs[i]), options,
                         make_scene(options, jobs[i].split, jobs[i].index));
        const std::lock_guard lock(mutex);
        progress(++done, static_cast<int64_t>(jobs.size()));
      }
    } catch (...) {
      next = jobs.size();
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> pool;
    for (int i = 1; i < threads; ++i) pool.emplace_back(work);
    work();
  }
  if (failure) std::rethrow_exception(failure);
}

std::string manifest(const SynthOptions& options) {
  std::string text = "path,label,split,video,audio\n";
  for (const Job& job : all_jobs(options)) {
    const Scene scene = make_scene(options, job.split, job.index);
    text += fmt::format("{},{},{},{},{}\n", path_of(options, job).generic_string(),
                        synth_class_name(scene.label), name_of(job.split),
                        scene.video.hidden ? "hidden" : "shown",
                        scene.audio.masked ? "masked" : "heard");
  }
  return text;
}

}  // namespace

void check_synth_options(const SynthOptions& o) {
  const auto refuse = [](const std::string& what) {
    throw io::UserError("synthetic data set: " + what);
  };
  if (o.classes < 2 || o.classes > kMaxSynthClasses) {
    refuse(fmt::format("got {} classes, expected 2 to {}", o.classes, kMaxSynthClasses));
  }
  for (SynthSplit split : kAllSplits) {
    const int64_t count = o.files[static_cast<size_t>(split)];
    if (count < o.classes) {
      refuse(fmt::format("got {} files for '{}', expected at least one a class ({})", count,
                         name_of(split), o.classes));
    }
  }
  if (std::min(o.width, o.height) < 16 || std::max(o.width, o.height) > 1024 || o.width % 2 ||
      o.height % 2) {
    refuse(fmt::format("got a size of {}x{}, expected even numbers from 16 to 1024", o.width,
                       o.height));
  }
  if (!(o.seconds >= 0.25 && o.seconds <= 60)) {
    refuse(fmt::format("got {} seconds, expected 0.25 to 60", o.seconds));
  }
  if (o.fps < 1 || o.fps > 60)
    refuse(fmt::format("got {} frames a second, expected 1 to 60", o.fps));
}

io::Json describe_synth(const SynthOptions& options) {
  static_assert(io::field_count<SynthOptions>() == 8,
                "an option that is not below lets another data set pass for this one");
  io::Json names = io::Json::array();
  for (int label = 0; label < options.classes; ++label) names.push_back(synth_class_name(label));
  return {{"kind", "avbench synthetic data set"},
          {"version", kSynthVersion},
          {"classes", names},
          {"train", options.files[0]},
          {"val", options.files[1]},
          {"test", options.files[2]},
          {"seed", options.seed},
          {"width", options.width},
          {"height", options.height},
          {"seconds", options.seconds},
          {"fps", options.fps},
          {"shuffle_pairs", options.shuffle_pairs}};
}

fs::path synth_file(SynthSplit split, int label, int64_t index) {
  return fs::path(name_of(split)) / synth_class_name(label) / fmt::format("{:06}.mp4", index);
}

void write_synth_file(const fs::path& path, const SynthOptions& options, const Scene& scene) {
  media::Mp4Options mp4;
  mp4.width = options.width;
  mp4.height = options.height;
  mp4.fps = {options.fps, 1};
  mp4.crf = 27;
  mp4.sample_rate = kSynthSampleRate;
  media::Mp4Writer writer(path, mp4);
  const std::vector<uint8_t> frames = render_frames(options, scene);
  const size_t frame_bytes = frames.size() / static_cast<size_t>(frame_count(options));
  for (size_t begin = 0; begin < frames.size(); begin += frame_bytes) {
    writer.add_frame({frames.data() + begin, frame_bytes});
  }
  writer.add_audio(render_audio(options, scene));
  writer.finish();
}

SynthOutcome write_synth_dataset(const fs::path& folder, const SynthOptions& options, int threads,
                                 const std::function<void(int64_t, int64_t)>& progress) {
  check_synth_options(options);
  const io::Json description = describe_synth(options);
  const fs::path complete = folder / kDescription, begun = folder / kBegun;
  if (fs::exists(complete)) {
    check_description(folder, complete, description);
  } else if (fs::exists(begun)) {
    check_description(folder, begun, description);
  } else if (!is_empty_or_missing(folder)) {
    throw io::UserError(fmt::format(
        "{}: is not empty and holds no synthetic data set (no {}). Give a new or an empty folder.",
        folder.string(), kDescription));
  }

  std::vector<Job> missing = all_jobs(options);
  std::erase_if(missing,
                [&](const Job& job) { return fs::exists(folder / path_of(options, job)); });
  if (missing.empty() && fs::exists(complete)) return SynthOutcome::kAlreadyThere;

  for (SynthSplit split : kAllSplits) {
    for (int label = 0; label < options.classes; ++label) {
      fs::create_directories(folder / name_of(split) / synth_class_name(label));
    }
  }
  const std::string text = description.dump(2) + "\n";
  io::write_file_atomically(begun, text);
  render_all(folder, options, missing, threads, progress);
  io::write_file_atomically(folder / "manifest.csv", manifest(options));
  io::write_file_atomically(complete, text);
  fs::remove(begun);
  return SynthOutcome::kRendered;
}

}  // namespace avbench::synth
