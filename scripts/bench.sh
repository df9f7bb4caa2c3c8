#!/usr/bin/env bash
# Measures training steps of avbench and of Python PyTorch, interleaved, and prints their ratios beside
# the goals.
# Usage: scripts/bench.sh [--check] [--quick] [--compiled]
#   --check     compares with results/bench/step.json: exit code 1 if a ratio fell by more than the
#               spread of either measurement
#   --quick     one round of the two smaller shapes
#   --compiled  adds torch.compile of the tuned peer (needs a C++ compiler; minutes)
# Needs build/release (scripts/build.sh) and a Python with torch 2.11: PEER_PYTHON=venv/bin/python.
# Without one only avbench is measured, with its own kernels and without. Writes results/bench/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec python3 benchmarks/step_ratios.py "$@"
