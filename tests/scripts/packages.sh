#!/usr/bin/env bash
# scripts/packages.sh with the PATH of an ordinary user of Debian, which leads to no sbin: a program
# of /usr/sbin is found, a made-up one is named as missing, and so it is with patterns of files.
#   packages.sh SCRIPTS      their folder
set -euo pipefail
packages=$1/packages.sh

# missing ROW...: what is missing of a group that has these rows.
missing() {
    env -i PATH=/usr/bin:/bin bash -s "$packages" "$@" <<'SHELL'
source "$1"
sluice_packages_tried=("${@:2}")
sluice_missing tried
SHELL
}
# refusal ROW...: the message for a user who is not root; nothing is installed.
refusal() {
    env -i PATH=/usr/bin:/bin bash -s "$packages" "$@" 2>&1 <<'SHELL'
source "$1"
sluice_packages_tried=("${@:2}")
id() { echo 1000; }
sluice_require tried && echo "nothing is refused"
exit 0
SHELL
}
# expect WHAT WANTED FOUND
expect() {
    if [[ $2 != "$3" ]]; then
        echo "FAILED: $1: \"$3\" instead of \"$2\""
        exit 1
    fi
}

program=chroot
if [[ ! -x /usr/sbin/$program || -e /usr/bin/$program || -e /bin/$program ]]; then
    echo "here $program is not in /usr/sbin alone: that it is found says nothing about the PATH"
fi
expect "a program of /usr/sbin" "" "$(missing "$program:a-package")"
expect "a made-up program" a-package "$(missing "$program:b-package" sluice-made-up:a-package)"
expect "two of one package" a-package "$(missing sluice-made-up:a-package sluice-two:a-package)"
expect "a pattern of files" "" "$(missing '/usr/bin/en*:a-package')"
expect "a made-up pattern" a-package "$(missing '/usr/bin/sluice-made-up*:a-package')"

expect "nothing to install" "nothing is refused" "$(refusal "$program:a-package")"
told=$(refusal "$program:b-package" sluice-made-up:a-package)
[[ $told == missing*a-package* && $told != *b-package* && $told != *"nothing is refused"* ]] ||
    expect "something to install" "missing: a-package" "$told"
