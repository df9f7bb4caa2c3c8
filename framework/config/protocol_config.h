// What makes two runs comparable.
#pragma once

#include "config/clip_config.h"
#include "config/data_config.h"
#include "config/encoder_config.h"
#include "config/finetune_config.h"
#include "config/pretrain_config.h"
#include "config/spectrogram_config.h"
#include "config/test_config.h"

namespace avbench::config {

struct ProtocolConfig {
  DataConfig data;
  ClipConfig clip;
  SpectrogramConfig spectrogram;
  EncoderConfig encoder;
  PretrainConfig pretrain;
  FinetuneConfig finetune;
  TestConfig test;
  BatchNormConfig batch_norm;
};
template <class V>
void fields(V& v, io::MaybeConst<ProtocolConfig> auto& c) {
  v.section("data", c.data);
  v.section("clip", c.clip);
  v.section("spectrogram", c.spectrogram);
  v.section("encoder", c.encoder);
  v.section("pretrain", c.pretrain);
  v.section("finetune", c.finetune);
  v.section("test", c.test);
  v.section("batch_norm", c.batch_norm);
}

}  // namespace avbench::config
