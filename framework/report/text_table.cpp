#include "report/text_table.h"

#include <algorithm>

namespace avbench::report {
namespace {

// In code points, not bytes.
size_t width(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace

std::string text_table(const std::vector<std::vector<std::string>>& cells) {
  std::vector<size_t> widths(cells.front().size(), 3);  // Markdown's rule needs three
  for (const auto& line : cells) {
    for (size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], width(line[c]));
  }
  const auto left = [&](size_t c) { return c == 0 || c + 1 == widths.size(); };
  const auto padded = [&](const std::string& text, size_t c) {
    const std::string space(widths[c] - width(text), ' ');
    return left(c) ? text + space : space + text;
  };
  std::string text, rule;
  for (size_t c = 0; c < widths.size(); ++c) {
    rule += left(c) ? "|" + std::string(widths[c] + 2, '-')
                    : "|" + std::string(widths[c] + 1, '-') + ":";
  }
  for (const auto& line : cells) {
    for (size_t c = 0; c < widths.size(); ++c) text += "| " + padded(line[c], c) + " ";
    text += "|\n";
    if (&line == &cells.front()) text += rule + "|\n";
  }
  return text;
}

}  // namespace avbench::report
