#!/bin/bash
# The example explain: a capture made here, its output to the letter; and real captures, where
# SLUICE_CAPTURES or the folder beside the project's has them.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec python3 "$here/explain.py" "$1" "${SLUICE_CAPTURES:-$here/../../../shared/captures}"
