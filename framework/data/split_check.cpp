#include "data/split_check.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>

#include "io/error.h"

namespace avbench::data {
namespace {

namespace fs = std::filesystem;
using Members = std::vector<const SplitMember*>;

// Those of sizes that are found in two splits: no other file can be in two.
Members of_shared_sizes(const std::vector<SplitMember>& members) {
  std::map<int64_t, std::set<Split>> splits;
  for (const SplitMember& member : members) splits[member.bytes].insert(member.split);
  Members shared;
  for (const SplitMember& member : members) {
    if (splits[member.bytes].size() > 1) shared.push_back(&member);
  }
  return shared;
}

// Numbers files: equal for paths that lead to one.
class FileNumbers {
 public:
  size_t of(const fs::path& path) {
    const auto known = paths_.find(path.native());
    if (known != paths_.end()) return known->second;
    return paths_.emplace(path.native(), resolve(path)).first->second;
  }

 private:
  size_t resolve(const fs::path& path) {
    std::error_code unresolved;
    fs::path place = fs::weakly_canonical(path, unresolved);
    if (unresolved) place = path.lexically_normal();
    const auto known = places_.find(place.native());
    if (known != places_.end()) return known->second;
    struct stat status;
    size_t number = count_;
    // A hard link, or another mount of the same device.
    if (::stat(place.c_str(), &status) == 0 && status.st_ino != 0) {
      number = nodes_.emplace(std::pair(status.st_dev, status.st_ino), count_).first->second;
    }
    if (number == count_) ++count_;
    return places_.emplace(place.native(), number).first->second;
  }

  std::unordered_map<std::string, size_t> paths_, places_;
  std::map<std::pair<dev_t, ino_t>, size_t> nodes_;
  size_t count_ = 0;
};

double end_of(const SplitMember& member) {
  return member.segment.second < 0 ? std::numeric_limits<double>::infinity()
                                   : member.segment.second;
}

SplitPair in_order(const SplitMember& a, const SplitMember& b) {
  return std::tie(a.split, a.id) <= std::tie(b.split, b.id) ? SplitPair{a, b} : SplitPair{b, a};
}

// Takes the members of one file in the order of their begins, and adds the pairs that each makes
// with those before it that have not ended.
class Sweep {
 public:
  Sweep(Overlaps& overlaps, size_t shown) : overlaps_(overlaps), shown_(shown) {}

  void add(const SplitMember& member) {
    for (const Split split : kSplits) {
      auto& open = open_[static_cast<size_t>(split)];
      open.erase(open.begin(), open.upper_bound(member.segment.first));  // ended, or just touching
      if (split == member.split) continue;
      overlaps_.count += static_cast<int64_t>(open.size());
      for (const auto& [end, other] : open) {
        if (overlaps_.first.size() >= shown_) break;
        overlaps_.first.push_back(in_order(*other, member));
      }
    }
    open_[static_cast<size_t>(member.split)].emplace(end_of(member), &member);
  }

 private:
  Overlaps& overlaps_;
  size_t shown_;
  std::array<std::multimap<double, const SplitMember*>, 3> open_;  // by end
};

std::string seconds_text(const SplitMember& member) {
  const auto& [begin, end] = member.segment;
  if (end >= 0) return fmt::format("{}-{} s", begin, end);
  return begin > 0 ? fmt::format("from {} s", begin) : "whole";
}

std::string describe(const SplitMember& member) {
  return fmt::format("{} {} ({})", to_string(member.split), member.id, seconds_text(member));
}

std::string more(int64_t count, size_t shown) {
  const int64_t rest = count - static_cast<int64_t>(shown);
  return rest > 0 ? fmt::format("\n  ... and {} more", rest) : "";
}

// ---- copies -------------------------------------------------------------------------------------

struct Copy {
  const SplitMember* member;
  size_t file;
};

// The first two files of each split: for any file of another split one of them is another file.
class Partners {
 public:
  explicit Partners(const std::vector<Copy>& copies) {
    for (const Copy& copy : copies) {
      auto& [first, second] = by_split_[static_cast<size_t>(copy.member->split)];
      if (!first) {
        first = copy;
      } else if (!second && copy.file != first->file) {
        second = copy;
      }
    }
  }

  // The first of another file in another split; null if there is none.
  const SplitMember* of(const Copy& copy) const {
    for (const Split split : kSplits) {
      if (split == copy.member->split) continue;
      const auto& [first, second] = by_split_[static_cast<size_t>(split)];
      for (const std::optional<Copy>& other : {first, second}) {
        if (other && other->file != copy.file) return other->member;
      }
    }
    return nullptr;
  }

 private:
  std::array<std::pair<std::optional<Copy>, std::optional<Copy>>, 3> by_split_;
};

// `copies`: of one content, by split and id, a file once a split.
void add_pairs(const std::vector<Copy>& copies, std::vector<SplitPair>& pairs) {
  const Partners partners(copies);
  std::set<std::pair<const SplitMember*, const SplitMember*>> seen;
  for (const Copy& copy : copies) {
    const SplitMember* partner = partners.of(copy);
    if (partner == nullptr || seen.contains({partner, copy.member})) continue;
    seen.emplace(copy.member, partner);
    pairs.push_back(in_order(*copy.member, *partner));
  }
}

}  // namespace

Overlaps find_overlaps(const std::vector<SplitMember>& members, size_t shown) {
  FileNumbers numbers;
  std::vector<std::pair<size_t, const SplitMember*>> sorted;
  for (const SplitMember* member : of_shared_sizes(members)) {
    sorted.emplace_back(numbers.of(member->path), member);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second->segment.first, a.second->split, a.second->id) <
           std::tie(b.first, b.second->segment.first, b.second->split, b.second->id);
  });
  Overlaps overlaps;
  for (size_t i = 0; i < sorted.size();) {
    Sweep sweep(overlaps, shown);
    const size_t file = sorted[i].first;
    for (; i < sorted.size() && sorted[i].first == file; ++i) sweep.add(*sorted[i].second);
  }
  return overlaps;
}

void require_apart(const std::vector<SplitMember>& members, const std::string& source) {
  const Overlaps overlaps = find_overlaps(members);
  if (overlaps.count == 0) return;
  std::string text =
      fmt::format("{}: {} in different splits {} a file, or a part of one:", source,
                  overlaps.count == 1 ? "a pair of samples"
                                      : fmt::format("{} pairs of samples", overlaps.count),
                  overlaps.count == 1 ? "shares" : "share");
  for (const auto& [a, b] : overlaps.first) {
    text += fmt::format("\n  {} and {}", describe(a), describe(b));
  }
  throw io::UserError(
      text + more(overlaps.count, overlaps.first.size()) +
      "\nExpected no second of a file in two splits. Take one sample of each pair out.");
}

std::vector<SplitPair> find_copies(const std::vector<SplitMember>& members) {
  Members sorted = of_shared_sizes(members);
  std::sort(sorted.begin(), sorted.end(), [](const SplitMember* a, const SplitMember* b) {
    return std::tie(a->split, a->id) < std::tie(b->split, b->id);
  });
  FileNumbers numbers;
  std::set<std::pair<size_t, Split>> seen;
  std::map<std::string, std::vector<Copy>> contents;
  for (const SplitMember* member : sorted) {
    if (member->sha256.empty()) continue;
    const size_t file = numbers.of(member->path);
    if (!seen.emplace(file, member->split).second) continue;  // another part of it
    contents[member->sha256].push_back({member, file});
  }
  std::vector<SplitPair> pairs;
  for (const auto& [sha256, copies] : contents) add_pairs(copies, pairs);
  std::sort(pairs.begin(), pairs.end(), [](const SplitPair& x, const SplitPair& y) {
    return std::tie(x.a.split, x.a.id, x.b.split, x.b.id) <
           std::tie(y.a.split, y.a.id, y.b.split, y.b.id);
  });
  return pairs;
}

void warn_of_copies(const std::vector<SplitPair>& copies, const std::string& source) {
  if (copies.empty()) return;
  constexpr size_t kShown = 10;
  std::string text;
  for (size_t i = 0; i < std::min(copies.size(), kShown); ++i) {
    const auto& [a, b] = copies[i];
    text += fmt::format("\n  {} {} and {} {}", to_string(a.split), a.id, to_string(b.split), b.id);
  }
  spdlog::warn("{}: {} {} the same bytes under two names in different splits:{}{}", source,
               copies.size(), copies.size() == 1 ? "pair of files has" : "pairs of files have",
               text, more(static_cast<int64_t>(copies.size()), std::min(copies.size(), kShown)));
}

}  // namespace avbench::data
