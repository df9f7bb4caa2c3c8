#!/usr/bin/env bash
# weights_in_python_test.sh AVBENCH REPOSITORY: the program of docs/weights_in_python.md gives the
# features that avbench gives, within 1e-5. Exit code 77: skipped.
set -euo pipefail
avbench=$1 root=$2 python=${AVBENCH_PYTHON:-python3}
if ! "$python" -c 'import torch, safetensors' 2>/dev/null; then
  echo "skipped: $python has no torch or no safetensors (AVBENCH_PYTHON names another Python)"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export AVBENCH_CACHE=$work/cache
"$avbench" dataset synth data --classes 2 --train 8 --val 2 --test 2 --size 40x40 --seconds 1 --fps 8 2>/dev/null
cat >tiny.yaml <<'Y'
name: tiny
protocol:
  data: {source: data}
  clip: {frames: 8, stride: 1, resize: [40, 40], crop: 32}
  spectrogram: {sample_rate: 8000, n_fft: 512, window: 128, hop: 128, bands: 32, f_max: 4000,
                size: [32, 32], resize: [32, 32], crop: 32}
  encoder: {width: 8}
  finetune: {epochs: 2, batch_size: 4}
  test: {clips: 1}
rows:
  - {name: Baseline-R+A, baseline: both}
Y
"$avbench" finetune tiny.yaml 2>/dev/null
run=results/tiny/Baseline-R+A-s0
"$avbench" embed "$run" --out features.safetensors 2>/dev/null
sed -n '/^```python$/,/^```$/p' "$root/docs/weights_in_python.md" | sed '1d;$d' >example.py
first=$(find data/test -name '*.mp4' | sort | head -1)
"$avbench" sample "$first" --config tiny.yaml --out clip.safetensors 2>/dev/null
"$python" example.py "$run/checkpoints/best.safetensors" clip.safetensors >python.txt
"$python" - "$first" <<'P'
import json, sys
from safetensors import safe_open
with safe_open("features.safetensors", "pt") as file:
    ids, video = json.loads(file.metadata()["ids"]), file.get_tensor("video")
row = [i for i, name in enumerate(ids) if sys.argv[1].endswith(name) or name in sys.argv[1]]
assert len(row) == 1, (sys.argv[1], ids)
ours, theirs = video[row[0]].tolist(), [float(x) for x in open("python.txt").read().split()]
assert len(ours) == len(theirs) == 64 and max(theirs) > 0.01
worst = max(abs(a - b) for a, b in zip(ours, theirs))
print("largest difference", worst)
assert worst < 1e-5
P
