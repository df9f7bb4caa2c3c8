// That the table's text, table.json and table.csv show the same.
#include "report/columns.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "report/table.h"
#include "report/table_fixture.h"

namespace avbench::report {
namespace {

struct Parsed {
  std::vector<std::string> headings, cells;  // of the first row
  std::vector<std::string> legend;           // headings that are explained below

  bool has(const std::string& heading) const {
    return std::find(headings.begin(), headings.end(), heading) != headings.end();
  }
  // The number at the start of the cell.
  double number(const std::string& heading) const {
    for (size_t i = 0; i < headings.size(); ++i) {
      if (headings[i] == heading) return std::stod(cells.at(i));
    }
    ADD_FAILURE() << "no column " << heading;
    return -1;
  }
};

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(line);
  for (std::string part; std::getline(in, part, separator);) {
    const size_t first = part.find_first_not_of(' ');
    const size_t last = part.find_last_not_of(' ');
    parts.push_back(first == std::string::npos ? "" : part.substr(first, last - first + 1));
  }
  return parts;
}

Parsed parse(const std::string& markdown) {
  Parsed parsed;
  std::vector<std::vector<std::string>> lines;
  for (const std::string& line : split(markdown, '\n')) {
    if (line.starts_with("- ")) parsed.legend.push_back(line.substr(2, line.find(": ") - 2));
    if (!line.starts_with("|")) continue;
    lines.push_back(split(line, '|'));
    lines.back().erase(lines.back().begin());  // before the first bar
  }
  parsed.headings = lines.at(0);
  parsed.cells = lines.at(2);
  return parsed;
}

struct Case {
  bool tested, paper, swept, clipped, several_seeds;
  std::vector<TableRow> rows;
  io::Json json;  // of the one row
  Parsed text;
};

class Columns : public Table {
 protected:
  // Tables with and without each of what is not in every table.
  std::vector<Case> cases() {
    std::vector<Case> all;
    for (int i = 0; i < 32; ++i) {
      Case c{(i & 1) != 0, (i & 2) != 0, (i & 4) != 0, (i & 8) != 0, (i & 16) != 0};
      c.rows = rows_of(c);
      c.json = table_json(c.rows)[0];
      c.text = parse(table_markdown(c.rows, "t", ""));
      all.push_back(std::move(c));
    }
    return all;
  }

 private:
  std::vector<TableRow> rows_of(const Case& c) {
    summaries_.clear();
    for (int seed = 0; seed < (c.several_seeds ? 2 : 1); ++seed) {
      add("A", seed, 0.5 + 0.25 * seed);
      RunSummary& run = summaries_[{"A", seed}];
      if (!c.tested) run.accuracy.reset();
      if (c.clipped) run.clipped_share = 0.25;
      run.peak_memory_bytes = int64_t{300} << 20;
    }
    auto entries = entries_of({"A"});
    for (TableEntry& entry : entries) {
      if (c.paper) entry.paper = 75.6;
      if (c.swept) entry.trials = 4;
    }
    return collect_rows(entries);
  }
};

TEST_F(Columns, AreTheSameInJsonAndCsvAndNoneIsThereTwice) {
  for (const Case& c : cases()) {
    const std::string csv = table_csv(c.rows);
    const auto header = split(csv.substr(0, csv.find('\n')), ',');
    const std::set<std::string> keys(header.begin(), header.end());
    EXPECT_EQ(keys.size(), header.size()) << csv;
    std::set<std::string> in_json;
    for (const auto& item : c.json.items()) in_json.insert(item.key());
    EXPECT_EQ(keys, in_json);
    const std::set<std::string> headings(c.text.headings.begin(), c.text.headings.end());
    EXPECT_EQ(headings.size(), c.text.headings.size());
  }
}

TEST_F(Columns, OfTheTextAreThoseThatTheFilesHave) {
  for (const Case& c : cases()) {
    EXPECT_EQ(c.json.contains("accuracy_mean"), c.tested);
    EXPECT_EQ(c.text.has("Test accuracy %"), c.tested && !c.paper);
    EXPECT_EQ(c.json.contains("paper"), c.tested && c.paper);
    EXPECT_EQ(c.text.has("paper"), c.json.contains("paper"));
    EXPECT_EQ(c.text.has("measured"), c.json.contains("measured"));
    EXPECT_EQ(c.json.contains("trials"), c.swept);
    EXPECT_EQ(c.text.has("Trials"), c.swept);
    EXPECT_EQ(c.text.has("Clipped %"), c.json["clipped_share"] > 0);
  }
}

TEST_F(Columns, ShowTheNumbersOfTheFiles) {
  for (const Case& c : cases()) {
    const auto expect = [&](const std::string& heading, double expected, double rounding = 0.051) {
      EXPECT_NEAR(c.text.number(heading), expected, rounding) << heading;
    };
    const auto value = [&](const char* key) { return c.json.at(key).get<double>(); };
    if (c.tested && !c.paper) expect("Test accuracy %", 100 * value("accuracy_mean"));
    if (c.tested && c.paper) expect("paper", value("paper"));
    if (c.tested && c.paper) expect("measured", value("measured"));
    if (c.clipped) expect("Clipped %", 100 * value("clipped_share"));
    if (c.swept) expect("Trials", value("trials"));
    expect("Validation %", 100 * value("validation"));
    expect("Training %", 100 * value("train_accuracy"));
    expect("Forward passes", value("forward_passes"));
    expect("clips/s", value("clips_per_second"));
    expect("Waits %", 100 * value("waiting_share"));
    expect("Peak MiB", value("peak_memory_bytes") / 1048576, 1);
    expect("Time s", value("seconds"), 0.51);
    expect("Labels", value("labels_train"));
    expect("Seeds", static_cast<double>(c.json["seeds"].size()));
  }
}

// All but the words, in the order of the table.
TEST_F(Columns, AreExplainedIfTheyAreShown) {
  for (const Case& c : cases()) {
    std::vector<std::string> numbers;
    for (const std::string& heading : c.text.headings) {
      if (heading != "Row" && heading != "Modality" && heading != "Note") {
        numbers.push_back(heading);
      }
    }
    EXPECT_EQ(c.text.legend, numbers);
  }
}

}  // namespace
}  // namespace avbench::report
