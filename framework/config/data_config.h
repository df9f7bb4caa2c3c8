// Which files are used.
#pragma once

#include <array>
#include <string>

#include "config/section.h"

namespace avbench::config {

struct DataConfig {
  enum class OnBad { kExclude, kFail };
  friend constexpr auto words(OnBad) {
    return std::array{Word{OnBad::kExclude, "exclude"}, Word{OnBad::kFail, "fail"}};
  }
  enum class OnDamage { kTolerate, kExclude };
  friend constexpr auto words(OnDamage) {
    return std::array{Word{OnDamage::kTolerate, "tolerate"}, Word{OnDamage::kExclude, "exclude"}};
  }

  std::string source;           // folder <split>/<class>/<file>, or a CSV manifest
  std::string pretrain_source;  // another source whose training split pretraining uses; "": source
  std::string classes;          // file that lists the classes to use, one a line; "": all
  OnBad on_bad = OnBad::kExclude;
  OnDamage on_damage = OnDamage::kTolerate;
  double label_fraction = 1;
  double validation_fraction = 1;
};
template <class V>
void fields(V& v, io::MaybeConst<DataConfig> auto& c) {
  v.path("source", c.source, "folder <split>/<class>/<file>, or a CSV manifest");
  v.path("pretrain_source", c.pretrain_source,
         "another source whose training split is used for pretraining; empty: the same");
  v.path("classes", c.classes,
         "file with the names of the classes to use, one a line; others are left out; empty: all");
  v("on_bad", c.on_bad,
    "files that cannot be used (corrupt, too short, without audio): leave out and list, or stop");
  v("on_damage", c.on_damage,
    "files of which at most 2 % of the packets, or one, are damaged: use them as FFmpeg conceals "
    "the damage, counted and listed, or take them for corrupt");
  v("label_fraction", c.label_fraction, Range{1e-6, 1},
    "share of the training labels used for finetuning: stratified, nested, at least one a class");
  v("validation_fraction", c.validation_fraction, Range{1e-6, 1},
    "share of the validation files that choose checkpoints and settings, drawn likewise: with few "
    "labels to train on, many to choose by flatter every row");
}

}  // namespace avbench::config
