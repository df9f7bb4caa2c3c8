#!/usr/bin/env bash
# Installs what is missing, configures and builds: scripts/build.sh [PRESET] [TARGET...]
# PRESET is release (default), debug, fast, asan-ubsan, tsan or fuzz; the build folder is build/PRESET.
# fast and fuzz need no LibTorch. compile_commands.json, for clangd, is linked into the root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -z ${LIBTORCH:-} ]] || LIBTORCH=$(realpath -m "$LIBTORCH")
export LIBTORCH
preset=${1:-release}
(($# == 0)) || shift
without=() job_kib=2500000  # of a compilation with LibTorch's headers
[[ $preset != fast && $preset != fuzz ]] || without=(--no-libtorch) job_kib=800000

# Jobs that fit: one a core, each with enough free memory.
jobs() {
  local kib limit used cores
  cores=$(nproc)
  kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  if limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null) && [[ $limit != max ]]; then
    used=$(cat /sys/fs/cgroup/memory.current)
    ((kib * 1024 <= limit - used)) || kib=$(((limit - used) / 1024))
  fi
  local fit=$((kib / job_kib))
  ((fit >= 1)) || fit=1
  echo $((fit < cores ? fit : cores))
}

scripts/bootstrap.sh "${without[@]}"
cmake --preset "$preset" -DLIBTORCH="${LIBTORCH:-}" -Wno-dev --no-warn-unused-cli \
  --log-level=NOTICE >/dev/null
database=build/release/compile_commands.json  # has every file
[[ -f $database ]] || database=build/$preset/compile_commands.json
ln -sfn "$database" compile_commands.json
cmake --build --preset "$preset" --parallel "$(jobs)" ${1:+--target "$@"}
