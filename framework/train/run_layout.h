// The files in the folder of a run, and in that of a pretraining (docs/results.md): every name is
// spelled here alone.
#pragma once

namespace avbench::train::run_layout {

// Every stage.
inline constexpr const char* kCheckpoints = "checkpoints";
inline constexpr const char* kMetrics = "metrics.jsonl";
inline constexpr const char* kTimings = "timings.jsonl";

// A run.
inline constexpr const char* kRecord = "run.json";
inline constexpr const char* kConfig = "config.yaml";
inline constexpr const char* kProtocol = "protocol.json";
inline constexpr const char* kFinetuneResult = "finetune.json";
inline constexpr const char* kPredictions = "predictions.csv";
inline constexpr const char* kClipPredictions = "predictions_clips.csv";
inline constexpr const char* kTestResult = "test.json";

// A pretraining.
inline constexpr const char* kFingerprint = "fingerprint.json";

// Both.
inline constexpr const char* kEnvironment = "environment.json";
inline constexpr const char* kExcludedFiles = "excluded.csv";
inline constexpr const char* kDamagedFiles = "damaged.csv";
inline constexpr const char* kSummary = "summary.json";  // written last

}  // namespace avbench::train::run_layout
