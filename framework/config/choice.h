// Keys with a fixed set of values are enums, each with one list of its values and their words, by
// which files are read and written, keys documented and misspelt words answered:
//
//   enum class Pairs { kOwn, kShuffled };
//   constexpr auto words(Pairs) {
//     return std::array{Word{Pairs::kOwn, "own"}, Word{Pairs::kShuffled, "shuffled"}};
//   }
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace avbench::config {

template <class E>
struct Word {
  E value;
  const char* text;  // "": as if the key were not there
};
template <class E>
Word(E, const char*) -> Word<E>;

template <class E>
concept Choice = std::is_enum_v<E> && requires(E value) {
  words(value);
};

template <Choice E>
std::string to_word(E value) {
  for (const Word<E>& word : words(value)) {
    if (word.value == value) return word.text;
  }
  throw std::logic_error("an enum's value without a word");
}

template <Choice E>
std::optional<E> from_word(std::string_view text) {
  for (const Word<E>& word : words(E())) {
    if (word.text == text) return word.value;
  }
  return std::nullopt;
}

// In the order of the list.
template <Choice E>
std::vector<std::string> all_words() {
  std::vector<std::string> all;
  for (const Word<E>& word : words(E())) all.push_back(word.text);
  return all;
}

}  // namespace avbench::config

// In JSON it is its word, never its number.
template <avbench::config::Choice E>
struct nlohmann::adl_serializer<E> {
  template <class J>
  static void to_json(J& json, E value) {
    json = avbench::config::to_word(value);
  }
};
