#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test: scripts/test.sh [CTEST ARGUMENTS...]
# e.g. scripts/test.sh -R Moco
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
scripts/build.sh release
exec ctest --preset release --parallel 2 "$@"
