#!/usr/bin/env bash
# Installs what is missing, builds everything, runs every test. Arguments go to ctest (-R NAME, -j N, ...).
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_deps.sh --tests
cmake --preset release -DLATHE_TESTS=ON >build-configure.log 2>&1 || { cat build-configure.log >&2; exit 1; }
rm -f build-configure.log
cmake --build --preset release
ctest --test-dir build/release --output-on-failure --no-tests=error -j "$(nproc)" "$@"
