#include "config/value.h"

#include <gmock/gmock.h>

#include "io/atomic_file.h"
#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench::config {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = Value::Kind;

Value parse(const std::string& text) { return parse_yaml(text, "here"); }

std::string text_at(const Value& root, const std::string& path) {
  const Value* value = find_path(root, path);
  return value == nullptr ? "(none)" : value->text;
}

class LoadYaml : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    io::write_file_atomically(folder_ / name, text);
    return folder_ / name;
  }
  std::string refusal(const std::string& text) const {
    const auto path = write("x.yaml", text);
    return io::user_error([&] { load_yaml(path); });
  }
  std::string where(const std::string& name, int line) const {
    return (folder_ / name).string() + ":" + std::to_string(line);
  }
  io::TempFolder folder_;
};

TEST_F(LoadYaml, KeepsOrderKindsAndLines) {
  const Value root = load_yaml(write("x.yaml", "b:\n  c: 1\n  d: '2'\n\na: [x, y]\nn:\nm: ~\n"));
  EXPECT_THAT(root.keys, ElementsAre("b", "a", "n", "m"));
  EXPECT_EQ(root.find("b")->where, where("x.yaml", 1));
  EXPECT_EQ(find_path(root, "b.d")->where, where("x.yaml", 3));
  EXPECT_EQ(find_path(root, "b.c")->text, "1");
  EXPECT_FALSE(find_path(root, "b.c")->quoted);
  EXPECT_TRUE(find_path(root, "b.d")->quoted);
  EXPECT_EQ(root.find("a")->kind, Kind::kList);
  EXPECT_EQ(root.find("a")->children[1].text, "y");
  EXPECT_EQ(root.find("n")->kind, Kind::kNull);
  EXPECT_EQ(root.find("m")->kind, Kind::kNull);
  EXPECT_EQ(root.find("z"), nullptr);
  EXPECT_EQ(find_path(root, "b.z.y"), nullptr);
}

TEST_F(LoadYaml, PassesOverAByteOrderMark) {
  const Value root = load_yaml(write("x.yaml", "\xEF\xBB\xBFname: a\nb: 2\n"));
  EXPECT_THAT(root.keys, ElementsAre("name", "b"));
  EXPECT_EQ(root.find("b")->where, where("x.yaml", 2));
}

TEST_F(LoadYaml, RefusesAnotherEncodingThanUtf8) {
  EXPECT_THAT(refusal({"\xFF\xFEn\0:\0", 6}), HasSubstr("x.yaml: got text in UTF-16"));
  EXPECT_THAT(refusal({"\0n\0:", 4}), HasSubstr("x.yaml:1: got a zero byte"));
}

TEST_F(LoadYaml, RefusesALinkThatLeadsToItself) {
  std::filesystem::create_symlink("loop.yaml", folder_ / "loop.yaml");
  EXPECT_THAT(io::user_error([&] { load_yaml(folder_ / "loop.yaml"); }), HasSubstr("loop.yaml"));
}

// The configuration is written as JSON and YAML, which hold no other text.
TEST_F(LoadYaml, RefusesTextThatIsNotUtf8) {
  EXPECT_THAT(refusal("a: 1\nb: \"\xff\"\n"), HasSubstr("x.yaml:2: got text that is not UTF-8"));
  EXPECT_THAT(refusal("\xc3: 1\n"), HasSubstr("x.yaml:1: got text that is not UTF-8"));
  EXPECT_EQ(text_at(load_yaml(write("x.yaml", "a: \xc3\xa9\n")), "a"), "\xc3\xa9");
}

TEST_F(LoadYaml, EmptyFileIsNothing) {
  EXPECT_EQ(load_yaml(write("x.yaml", "# only a comment\n")).kind, Kind::kNull);
}

TEST_F(LoadYaml, NamesLineAndColumnOfBadSyntax) {
  EXPECT_THAT(refusal("a: 1\nb: [1, 2\nc: 3\n"),
              AllOf(StartsWith((folder_ / "x.yaml").string() + ":"), HasSubstr("not valid YAML")));
  EXPECT_THAT(refusal("a: 1\n  b: 2\n"), StartsWith(where("x.yaml", 2) + ":4: not valid YAML"));
}

TEST_F(LoadYaml, RefusesRepeatedKeys) {
  EXPECT_EQ(refusal("a: 1\nb: 2\na: 3\n"),
            where("x.yaml", 3) + ": the key 'a' was given already at " + where("x.yaml", 1));
}

TEST_F(LoadYaml, RefusesWhatIsNoTreeOfWords) {
  EXPECT_THAT(refusal("a: !!python/object x\n"), HasSubstr(":1: got the YAML tag"));
  EXPECT_THAT(refusal("a: !x [1]\n"), HasSubstr("got the YAML tag"));
  EXPECT_THAT(refusal("? [a, b]\n: 1\n"), HasSubstr("got a list as a key, expected a word"));
  EXPECT_THAT(refusal("a: 1\n---\nb: 2\n"), HasSubstr("a second document"));
  EXPECT_THAT(refusal("- 1\n- 2\n"), HasSubstr("got a list, expected a map of keys"));
  EXPECT_THAT(refusal("just text\n"), HasSubstr("got 'just text', expected a map of keys"));
}

TEST_F(LoadYaml, ReplacesAliases) {
  const Value root = load_yaml(write("x.yaml", "a: &r {k: 1, l: [2]}\nb: *r\n"));
  EXPECT_EQ(text_at(root, "b.k"), "1");
  EXPECT_EQ(find_path(root, "b.l")->children[0].text, "2");
}

TEST_F(LoadYaml, BoundsAliasesThatGrow) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 1; j < 10; ++j) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_THAT(refusal(bomb), HasSubstr("too large: more than"));

  std::string wide = "t: &t " + std::string(1 << 20, 'x') + "\nl: [";
  for (int i = 0; i < 100; ++i) wide += "*t, ";
  EXPECT_THAT(refusal(wide + "]\n"), HasSubstr("too large: more than"));
  EXPECT_THAT(refusal("a: &a [*a]\n"), HasSubstr("names something that contains it"));
}

TEST_F(LoadYaml, BoundsSizeAndDepth) {
  EXPECT_THAT(refusal("a: " + std::string((4 << 20) + 1, 'x')), HasSubstr("of at most 4 MiB"));
  EXPECT_THAT(refusal("a: " + std::string(100'000, '[')), HasSubstr("not valid YAML"));
}

TEST_F(LoadYaml, MissingFileIsNamed) {
  EXPECT_THAT(io::user_error([&] { load_yaml(folder_ / "none.yaml"); }),
              AllOf(HasSubstr("none.yaml"), HasSubstr("No such file")));
}

TEST_F(LoadYaml, ExtendsRelativeToTheFileThatSaysIt) {
  write("base.yaml", "a: {x: 1, y: 2}\nl: [1, 2]\n");
  write("sub/mid.yaml", "extends: ../base.yaml\na: {y: 3}\n");
  const Value root = load_yaml(write("top.yaml", "extends: sub/mid.yaml\na: {z: 4}\nl: [9]\n"));
  EXPECT_EQ(text_at(root, "a.x") + text_at(root, "a.y") + text_at(root, "a.z"), "134");
  EXPECT_EQ(root.find("l")->children.size(), 1u);
  EXPECT_EQ(root.find("extends"), nullptr);
  EXPECT_THAT(find_path(root, "a.x")->where, EndsWith("base.yaml:1"));
  EXPECT_THAT(find_path(root, "a.y")->where, EndsWith("mid.yaml:2"));
}

TEST_F(LoadYaml, ARowExtendsFilesOfARowsKeys) {
  write("methods/all.yaml", "pretrain: {lr: 1, decay: 2}\n");
  write("methods/a.yaml", "extends: all.yaml\nmethod: a\nparams: {t: 1, k: 2}\n");
  write("methods/b.yaml", "params: {k: 3}\n");
  const Value root = load_yaml(
      write("top.yaml",
            "rows:\n  - {name: A, extends: methods/a.yaml, params: {t: 5}, pretrain: {lr: 7}}\n"
            "  - {name: B, extends: [methods/a.yaml, methods/b.yaml]}\n  - {name: C}\n"));
  const std::vector<Value>& rows = root.find("rows")->children;
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(text_at(rows[0], "name"), "A");
  EXPECT_EQ(text_at(rows[0], "method"), "a");
  EXPECT_EQ(text_at(rows[0], "params.t"), "5");
  EXPECT_EQ(text_at(rows[0], "params.k"), "2");
  EXPECT_EQ(text_at(rows[0], "pretrain.lr"), "7");
  EXPECT_EQ(text_at(rows[0], "pretrain.decay"), "2");
  EXPECT_EQ(text_at(rows[1], "params.k"), "3");
  EXPECT_EQ(find_path(rows[1], "params.t")->where, where("methods/a.yaml", 3));
  for (const Value& row : rows) EXPECT_EQ(row.find("extends"), nullptr);
  EXPECT_GT(find_path(rows[1], "params.k")->layer, find_path(rows[1], "params.t")->layer);
}

TEST_F(LoadYaml, RefusesARowThatExtendsWhatIsNotThere) {
  EXPECT_THAT(refusal("rows: [{name: A, extends: none.yaml}]\n"), HasSubstr("none.yaml"));
  EXPECT_THAT(refusal("rows: [{name: A, extends: x.yaml}]\n"), HasSubstr("in a circle"));
  EXPECT_THAT(refusal("rows: [{name: A, extends: {}}]\n"), HasSubstr("expected a path or a list"));
}

TEST_F(LoadYaml, LaterOfSeveralBasesWins) {
  write("one.yaml", "a: 1\nb: 1\n");
  write("two.yaml", "a: 2\n");
  const Value root = load_yaml(write("top.yaml", "extends: [one.yaml, two.yaml]\n"));
  EXPECT_EQ(text_at(root, "a") + text_at(root, "b"), "21");
}

TEST_F(LoadYaml, RefusesCirclesWithTheChain) {
  const auto a = write("a.yaml", "extends: b.yaml\n"), b = write("b.yaml", "extends: a.yaml\n");
  const std::string first = std::filesystem::canonical(a), second = std::filesystem::canonical(b);
  EXPECT_EQ(io::user_error([&] { load_yaml(a); }),
            "files extend each other in a circle: " + first + " -> " + second + " -> " + first);
}

TEST_F(LoadYaml, RefusesBasesThatAreNoPath) {
  EXPECT_THAT(refusal("x: 1\nextends: {a: b}\n"), HasSubstr(":2: extends: got a map of keys"));
  EXPECT_THAT(refusal("extends:\n"), HasSubstr("got nothing, expected a path"));
}

TEST(Merge, AMapMergesIntoTheItemsOfAListByTheirNames) {
  Value base = parse("{rows: [{name: A, x: 1}, {name: R(2+1)D, x: 2}], plain: [1, 2]}");
  merge(base, parse("{rows: {R(2+1)D: {y: 3}, A: {x: 4}}, plain: {a: 5}}"));
  const Value& rows = *base.find("rows");
  ASSERT_EQ(rows.children.size(), 2u);
  EXPECT_EQ(text_at(rows.children[0], "name"), "A");
  EXPECT_EQ(text_at(rows.children[0], "x"), "4");
  EXPECT_EQ(text_at(rows.children[1], "x"), "2");
  EXPECT_EQ(text_at(rows.children[1], "y"), "3");
  EXPECT_EQ(base.find("plain")->kind, Kind::kMap);
  EXPECT_EQ(io::user_error([&] { merge(base, parse("{rows: {R2: {y: 3}}}")); }),
            "here: no item 'R2'; known: A, R(2+1)D");
}

TEST(Merge, MapsMergeAndTheRestReplaces) {
  Value base = parse("{a: {x: 1, l: [1, 2]}, s: 1, m: {k: 1}}");
  merge(base, parse("{a: {l: [3], y: 2}, s: {t: 1}, m: 5}"));
  EXPECT_EQ(text_at(base, "a.x") + text_at(base, "a.y") + text_at(base, "s.t"), "121");
  EXPECT_EQ(find_path(base, "a.l")->children.size(), 1u);
  EXPECT_EQ(text_at(base, "m"), "5");
}

class Set : public ::testing::Test {
 protected:
  void expect(const std::string& assignment, const std::string& path, const std::string& text) {
    set(root_, assignment);
    EXPECT_EQ(text_at(root_, path), text) << assignment;
  }
  std::string refusal(const std::string& assignment) {
    return io::user_error([&] { set(root_, assignment); });
  }
  const Value& row(size_t i) { return root_.find("rows")->children.at(i); }

  Value root_ = parse(
      "{a: {b: 1}, s: 5, rows: [{name: SimCLR, params: {t: 1}}, {name: AVCL 0.5, method: avcl}]}");
};

TEST_F(Set, ReplacesAndCreatesKeys) {
  expect("a.b=2", "a.b", "2");
  expect("a.c.d=x=y", "a.c.d", "x=y");
  expect("new=1e-3", "new", "1e-3");
  expect("s=", "s", "");
  EXPECT_EQ(root_.find("s")->kind, Kind::kNull);
  EXPECT_EQ(find_path(root_, "a.b")->where, "--set a.b");
}

TEST_F(Set, ReadsTheValueAsYaml) {
  set(root_, "a={c: [1, 2], d: 'q'}");
  EXPECT_EQ(text_at(root_, "a.b"), "1");
  EXPECT_EQ(find_path(root_, "a.c")->children.size(), 2u);
  EXPECT_TRUE(find_path(root_, "a.d")->quoted);
  EXPECT_THAT(refusal("a=[1"), StartsWith("--set a:"));
}

TEST_F(Set, FindsRowsByNameAndByPosition) {
  set(root_, "rows.SimCLR.params.t=7");
  set(root_, "rows.1.modality=audio");
  set(root_, "rows.AVCL 0.5.params.x=8");
  EXPECT_EQ(text_at(row(0), "params.t"), "7");
  EXPECT_EQ(text_at(row(1), "modality"), "audio");
  EXPECT_EQ(text_at(row(1), "params.x"), "8");
}

TEST_F(Set, ExplainsWhatItCannotDo) {
  EXPECT_EQ(refusal("rows.SimCRL.x=1"),
            "--set rows.SimCRL.x: no item 'SimCRL' (did you mean 'SimCLR'?); known: SimCLR, AVCL "
            "0.5");
  EXPECT_THAT(refusal("rows.2.x=1"), HasSubstr("no item '2'"));
  EXPECT_THAT(refusal("rows.-1.x=1"), HasSubstr("no item '-1'"));
  EXPECT_THAT(refusal("s.t=1"), HasSubstr("'t' is below a value, '5' of here, that has no keys"));
  EXPECT_EQ(refusal("a.b"), "--set: got 'a.b', expected key.path=value");
  EXPECT_THAT(refusal("=1"), HasSubstr("expected key.path=value"));
  EXPECT_THAT(refusal("a..b=1"), HasSubstr("expected key.path=value"));
  EXPECT_THAT(refusal("rows.0.params.\xff=1"), HasSubstr("not UTF-8"));
}

TEST_F(Set, RefusesAKeyOfCountlessParts) {
  std::string deep = "a";
  for (int i = 0; i < 60'000; ++i) deep += ".a";
  EXPECT_THAT(refusal(deep + "=1"), HasSubstr("a key of 60001 parts, expected at most"));
}

}  // namespace
}  // namespace avbench::config
