#include "config/value.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "io/error.h"
#include "io/json.h"
#include "io/strings.h"
#include "io/suggest.h"

namespace avbench::config {
namespace {

constexpr size_t kMaxDepth = 200;  // of a key; a row's name may hold many dots

// The item of a list that the first of `names` (or several, joined: a row's name may hold dots)
// stands for, and how many of them that took. Null if there is none.
std::pair<Value*, size_t> find_item(Value& list, std::span<const std::string> names) {
  for (size_t count = names.size(); count > 0; --count) {
    const std::string wanted = io::join({names.begin(), names.begin() + count}, ".");
    for (Value& item : list.children) {
      const Value* name = item.find("name");
      if (name != nullptr && name->text == wanted) return {&item, count};
    }
  }
  size_t index = 0;
  const std::string& text = names.front();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  const bool valid = error == std::errc() && end == text.data() + text.size();
  if (!valid || index >= list.children.size()) return {nullptr, 0};
  return {&list.children[index], 1};
}

std::vector<std::string> names_of(const Value& list) {
  std::vector<std::string> names;
  for (size_t i = 0; i < list.children.size(); ++i) {
    const Value* name = list.children[i].find("name");
    names.push_back(name == nullptr ? std::to_string(i) : name->text);
  }
  return names;
}

[[noreturn]] void refuse_item(const Where& where, const std::string& name, const Value& list) {
  throw io::UserError(where + ": no item '" + name + "'" + io::did_you_mean(name, names_of(list)) +
                      "; known: " + io::join(names_of(list)));
}

bool has_named_items(const Value& value) {
  return value.kind == Value::Kind::kList && !value.children.empty() &&
         std::all_of(value.children.begin(), value.children.end(),
                     [](const Value& item) { return item.find("name") != nullptr; });
}

void merge_items(Value& list, Value overlay) {
  for (size_t i = 0; i < overlay.keys.size(); ++i) {
    Value* item = find_item(list, std::span(overlay.keys).subspan(i, 1)).first;
    if (item == nullptr) refuse_item(overlay.children[i].where, overlay.keys[i], list);
    merge(*item, std::move(overlay.children[i]));
  }
}

void set_at(Value& target, std::span<const std::string> keys, const Value& value) {
  if (keys.empty()) {
    merge(target, value);
    return;
  }
  if (target.kind == Value::Kind::kList) {
    const auto [item, used] = find_item(target, keys);
    if (item == nullptr) refuse_item(value.where, keys.front(), target);
    set_at(*item, keys.subspan(used), value);
    return;
  }
  if (target.kind == Value::Kind::kScalar) {
    throw io::UserError(value.where + ": '" + keys.front() + "' is below a value, " +
                        target.describe() + " of " + target.where + ", that has no keys");
  }
  target.kind = Value::Kind::kMap;
  if (target.find(keys.front()) == nullptr) {
    target.keys.push_back(keys.front());
    target.children.push_back({.where = value.where});
  }
  set_at(*target.find(keys.front()), keys.subspan(1), value);
}

}  // namespace

const Value* Value::find(const std::string& key) const {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? nullptr : &children[static_cast<size_t>(found - keys.begin())];
}

Value* Value::find(const std::string& key) {
  return const_cast<Value*>(std::as_const(*this).find(key));
}

std::string Value::describe() const {
  constexpr size_t kShown = 60;
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
      return "a map of keys";
    case Kind::kScalar:
      break;
  }
  const std::string shown = text.size() > kShown ? text.substr(0, kShown) + "..." : text;
  return (quoted ? "the quoted text '" : "'") + shown + "'";
}

void merge(Value& base, Value overlay) {
  if (overlay.kind == Value::Kind::kMap && has_named_items(base)) {
    merge_items(base, std::move(overlay));
    return;
  }
  if (base.kind != Value::Kind::kMap || overlay.kind != Value::Kind::kMap) {
    base = std::move(overlay);
    return;
  }
  for (size_t i = 0; i < overlay.keys.size(); ++i) {
    if (Value* known = base.find(overlay.keys[i])) {
      merge(*known, std::move(overlay.children[i]));
    } else {
      base.keys.push_back(std::move(overlay.keys[i]));
      base.children.push_back(std::move(overlay.children[i]));
    }
  }
  base.where = std::move(overlay.where);
}

void set(Value& root, const std::string& assignment) {
  const size_t equals = assignment.find('=');
  const std::string key = assignment.substr(0, equals);
  const std::vector<std::string> keys = io::split(key, '.');
  if (equals == std::string::npos || std::count(keys.begin(), keys.end(), "") > 0) {
    throw io::UserError("--set: got '" + assignment + "', expected key.path=value");
  }
  if (keys.size() > kMaxDepth) {
    throw io::UserError("--set: got a key of " + std::to_string(keys.size()) +
                        " parts, expected at most " + std::to_string(kMaxDepth));
  }
  if (!io::is_utf8(key)) throw io::UserError("--set: got a key that is not UTF-8");
  set_at(root, keys, parse_yaml(assignment.substr(equals + 1), "--set " + key));
}

const Value* find_path(const Value& root, const std::string& path) {
  const Value* value = &root;
  for (const std::string& key : io::split(path, '.')) {
    if (value != nullptr) value = value->find(key);
  }
  return value;
}

}  // namespace avbench::config
