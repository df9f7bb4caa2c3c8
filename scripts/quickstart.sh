#!/usr/bin/env bash
# From a fresh clone to a comparison of methods on real video files:
#   scripts/quickstart.sh [ARGUMENTS OF avbench compare...], e.g. --set seeds=[0,1,2]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
avbench=build/release/bin/avbench

scripts/build.sh release avbench avbench_plugins
"$avbench" dataset synth data/quickstart
"$avbench" compare configs/quickstart.yaml "$@"
