#!/usr/bin/env bash
# clang-tidy over the headers of layers 0 to 5, through the one source that includes them all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tidy=${CLANG_TIDY:-clang-tidy-19}
source_file=build/clang/tests/headers/every_core_header.cpp
[[ -f $source_file ]] || cmake --preset clang >/dev/null
"$tidy" --quiet -p build/clang "$source_file"
