// YAML text to Value, through yaml-cpp's events: marks, anchors and limits are all at hand there.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>
#include <map>
#include <sstream>

#include "config/value.h"
#include "io/error.h"
#include "io/json.h"
#include "io/strings.h"
#include "io/text_file.h"

namespace avbench::config {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxFileBytes = 4 << 20;
constexpr size_t kMaxNodes = 20'000;  // after aliases have been replaced by what they name
constexpr size_t kMaxTextBytes = 16 << 20;

class TreeBuilder : public YAML::EventHandler {
 public:
  // `line_of` turns a line, counted from 1, into a Where.
  TreeBuilder(std::function<Where(int)> line_of, fs::path folder, int layer)
      : line_of_(std::move(line_of)), folder_(std::move(folder)), layer_(layer) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) refuse(mark, "a second document begins here, expected one a file");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(mark, Value::Kind::kNull), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    // yaml-cpp's marks for "no tag": "?" on plain text, "!" on quoted text.
    if (tag != "?" && tag != "!") refuse_tag(mark, tag);
    Value value = make(mark, Value::Kind::kScalar, text);
    value.quoted = tag == "!";
    add(std::move(value), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "the alias names something that contains it");
    charge_tree(found->second);
    add(found->second, YAML::NullAnchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::kList);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, Value::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Level {
    Value value;
    YAML::anchor_t anchor;
    bool has_key = false;  // kMap: the last of keys waits for its value
    Where key_where = {};
  };

  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& what) const {
    throw io::UserError(line_of_(mark.line + 1) + ": " + what);
  }
  [[noreturn]] void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    refuse(mark, "got the YAML tag '" + tag + "', expected none");
  }

  Value make(const YAML::Mark& mark, Value::Kind kind, const std::string& text = "") {
    Value value{.kind = kind,
                .where = line_of_(mark.line + 1),
                .folder = folder_,
                .layer = layer_,
                .text = text};
    charge(value.where, text.size());
    if (!io::is_utf8(text)) refuse(mark, "got text that is not UTF-8; save the file as UTF-8");
    return value;
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            Value::Kind kind) {
    if (tag != "?" && !tag.empty()) refuse_tag(mark, tag);
    levels_.push_back({make(mark, kind), anchor});
  }

  void close() {
    Level level = std::move(levels_.back());
    levels_.pop_back();
    add(std::move(level.value), level.anchor);
  }

  void add(Value value, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) {
      charge_tree(value);
      anchors_[anchor] = value;
    }
    if (levels_.empty()) {
      root_ = std::move(value);
    } else if (levels_.back().value.kind == Value::Kind::kList) {
      levels_.back().value.children.push_back(std::move(value));
    } else {
      add_to_map(levels_.back(), std::move(value));
    }
  }

  static void add_to_map(Level& level, Value value) {
    if (level.has_key) {
      value.where = level.key_where;
      level.value.children.push_back(std::move(value));
      level.has_key = false;
      return;
    }
    if (value.kind != Value::Kind::kScalar) {
      throw io::UserError(value.where + ": got " + value.describe() + " as a key, expected a word");
    }
    const auto& keys = level.value.keys;
    const auto same = std::find(keys.begin(), keys.end(), value.text);
    if (same != keys.end()) {
      throw io::UserError(value.where + ": the key '" + value.text + "' was given already at " +
                          level.value.children[static_cast<size_t>(same - keys.begin())].where);
    }
    level.value.keys.push_back(value.text);
    level.key_where = value.where;
    level.has_key = true;
  }

  // Every node is charged as it begins, and again whenever an anchor or an alias copies it.
  void charge(const Where& where, size_t text_bytes) {
    text_bytes_ += text_bytes;
    if (++nodes_ > kMaxNodes || text_bytes_ > kMaxTextBytes) {
      throw io::UserError(where + ": too large: more than " + std::to_string(kMaxNodes) +
                          " values or " + std::to_string(kMaxTextBytes >> 20) +
                          " MiB of text, with every alias counted as what it names");
    }
  }
  void charge_tree(const Value& value) {
    charge(value.where, value.text.size());
    for (const std::string& key : value.keys) charge(value.where, key.size());
    for (const Value& child : value.children) charge_tree(child);
  }

  std::function<Where(int)> line_of_;
  fs::path folder_;
  int layer_;
  Value root_;
  int documents_ = 0;
  std::vector<Level> levels_;
  std::map<YAML::anchor_t, Value> anchors_;
  size_t nodes_ = 0, text_bytes_ = 0;
};

Value parse(const std::string& text, const std::function<Where(int)>& line_of,
            const fs::path& folder, int layer) {
  TreeBuilder builder(line_of, folder, layer);
  std::istringstream stream(text);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    const std::string column =
        error.mark.is_null() ? "" : ":" + std::to_string(error.mark.column + 1);
    throw io::UserError(line_of(error.mark.line + 1) + column + ": not valid YAML: " + error.msg);
  }
  return builder.take();
}

std::string read_capped(const fs::path& path) {
  std::error_code unknown;
  const auto size = fs::file_size(path, unknown);
  if (!unknown && size > kMaxFileBytes) {
    throw io::UserError(path.string() + ": got " + std::to_string(size) +
                        " bytes, expected a configuration of at most " +
                        std::to_string(kMaxFileBytes >> 20) + " MiB");
  }
  return io::read_text_file(path);
}

// Takes the key `extends` out of a file's tree, or a row's.
std::vector<std::string> take_extends(Value& root) {
  const Value* value = root.find("extends");
  if (value == nullptr) return {};
  const std::vector<Value> items =
      value->kind == Value::Kind::kList ? value->children : std::vector<Value>{*value};
  std::vector<std::string> names;
  for (const Value& item : items) {
    if (item.kind != Value::Kind::kScalar || item.text.empty()) {
      throw io::UserError(item.where + ": extends: got " + item.describe() +
                          ", expected a path or a list of paths");
    }
    names.push_back(item.text);
  }
  const auto position = value - root.children.data();
  root.keys.erase(root.keys.begin() + position);
  root.children.erase(root.children.begin() + position);
  return names;
}

// `trees`: from the one that overrides all to the one that overrides none.
Value merged(std::vector<Value> trees) {
  Value result = std::move(trees.back());
  for (size_t i = trees.size() - 1; i-- > 0;) merge(result, std::move(trees[i]));
  return result;
}

Value load(const fs::path& path, std::vector<std::string> chain, int& layer);

// A row may extend files that hold keys of a row, as a file extends files.
void extend_rows(Value& root, const fs::path& folder, const std::vector<std::string>& chain,
                 int& layer) {
  Value* rows = root.find("rows");
  if (rows == nullptr) return;
  for (Value& row : rows->children) {
    const std::vector<std::string> extended = take_extends(row);
    std::vector<Value> trees{std::move(row)};
    for (size_t i = extended.size(); i-- > 0;) {
      trees.push_back(load(folder / extended[i], chain, layer));
    }
    row = merged(std::move(trees));
  }
}

// `chain`: the files that led here, each extending the next. `layer`: the lowest in use.
Value load(const fs::path& path, std::vector<std::string> chain, int& layer) {
  std::error_code unresolved;  // read_text_file() says what is wrong with such a path
  const std::string identity = fs::weakly_canonical(path, unresolved).string();
  const bool circle = !unresolved && std::find(chain.begin(), chain.end(), identity) != chain.end();
  chain.push_back(identity);
  if (circle)
    throw io::UserError("files extend each other in a circle: " + io::join(chain, " -> "));

  const auto line_of = [&](int line) { return path.string() + ":" + std::to_string(line); };
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  Value root = parse(read_capped(path), line_of, folder, --layer);
  if (root.kind != Value::Kind::kMap && root.kind != Value::Kind::kNull) {
    throw io::UserError(path.string() + ": got " + root.describe() + ", expected a map of keys");
  }
  extend_rows(root, folder, chain, layer);
  const std::vector<std::string> extended = take_extends(root);
  std::vector<Value> trees{std::move(root)};
  for (size_t i = extended.size(); i-- > 0;) {
    trees.push_back(load(folder / extended[i], chain, layer));
  }
  return merged(std::move(trees));
}

}  // namespace

Value load_yaml(const fs::path& path, const std::vector<fs::path>& overlays) {
  int layer = kSetLayer;
  std::vector<Value> trees;
  for (size_t i = overlays.size(); i-- > 0;) trees.push_back(load(overlays[i], {}, layer));
  trees.push_back(load(path, {}, layer));
  return merged(std::move(trees));
}

Value parse_yaml(const std::string& text, const Where& where) {
  return parse(
      text, [&](int) { return where; }, {}, kSetLayer);
}

}  // namespace avbench::config
