#include "data/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <system_error>
#include <tuple>

#include "data/class_name.h"
#include "data/csv_reader.h"
#include "io/error.h"
#include "io/json.h"
#include "io/strings.h"
#include "io/suggest.h"
#include "io/text_file.h"

namespace avbench::data {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kSplitNames{"train", "val", "test"};

// Published lists call the validation split by three names.
std::optional<Split> split_of(const std::string& name) {
  if (name == "validation" || name == "validate") return Split::kVal;
  for (const Split split : kSplits) {
    if (to_string(split) == name) return split;
  }
  return std::nullopt;
}

// Ids and labels stand in JSON and in tables.
void require_utf8(const std::string& text, const std::string& where) {
  if (io::is_utf8(text)) return;
  throw io::UserError(fmt::format(
      "{}: the name '{}' is not UTF-8. Rename it, or convert the manifest.", where, text));
}

// ---- folder -------------------------------------------------------------------------------------

// In lower case: of Windows, macOS, Linux and file servers. Hidden ones need not be named.
constexpr std::string_view kLeftBehind[] = {"thumbs.db",
                                            "ehthumbs.db",
                                            "ehthumbs_vista.db",
                                            "desktop.ini",
                                            "$recycle.bin",
                                            "recycler",
                                            "system volume information",
                                            "icon\r",
                                            "__macosx",
                                            "lost+found",
                                            "network trash folder",
                                            "temporary items",
                                            "@eadir",
                                            "@tmp",
                                            "#recycle",
                                            "#snapshot",
                                            "@recycle",
                                            "@recently-snapshot"};

// A whole class or split must not go missing in silence.
[[noreturn]] void refuse_folder(const fs::path& folder, const std::error_code& reason) {
  throw io::UserError(fmt::format(
      "{}: got '{}', expected a folder that can be read, so that none of its files goes missing. "
      "Repair it (permissions, where its link leads), or move it out of the data set.",
      folder.string(), reason.message()));
}

std::vector<fs::path> visible_entries(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!name.starts_with('.') && !is_left_behind(name)) entries.push_back(at->path());
  }
  if (error) refuse_folder(folder, error);
  std::sort(entries.begin(), entries.end());
  return entries;
}

// The type of what a link leads to; `error` says why it cannot be told.
fs::file_type type_of(const fs::path& path, std::error_code& error) {
  return fs::status(path, error).type();
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return type_of(path, error) == fs::file_type::directory;
}

void read_class_folder(const fs::path& source, const fs::path& folder, Split split,
                       std::vector<ManifestEntry>& items) {
  for (const fs::path& file : visible_entries(folder)) {
    if (is_folder(file)) {
      throw io::UserError(fmt::format(
          "{}: a folder inside a class folder; expected <split>/<class>/<file>. Move its files up, "
          "or describe the data set by a CSV manifest (path,label,split).",
          file.string()));
    }
    const std::string name = file.lexically_relative(source).generic_string();
    items.push_back({.id = name,
                     .file = name,
                     .path = file,
                     .label = folder.filename().string(),
                     .split = split});
    require_utf8(items.back().id, folder.string());
  }
}

void read_split_folder(const fs::path& source, const fs::path& folder, Split split,
                       std::vector<ManifestEntry>& items) {
  for (const fs::path& entry : visible_entries(folder)) {
    std::error_code error;
    const fs::file_type type = type_of(entry, error);
    if (error) refuse_folder(entry, error);
    if (type != fs::file_type::directory) {
      throw io::UserError(
          fmt::format("{}: a file without a class; expected {}/<class>/{}. Move it into a folder "
                      "named after its class.",
                      entry.string(), to_string(split), entry.filename().string()));
    }
    read_class_folder(source, entry, split, items);
  }
}

std::vector<ManifestEntry> read_folder(const fs::path& source) {
  std::vector<ManifestEntry> items;
  std::map<Split, fs::path> folders;
  for (const fs::path& entry : visible_entries(source)) {
    const std::string name = entry.filename().string();
    const auto split = split_of(name);
    std::error_code error;
    if (type_of(entry, error) != fs::file_type::directory) {
      if (!split) continue;  // a README, a licence
      refuse_folder(entry, error ? error : std::make_error_code(std::errc::not_a_directory));
    }
    if (!split) {
      throw io::UserError(fmt::format(
          "{}: '{}' is not a split{}. Below a data set's folder expected: train, val, test, each "
          "with <class>/<file>; hidden folders are passed over.",
          entry.string(), name, io::did_you_mean(name, kSplitNames)));
    }
    if (const auto [first, is_new] = folders.emplace(*split, entry); !is_new) {
      throw io::UserError(
          fmt::format("{} and {} are both the split '{}'. Put their files into one.",
                      first->second.string(), entry.string(), to_string(*split)));
    }
    read_split_folder(source, entry, *split, items);
  }
  if (items.empty()) {
    throw io::UserError(fmt::format(
        "{}: no files found; expected <split>/<class>/<file> with the splits train, val and test, "
        "for example train/singing/a.mp4.",
        source.string()));
  }
  return items;
}

// ---- CSV ----------------------------------------------------------------------------------------

class CsvManifest {
 public:
  explicit CsvManifest(const fs::path& file)
      : file_(file), records_(parse_csv(io::read_text_file(file), file.string())) {
    if (records_.size() < 2) {
      throw io::UserError(
          fmt::format("{}: no rows; expected a header such as path,label,split and a "
                      "row for each file.",
                      file.string()));
    }
    const auto& header = records_.front().fields;
    for (size_t i = 0; i < header.size(); ++i) {
      if (!columns_.emplace(header[i], i).second) {
        fail(records_.front(), fmt::format("the column '{}' is there twice", header[i]));
      }
    }
    for (const char* name : {"path", "label", "split"}) {
      if (!columns_.contains(name)) {
        fail(records_.front(), fmt::format("no column '{}'; got {}. The first line names the "
                                           "columns: path, label, split and optionally start, end",
                                           name, io::join(header)));
      }
    }
  }

  std::vector<ManifestEntry> items() {
    std::vector<ManifestEntry> items;
    std::map<std::pair<Split, std::string>, int64_t> lines;
    for (size_t i = 1; i < records_.size(); ++i) {
      items.push_back(item(records_[i]));
      const auto [first, is_new] =
          lines.emplace(std::pair(items.back().split, items.back().id), records_[i].line);
      if (!is_new) {
        fail(records_[i],
             fmt::format("'{}' is already on line {}", items.back().id, first->second));
      }
    }
    return items;
  }

 private:
  ManifestEntry item(const CsvRecord& record) const {
    const size_t expected = records_.front().fields.size();
    if (record.fields.size() != expected) {
      fail(record, fmt::format("got {} fields, the header has {}", record.fields.size(), expected));
    }
    ManifestEntry item;
    item.id = item.file = required(record, "path");
    item.path = file_.parent_path() / item.file;  // an absolute path stays as it is
    item.label = required(record, "label");
    for (const std::string& name : {item.id, item.label}) {
      require_utf8(name, fmt::format("{}:{}", file_.string(), record.line));
    }
    const std::string& split = required(record, "split");
    const auto known = split_of(split);
    if (!known) {
      fail(record, fmt::format("unknown split '{}'{}; known: {}", split,
                               io::did_you_mean(split, kSplitNames), io::join(kSplitNames)));
    }
    item.split = *known;
    add_segment(record, item);
    return item;
  }

  void add_segment(const CsvRecord& record, ManifestEntry& item) const {
    item.start = seconds(record, "start");
    item.end = seconds(record, "end");
    if (item.end && *item.end <= item.start.value_or(0)) {
      fail(record,
           fmt::format("end ({}) is not after start ({})", *item.end, item.start.value_or(0)));
    }
    if (item.start || item.end) {
      item.id += fmt::format("#{}-{}", field(record, "start"), field(record, "end"));
    }
  }

  // "" if there is no such column.
  const std::string& field(const CsvRecord& record, const std::string& column) const {
    static const std::string kNone;
    const auto found = columns_.find(column);
    return found == columns_.end() ? kNone : record.fields[found->second];
  }

  const std::string& required(const CsvRecord& record, const std::string& column) const {
    const std::string& text = field(record, column);
    if (text.empty()) fail(record, fmt::format("'{}' is empty", column));
    return text;
  }

  std::optional<double> seconds(const CsvRecord& record, const std::string& column) const {
    const std::string& text = field(record, column);
    if (text.empty()) return std::nullopt;
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value) ||
        value < 0) {
      fail(record, fmt::format("'{}' is '{}', expected seconds from the file's first frame, such "
                               "as 12.5",
                               column, text));
    }
    return value;
  }

  [[noreturn]] void fail(const CsvRecord& record, const std::string& what) const {
    throw io::UserError(fmt::format("{}:{}: {}.", file_.string(), record.line, what));
  }

  fs::path file_;
  std::vector<CsvRecord> records_;
  std::map<std::string, size_t> columns_;
};

}  // namespace

std::string_view to_string(Split split) { return kSplitNames[static_cast<size_t>(split)]; }

bool is_left_behind(const std::string& name) {
  std::string lower = name;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(std::begin(kLeftBehind), std::end(kLeftBehind), lower) != std::end(kLeftBehind);
}

std::vector<ManifestEntry> read_source(const fs::path& source) {
  std::error_code error;
  const fs::file_type type = type_of(source, error);
  if (error) {
    throw io::UserError(
        fmt::format("data set '{}' {}; expected a folder with <split>/<class>/<file>, or a CSV "
                    "manifest.",
                    source.string(),
                    type == fs::file_type::not_found ? "does not exist"
                                                     : "cannot be read: " + error.message()));
  }
  auto items = type == fs::file_type::directory ? read_folder(source) : CsvManifest(source).items();
  unite_spellings(items);
  std::sort(items.begin(), items.end(), [](const ManifestEntry& a, const ManifestEntry& b) {
    return std::tie(a.split, a.id) < std::tie(b.split, b.id);
  });
  return items;
}

std::vector<std::string> class_names(const std::vector<ManifestEntry>& items) {
  std::set<std::string> names;
  for (const ManifestEntry& item : items) names.insert(item.label);
  return {names.begin(), names.end()};
}

}  // namespace avbench::data
