#!/usr/bin/env bash
# Installs what is missing, builds the program, compiles the story model and lets it tell a story.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_deps.sh
mkdir -p build
log=build/demo.log
echo "building lathe (the log is $log)" >&2
[[ -f build/release/CMakeCache.txt ]] || cmake --preset release -DLATHE_TESTS=OFF >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
cmake --build --preset release --target lathe lathe_compiler >>"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }

model=build/stories.lathe
[[ -f $model && $model -nt build/release/lib/liblathe_compiler.so ]] ||
  build/release/bin/lathe compile models/stories_mla_fp8 -o "$model" --force
build/release/bin/lathe run "$model" --prompt "Once upon a time" --greedy --max-new 200 --stats
