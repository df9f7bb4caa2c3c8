#include "config/choice.h"

#include <gmock/gmock.h>

#include <set>

#include "config/experiment.h"
#include "config/reader.h"
#include "io/json.h"
#include "io/message.h"

namespace avbench::config {
namespace {

using ::testing::HasSubstr;

// "... V = avbench::Modalities::kBoth ...", and "(avbench::Modalities)7" of what is no value.
template <auto V>
bool is_named() {
  const std::string_view signature = __PRETTY_FUNCTION__;
  return signature.find(')', signature.find("V = ")) == std::string_view::npos;
}

template <class E>
struct Section {
  E key = {};
};
template <class V, class E>
void fields(V& v, Section<E>& section) {
  v("key", section.key, "");
}

template <class E>
std::string refusal_of(const std::string& word) {
  Problems problems;
  Section<E> section;
  read_section(parse_yaml("{key: " + word + "}", "f:1"), "s", section, problems);
  return io::user_error([&] { problems.throw_if_any(); });
}

struct HasEachValueAndEachWordOnce {
  template <Choice E>
  static void check() {
    constexpr auto list = words(E());
    std::set<std::string> texts;
    for (size_t i = 0; i < list.size(); ++i) {
      EXPECT_EQ(static_cast<size_t>(list[i].value), i) << list[i].text;
      EXPECT_TRUE(texts.insert(list[i].text).second) << list[i].text;
    }
    EXPECT_TRUE((is_named<static_cast<E>(list.size() - 1)>()));
    EXPECT_FALSE((is_named<static_cast<E>(list.size())>())) << "a value without a word";
  }
};

struct IsItsWordAndBack {
  template <Choice E>
  static void check() {
    for (const Word<E>& word : words(E())) {
      EXPECT_EQ(to_word(word.value), word.text);
      EXPECT_EQ(from_word<E>(word.text), word.value);
      EXPECT_EQ(io::Json(word.value).dump(), io::Json(word.text).dump());
    }
    EXPECT_EQ(from_word<E>("?"), std::nullopt);
    EXPECT_THROW(to_word(static_cast<E>(99)), std::logic_error);
  }
};

struct AnswersAMisspeltWordWithTheNearest {
  template <Choice E>
  static void check() {
    for (const std::string& word : all_words<E>()) {
      if (word.empty()) continue;
      const std::string message = refusal_of<E>(word + "_");
      EXPECT_THAT(message, HasSubstr("f:1: s.key: got '" + word + "_', expected one of "));
      EXPECT_THAT(message, HasSubstr("(did you mean '" + word + "'?)"));
    }
  }
};

// Visits fields() and checks the type of every key with a fixed set of values.
template <class Check>
class ChoiceVisitor {
 public:
  template <class T, class... Rest>
  void operator()(const char* name, const T&, const Rest&...) {
    if constexpr (Choice<T>) {
      SCOPED_TRACE(name);
      Check::template check<T>();
      ++checked;
    }
  }
  template <class T>
  void path(const char*, const T&, const char*) {}
  template <class T>
  void names(const char*, const T&, const char*) {}
  template <class T>
  void settings(const char*, const T&, const char*) {}
  template <class T>
  void preset(const T&, const std::vector<Preset<T>>&, const char*) {}
  template <class T>
  void section(const char*, const T& section) {
    fields(*this, section);
  }
  template <class T>
  void overrides(const char*, const T&, const char*, const char*) {}
  void rows(const char*, const std::vector<RowConfig>&, const Experiment&) {
    const RowConfig row;
    fields(*this, row);
  }

  int checked = 0;
};

template <class Check>
class EveryChoice : public testing::Test {};
using Checks = testing::Types<HasEachValueAndEachWordOnce, IsItsWordAndBack,
                              AnswersAMisspeltWordWithTheNearest>;
TYPED_TEST_SUITE(EveryChoice, Checks);

TYPED_TEST(EveryChoice, OfAConfiguration) {
  ChoiceVisitor<TypeParam> visitor;
  const Experiment experiment;
  fields(visitor, experiment);
  EXPECT_GT(visitor.checked, 20);
}

}  // namespace
}  // namespace avbench::config
