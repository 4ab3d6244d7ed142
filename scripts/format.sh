#!/usr/bin/env bash
# Formats the C++ sources in place; with --check only names those that are not formatted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
formatter=${CLANG_FORMAT:-clang-format-19}
mode=(-i)
[[ ${1-} == --check ]] && mode=(--dry-run -Werror)
folders=()
for folder in include tests fuzz bench examples; do
    [[ -d $folder ]] && folders+=("$folder")
done
# tests/compile_fail keeps its mistakes as they were written.
find "${folders[@]}" -path tests/compile_fail -prune -o \( -name '*.hpp' -o -name '*.cpp' \) -print0 |
    xargs -0 -r "$formatter" --style=file "${mode[@]}"
