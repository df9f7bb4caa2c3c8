#!/usr/bin/env bash
# Installs what is missing, configures and builds: scripts/build.sh [PRESET] [TARGET...]
# PRESET is release (default), debug, asan-ubsan, tsan or fuzz; the build folder is build/PRESET.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[[ -z ${LIBTORCH:-} ]] || LIBTORCH=$(realpath -m "$LIBTORCH")
export LIBTORCH
preset=${1:-release}
(($# == 0)) || shift

# Jobs that fit: one a core, each LibTorch compilation with 2.5 GB of free memory.
jobs() {
  local kib limit used cores
  cores=$(nproc)
  kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  if limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null) && [[ $limit != max ]]; then
    used=$(cat /sys/fs/cgroup/memory.current)
    ((kib * 1024 <= limit - used)) || kib=$(((limit - used) / 1024))
  fi
  local fit=$((kib / 2500000))
  ((fit >= 1)) || fit=1
  echo $((fit < cores ? fit : cores))
}

scripts/bootstrap.sh
cmake --preset "$preset" -DLIBTORCH="${LIBTORCH:-}" -Wno-dev --no-warn-unused-cli \
  --log-level=NOTICE >/dev/null
cmake --build --preset "$preset" --parallel "$(jobs)" ${1:+--target "$@"}
