#!/bin/bash
# The capture of examples/router where it cannot be written: on a full disk, into a pipe whose reader stands still,
# comes back and goes. The router forwards all the while, says what is the matter, and what was captured is readable.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping tshark unshare mkfifo
router="$1/examples/router"
[ -x "$router" ] || skip "$router is not built"
new_output
reader=
end_others() { [ -z "$reader" ] || { kill -CONT "$reader" && kill "$reader"; } 2> /dev/null; }
fail() {
    echo "FAILED: $*"
    cat "$output/router" "$output/ping" "$output/errors" 2> /dev/null
    exit 1
}

new_line 10.0.1 10.0.2
# read_pipe: a reader that has the pipe open; what this script keeps open until the router writes lets it wait.
reads_pipe() { [ "$(readlink "/proc/$reader/fd/0")" = "$output/pipe" ]; }
read_pipe() {
    exec 7<> "$output/pipe"
    cat < "$output/pipe" > "$output/got" 7>&- &
    reader=$!
    wait_for 5 reads_pipe || fail "nobody reads the pipe"
}
# start FILE PREFIX...: the router, capturing into the file, run by the prefix.
start() {
    "${@:2}" "$router" --workers 2 --packet "$middle:west:10.0.1.1/24" --packet "$middle:east:10.0.2.1/24" \
        --pcap "$1" > "$output/router" 2>&1 7>&- &
    process=$!
    wait_for 5 grep -q "router: ready" "$output/router" || fail "the router does not start"
    exec 7>&-
    wait_for 10 ip netns exec "$left" ping -n -c 1 -W 1 10.0.2.2 || fail "no ping"
}
# More than any pipe holds: 200 pings of 1,000 bytes, four packets of the capture each. All are answered.
traffic() {
    ip netns exec "$left" ping -n -q -f -c 200 -s 1000 10.0.2.2 > "$output/ping" 2>&1
    grep -q " 200 received" "$output/ping" || fail "$1: pings were not answered"
}
said() { # TIMES WORDS
    [ "$(grep -c "$2" "$output/router")" = "$1" ] || fail "not said $1 times: $2"
}
stop() {
    kill -TERM "$process"
    wait "$process" || fail "exit code $?"
    process=
}
# readable FILE LEAST: by tshark, without a complaint.
readable() {
    tshark -r "$1" -T fields -e frame.number > "$output/frames" 2> "$output/errors" || fail "tshark does not read $1"
    [ "$(wc -l < "$output/frames")" -ge "$2" ] || fail "$(wc -l < "$output/frames") packets in $1"
}

mkdir "$output/small"
start "$output/small/capture" unshare -m sh -c 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"' "$output/small"
traffic "full disk"
said 1 "No space left on device: the capture ends with its last whole packet; mend that and start it again"
cp "/proc/$process/root/$output/small/capture" "$output/full" || fail "no capture on the small disk"
stop
said 1 "packets are missing from the capture"
readable "$output/full" 40
[ "$(wc -c < "$output/full")" -gt 60000 ] || fail "the small disk was not used"

mkfifo "$output/pipe"
"$router" --packet "$middle:west:10.0.1.1/24" --pcap "$output/pipe" > "$output/router" 2>&1 && fail "a pipe without reader"
said 1 "create $output/pipe: No such device or address: no program reads this pipe; start its reader first"

read_pipe
start "$output/pipe"
kill -STOP "$reader"
traffic "stopped reader"
said 1 "its reader does not keep up, packets are missing from the capture; read it faster, or capture into a file"
kill -CONT "$reader"
wait_for 5 ip netns exec "$left" ping -n -q -c 1 -W 1 10.0.2.2 || fail "no ping"
stop
said 1 "packets are missing from the capture $output/pipe"
wait "$reader"
readable "$output/got" 40

read_pipe
start "$output/pipe"
kill "$reader"
wait "$reader" 2> /dev/null
reader=
traffic "reader that is gone"
said 1 "Broken pipe: its reader is gone; the capture ends here; start its reader and the capture again"
stop
