#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test: scripts/test.sh [PRESET] [CTEST ARGUMENTS...]
# e.g. scripts/test.sh -R Moco; PRESET is release (default), debug or fast.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=release
[[ ! ${1:-} =~ ^[a-z] ]] || { preset=$1; shift; }
scripts/build.sh "$preset"
exec ctest --preset "$preset" --parallel 2 "$@"
