// One experiment as typed values. The configuration file's keys are the names in fields() below,
// which is the only list of them: reading, checking, writing and documenting all visit it.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "config/value.h"

namespace avbench {

template <class C, class T>
concept As = std::same_as<std::remove_const_t<C>, T>;

// Bounds of a number, both included.
struct Range {
  double min, max;
};
// Allowed words, separated by '|'.
struct Choices {
  const char* words;
};
// Allowed integers, separated by '|'.
struct OneOf {
  const char* numbers;
};
// Values of a whole section under a name. fields() visits a section's presets before its keys.
template <class T>
struct Preset {
  const char* name;
  T values;
};

// ---- protocol: what makes two runs comparable ---------------------------------------------------

struct DataConfig {
  std::string source;           // folder <split>/<class>/<file>, or a CSV manifest
  std::string pretrain_source;  // another source whose training split pretraining uses; "": source
  std::string classes;          // file that lists the classes to use, one a line; "": all
  std::string on_bad = "exclude";
  std::string on_damage = "tolerate";
  double label_fraction = 1;
  double validation_fraction = 1;
};
template <class V>
void fields(V& v, As<DataConfig> auto& c) {
  v.path("source", c.source, "folder <split>/<class>/<file>, or a CSV manifest");
  v.path("pretrain_source", c.pretrain_source,
         "another source whose training split is used for pretraining; empty: the same");
  v.path("classes", c.classes,
         "file with the names of the classes to use, one a line; others are left out; empty: all");
  v("on_bad", c.on_bad, Choices{"exclude|fail"},
    "files that cannot be used (corrupt, too short, without sound): leave out and list, or stop");
  v("on_damage", c.on_damage, Choices{"tolerate|exclude"},
    "files of which at most 2 % of the packets, or one, are damaged: use them as FFmpeg conceals "
    "the "
    "damage, counted and listed, or take them for corrupt");
  v("label_fraction", c.label_fraction, Range{1e-6, 1},
    "share of the training labels used for finetuning: stratified, nested, at least one a class");
  v("validation_fraction", c.validation_fraction, Range{1e-6, 1},
    "share of the validation files that choose checkpoints and settings, drawn likewise: with few "
    "labels to train on, many to choose by flatter every row");
}

// Largest changes of a training clip's colours, as those of torchvision's ColorJitter.
struct JitterConfig {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;
};
template <class V>
void fields(V& v, As<JitterConfig> auto& c) {
  v("brightness", c.brightness, Range{0, 10}, "factor drawn from 1 - x to 1 + x, at least 0");
  v("contrast", c.contrast, Range{0, 10}, "likewise, around the frame's mean grey");
  v("saturation", c.saturation, Range{0, 10}, "likewise, around each pixel's grey");
  v("hue", c.hue, Range{0, 0.5}, "part of the colour circle, drawn from -x to x");
}

struct ClipConfig {
  int64_t frames = 16;
  int64_t stride = 1;
  std::string start = "any";
  std::array<int64_t, 2> resize{128, 171};
  int64_t crop = 112;
  double flip = 0;
  JitterConfig jitter;
  std::array<double, 3> mean{0, 0, 0};
  std::array<double, 3> std{1, 1, 1};
};
template <class V>
void fields(V& v, As<ClipConfig> auto& c) {
  v("frames", c.frames, Range{1, 1024}, "frames of a clip");
  v("stride", c.stride, Range{1, 1024}, "native frames from one frame of a clip to the next");
  v("start", c.start, Choices{"any|second"},
    "a clip begins at any frame, or at the first frame of a second of the video");
  v("resize", c.resize, Range{8, 4096}, "height and width before the crop");
  v("crop", c.crop, Range{8, 4096}, "side of the square crop, one position a clip");
  v("flip", c.flip, Range{0, 1}, "probability that a training clip is mirrored left to right");
  v.section("jitter", c.jitter);
  v("mean", c.mean, Range{-10, 10},
    "of red, green and blue: subtracted from the values from 0 to 1, in training and test");
  v("std", c.std, Range{1e-3, 1000}, "of red, green and blue: what is left is divided by it");
}

struct SpectrogramConfig {
  std::string kind = "log_mel";
  std::string sound = "whole";
  double sound_seconds = 1.28;
  int64_t sample_rate = 24000;
  int64_t n_fft = 2048;
  int64_t window = 240;
  int64_t hop = 240;
  std::string frequency = "mel";
  int64_t bands = 256;
  std::string mel_scale = "htk";
  std::string mel_norm = "none";
  double f_min = 0;
  double f_max = 12000;
  std::string scale = "log";
  std::array<int64_t, 2> size{256, 256};
  bool flip = false;
  std::string colour = "grey";
  int64_t channels = 3;
  std::array<int64_t, 2> resize{128, 171};
  int64_t crop = 112;
  std::string time = "one_frame";
};
// "author": the settings of the preprocessing scripts that the paper's first author has published,
// librosa's mel spectrogram in decibels as a coloured picture.
inline std::vector<Preset<SpectrogramConfig>> spectrogram_presets() {
  return {{"default", {}},
          {"author",
           {.window = 1024,
            .hop = 512,
            .mel_scale = "slaney",
            .mel_norm = "slaney",
            .scale = "db",
            .flip = true,
            .colour = "magma"}}};
}
template <class V>
void fields(V& v, As<SpectrogramConfig> auto& c) {
  v.preset(c, spectrogram_presets(), "sets all other keys of this section");
  v("kind", c.kind, Choices{"log_mel|raw"},
    "spectrogram, or the sound's samples themselves, as many as `size` has, row by row, their "
    "range "
    "scaled to 0 to 1");
  v("sound", c.sound, Choices{"whole|clip"}, "of the whole file, or around the clip of pictures");
  v("sound_seconds", c.sound_seconds, Range{0.01, 3600},
    "sound clip: length around the clip's middle, with silence beyond the file's ends");
  v("sample_rate", c.sample_rate, Range{1000, 192000}, "Hz, mono");
  v("n_fft", c.n_fft, Range{16, 65536}, "samples of one Fourier transform");
  v("window", c.window, Range{1, 65536}, "samples of the Hann window, centred in n_fft");
  v("hop", c.hop, Range{1, 65536}, "samples from one column to the next");
  v("frequency", c.frequency, Choices{"mel|linear"},
    "rows: bands of the mel scale, or the n_fft / 2 + 1 bins of the transform as they are");
  v("bands", c.bands, Range{1, 32769}, "mel bands; linear: the number of bins");
  v("mel_scale", c.mel_scale, Choices{"htk|slaney"},
    "mel bands: logarithmic throughout, or linear up to 1 kHz");
  v("mel_norm", c.mel_norm, Choices{"none|slaney"},
    "mel bands: filters of height 1, or of area 1 over Hz");
  v("f_min", c.f_min, Range{0, 96000}, "Hz, lower edge of the lowest band");
  v("f_max", c.f_max, Range{1, 96000}, "Hz, upper edge of the highest band");
  v("scale", c.scale, Choices{"log|db"},
    "logarithm of the power with a fixed floor, or decibels below the clip's maximum, at most 80; "
    "either way its range becomes 0 to 1");
  v("size", c.size, Range{8, 4096}, "bands and columns of the stored spectrogram (bilinear)");
  v("flip", c.flip, "high frequencies on top");
  v("colour", c.colour, Choices{"grey|magma"}, "the same value in each channel, or the MAGMA map");
  v("channels", c.channels, OneOf{"1|3"}, "of the audio tower's input");
  v("resize", c.resize, Range{8, 4096}, "height and width before the crop");
  v("crop", c.crop, Range{8, 4096}, "side of the square crop");
  v("time", c.time, Choices{"one_frame|repeat"},
    "as a clip: one frame, or repeated along time to the length of the RGB clip");
}

struct EncoderConfig {
  std::string name = "r3d";
  int64_t width = 64;
  bool shared = false;
  std::string init;
  std::string init_towers = "both";
};
template <class V>
void fields(V& v, As<EncoderConfig> auto& c) {
  v("name", c.name, Choices{"r3d|r2plus1d|c3d"}, "backbone of both towers");
  v("width", c.width, Range{1, 1024}, "channels of the first stage; 64 is the published network");
  v("shared", c.shared,
    "one tower for both modalities, with batch-norm statistics of each its own");
  v.path("init", c.init, "safetensors file of weights the towers start from; empty: random");
  v("init_towers", c.init_towers, Choices{"both|video|audio"}, "the towers that init is for");
}

struct OptimizerConfig {
  std::string name = "sgd";
  double lr = 1e-3;
  double momentum = 0.9;
  double weight_decay = 5e-4;
  bool nesterov = false;
  bool decay_norms_and_biases = true;
};
template <class V>
void fields(V& v, As<OptimizerConfig> auto& c) {
  v("name", c.name, Choices{"sgd|adamw|lars"}, "optimiser");
  v("lr", c.lr, Range{0, 1000}, "learning rate");
  v("momentum", c.momentum, Range{0, 0.9999}, "of SGD and LARS; AdamW's betas are 0.9 and 0.999");
  v("weight_decay", c.weight_decay, Range{0, 10},
    "L2 for SGD, decoupled for AdamW; LARS: L2, not of biases and norms");
  v("nesterov", c.nesterov, "Nesterov momentum (SGD)");
  v("decay_norms_and_biases", c.decay_norms_and_biases,
    "SGD and AdamW: weight decay of what has one dimension too, biases and norms (LARS: never)");
}

struct ScheduleConfig {
  std::string name = "constant";
  double warmup_epochs = 0;
  int64_t step_epochs = 30;
  std::vector<int64_t> milestones;
  double gamma = 0.1;
  int64_t patience = 50;
  double final_scale = 0;
};
template <class V>
void fields(V& v, As<ScheduleConfig> auto& c) {
  v("name", c.name, Choices{"constant|step|milestones|plateau|cosine"}, "learning-rate schedule");
  v("warmup_epochs", c.warmup_epochs, Range{0, 10000}, "linear warm-up from zero");
  v("step_epochs", c.step_epochs, Range{1, 100000}, "step: epochs between two factors");
  v("milestones", c.milestones, Range{1, 100000},
    "milestones: epochs after each of which the rate is multiplied by gamma, ascending");
  v("gamma", c.gamma, Range{0, 1}, "step, milestones and plateau: the factor");
  v("patience", c.patience, Range{1, 100000}, "plateau: validations without improvement");
  v("final_scale", c.final_scale, Range{0, 1},
    "cosine: last learning rate as a share of the first");
}

// What pretraining shares between all methods; optimiser and schedule are a row's own.
struct PretrainConfig {
  int64_t epochs = 300;
  int64_t batch_size = 16;
  double clip_norm = 0;
  int64_t validate_every = 1;
  std::string select = "last";
  std::string pairs = "own";
};
template <class V>
void fields(V& v, As<PretrainConfig> auto& c) {
  v("epochs", c.epochs, Range{0, 100000}, "passes over the training split");
  v("batch_size", c.batch_size, Range{1, 65536},
    "samples a step; the last partial batch is dropped");
  v("clip_norm", c.clip_norm, Range{0, 1e9}, "clips the gradient's global norm; 0: no clipping");
  v("validate_every", c.validate_every, Range{1, 100000},
    "epochs between two looks at validation data");
  v("select", c.select, Choices{"last|knn"},
    "checkpoint that finetuning starts from: the last, or the one whose features classify the "
    "validation data best by their nearest labelled training samples");
  v("pairs", c.pairs, Choices{"own|shuffled"},
    "each video with its own sound, or, as a control, with that of the sample before it in the "
    "batch");
}

struct FinetuneConfig {
  int64_t epochs = 150;
  int64_t batch_size = 16;
  std::string scope = "all";
  std::string fusion = "method";
  int64_t hidden = 512;
  double dropout = 0.7;
  double clip_norm = 0;
  int64_t validate_every = 1;
  std::string select = "accuracy";
  OptimizerConfig optimizer{.weight_decay = 5e-3};
  ScheduleConfig schedule;
};
template <class V>
void fields(V& v, As<FinetuneConfig> auto& c) {
  v("epochs", c.epochs, Range{1, 100000}, "passes over the labelled training samples");
  v("batch_size", c.batch_size, Range{1, 65536}, "samples a step");
  v("scope", c.scope, Choices{"all|frozen"}, "what is trained: everything, or the classifier only");
  v("fusion", c.fusion, Choices{"method|concat"},
    "features seen: the method's fuse, or concatenation");
  v("hidden", c.hidden, Range{0, 65536}, "hidden units of the classifier; 0: one linear layer");
  v("dropout", c.dropout, Range{0, 0.99}, "before the classifier's last layer");
  v("clip_norm", c.clip_norm, Range{0, 1e9}, "clips the gradient's global norm; 0: no clipping");
  v("validate_every", c.validate_every, Range{1, 100000}, "epochs between two validations");
  v("select", c.select, Choices{"accuracy|loss|last"},
    "checkpoint that is tested: best validation accuracy, best validation loss, or the last");
  v.section("optimizer", c.optimizer);
  v.section("schedule", c.schedule);
}

struct TestConfig {
  int64_t clips = 10;
  int64_t crops = 1;
  std::string spectrogram_crops = "spread";
};
template <class V>
void fields(V& v, As<TestConfig> auto& c) {
  v("clips", c.clips, Range{1, 1000}, "clips a video at evenly spaced starts; logits are averaged");
  v("crops", c.crops, OneOf{"1|3"},
    "of each clip: the centre, or three along the longer side; their logits are averaged too");
  v("spectrogram_crops", c.spectrogram_crops, Choices{"spread|centre"},
    "a crop a clip, spread along the spectrogram's time axis, or always the centre");
}

struct BatchNormConfig {
  bool reestimate = true;
  int64_t samples = 1024;
};
template <class V>
void fields(V& v, As<BatchNormConfig> auto& c) {
  v("reestimate", c.reestimate, "running statistics anew from training clips before evaluation");
  v("samples", c.samples, Range{1, 1000000}, "training clips (without labels) used for it");
}

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
void fields(V& v, As<ProtocolConfig> auto& c) {
  v.section("data", c.data);
  v.section("clip", c.clip);
  v.section("spectrogram", c.spectrogram);
  v.section("encoder", c.encoder);
  v.section("pretrain", c.pretrain);
  v.section("finetune", c.finetune);
  v.section("test", c.test);
  v.section("batch_norm", c.batch_norm);
}

// ---- rows ---------------------------------------------------------------------------------------

// Optimiser and schedule of pretraining.
struct TrainingConfig {
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
};
template <class V>
void fields(V& v, As<TrainingConfig> auto& c) {
  v.section("optimizer", c.optimizer);
  v.section("schedule", c.schedule);
}

// One line of the comparison: a method, or a supervised baseline from random weights.
struct RowConfig {
  std::string name;
  std::string method;             // a plugin's name; empty for a baseline
  std::string baseline;           // video, audio or both; empty for a method
  std::string modality = "both";  // what finetuning and test see of a method's towers
  std::vector<Setting> params;    // of the method, checked against its ParamSpecs
  bool pretrained = true;         // false: the method's fusion on towers as they start
  std::optional<double> paper;    // accuracy in %, as published
  std::string control_of;         // another row's name: this one should fall short of it
  std::vector<Setting> sweep;     // values to try, by key of the row: "params.temperature"
  TrainingConfig pretrain;        // starts from the experiment's `training`
  ProtocolConfig protocol;        // the experiment's, with the row's own values of `varies`
};
template <class V>
void fields(V& v, As<RowConfig> auto& c) {
  v("name", c.name, "name of the row, unique; also of its folder");
  v("method", c.method, "name of a plugin");
  v("baseline", c.baseline, Choices{"|video|audio|both"}, "supervised from random weights");
  v("modality", c.modality, Choices{"both|video|audio"}, "what finetuning and test see");
  v.settings("params", c.params, "parameters of the method (see `avbench describe METHOD`)");
  v("pretrained", c.pretrained,
    "false: no pretraining; finetuning starts from the towers' first weights, with the method's "
    "fusion");
  v("paper", c.paper, Range{0, 100}, "published accuracy in %, printed beside the measured one");
  v("control_of", c.control_of,
    "name of a row that this one is a control of, with `protocol.pretrain.pairs: shuffled`: the "
    "table says where that row is no better");
  v.settings("sweep", c.sweep,
             "for `compare --sweep`: lists of values to try, by key, such as "
             "`params.temperature: [0.1, 0.5]` or `pretrain.optimizer.lr: [0.01, 0.1]`; keys of "
             "the protocol where `varies` names them");
  v.overrides("pretrain", c.pretrain, "training", "keys of `training` that this row changes");
  v.overrides("protocol", c.protocol, "protocol",
              "keys of `protocol` that this row changes, all of them named by `varies`");
}

// ---- how to run: never changes a number's meaning -----------------------------------------------

struct RunConfig {
  std::string results = "results";
  int64_t threads = 0;
  int64_t workers = 0;
  int64_t cache_mib = 4096;
  std::vector<std::string> formats;
  std::string on_rebuild = "retrain";
  int64_t checkpoint_every = 200;
  int64_t keep_checkpoints = 2;
};
template <class V>
void fields(V& v, As<RunConfig> auto& c) {
  v.path("results", c.results, "folder that gets <experiment>/<row>-s<seed>/");
  v("threads", c.threads, Range{0, 1024}, "threads of a training step; 0: by the processors");
  v("workers", c.workers, Range{0, 1024}, "loader threads; 0: by the processors");
  v("cache_mib", c.cache_mib, Range{0, 1 << 20},
    "memory for decoded files; a data set that fits is decoded once");
  v.names(
      "formats", c.formats,
      "containers and codecs that are opened beside the usual ones, by FFmpeg's names: for files "
      "that you trust");
  v("on_rebuild", c.on_rebuild, Choices{"retrain|keep"},
    "results of another build of a plugin: train again, or keep them and mark the row as stale");
  v("checkpoint_every", c.checkpoint_every, Range{1, 1000000}, "steps between two checkpoints");
  v("keep_checkpoints", c.keep_checkpoints, Range{1, 1000},
    "newest step checkpoints kept while a stage runs; after it one, beside the last and the best");
}

struct Experiment {
  std::string name;
  std::string description;
  std::vector<int64_t> seeds{0};
  std::vector<std::string> varies;  // "protocol.clip.frames", or a section: what a table is about
  ProtocolConfig protocol;
  TrainingConfig training;
  RunConfig run;
  std::vector<RowConfig> rows;
};
template <class V>
void fields(V& v, As<Experiment> auto& c) {
  v("name", c.name, "name of the experiment, and of its folder under results");
  v("description", c.description, "one or two sentences, printed above the table");
  v("seeds", c.seeds, Range{0, 4294967295.0}, "a run of every row for each");
  v.names("varies", c.varies,
          "keys or sections of the protocol that differ between rows; its hash leaves them out");
  v.section("protocol", c.protocol);
  v.section("training", c.training);
  v.section("run", c.run);
  v.rows("rows", c.rows, c);
}

}  // namespace avbench
