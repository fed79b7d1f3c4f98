#!/usr/bin/env bash
# Installs what Lathe is built with (Debian 12). Does nothing where all of it is there.
#   tools/install_deps.sh [--tests]    --tests: also what only the tests need
set -euo pipefail

packages=(build-essential cmake ninja-build pkg-config ccache git
          libmlir-22-dev mlir-22-tools llvm-22-dev clang-22 lld-22 liblld-22-dev
          libabsl-dev nlohmann-json3-dev libpcre2-dev libutf8proc-dev libxxhash-dev
          libflatbuffers-dev flatbuffers-compiler libcli11-dev libdnnl-dev libpugixml-dev)
if [[ "${1:-}" == --tests ]]; then
  packages+=(libgtest-dev libgmock-dev libbenchmark-dev libclang-rt-22-dev python3)
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

as_root=()
[[ $(id -u) -eq 0 ]] || as_root=(sudo)
echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
