#!/bin/bash
# The router's routes while packets run: thousands of them, read again at SIGHUP without a packet lost, all or nothing
# when the file is wrong, more than there was room for, and there again when an interface is back.
set -u
source "$(dirname "$0")/namespaces.bash"
need ping
router="$1/examples/router"
[ -x "$router" ] || skip "the router is not built"
new_output
fail() {
    echo "$*"
    tail -n 20 "$output"/*
    exit 1
}

new_line 10.9.4 10.9.5
# Hosts behind the right one: 20.X.Y.1 is there, for every X and Y.
ip -n "$right" route add local 20.0.0.0/8 dev lo

# routes FROM TO [WORDS]: networks FROM to TO - 1 of 20/8, in the file.
routes() {
    for ((i = $1; i < $2; ++i)); do
        echo "20.$((i / 256)).$((i % 256)).0/24 via 10.9.5.2 ${3:-}"
    done
}
# reload: SIGHUP, and the line that the router says about it.
reload() {
    local before
    before=$(wc -l < "$output/said")
    kill -HUP "$process"
    answered() { [ "$(wc -l < "$output/said")" -gt "$before" ]; }
    wait_for 20 answered || fail "no answer to SIGHUP"
    tail -n +$((before + 1)) "$output/said" | head -n 1
}
reaches() { ip netns exec "$left" ping -q -n -c 1 -W "${2:-2}" "$1" > /dev/null 2>&1; }

{ echo "# more than a table used to hold"; routes 0 3000; } > "$output/routes"
"$router" --packet "$middle:west:10.9.4.1/24" --packet "$middle:east:10.9.5.1/24" --workers 2 \
    --routes "$output/routes" > "$output/out" 2> "$output/said" &
process=$!
ready() { grep -q '^router: ready' "$output/out"; }
wait_for 20 ready || fail "the router does not start"
reaches 20.0.0.1 5 || fail "the first of 3000 routes"
reaches 20.11.183.1 || fail "the last of 3000 routes"
reaches 20.11.184.1 1 && fail "a route that nobody gave"

# More than there was room for.
routes 0 30000 > "$output/routes"
said=$(reload)
[ "$said" = "router: 30000 routes" ] || fail "30000 routes: $said"
reaches 20.11.183.1 || fail "a route from before"
reaches 20.117.47.1 || fail "the last of 30000 routes"

# Changed under traffic: a hundred routes with other words each time, the one in use among them.
ip netns exec "$left" ping -n -q -i 0.01 -W 2 -c 400 20.0.7.1 > "$output/ping" 2>&1 &
ping_process=$!
for round in 1 2 3 4 5 6; do
    { routes 0 100 "metric $round"; routes 100 2000; } > "$output/routes"
    said=$(reload)
    [ "$said" = "router: 2000 routes" ] || fail "round $round: $said"
    sleep 0.3
done
wait "$ping_process"
grep -q ' 400 received, 0% packet loss' "$output/ping" || fail "lost while the routes changed: $(cat "$output/ping")"

# Wrong in itself, and wrong for the stack: what was stays, with the line at fault.
{ routes 0 3; echo "20.0.9.0/24 by 10.9.5.2"; } > "$output/routes"
said=$(reload)
[ "$said" = "router: $output/routes:4: unknown word: by; the routes stay as they were" ] || fail "a wrong line: $said"
{ echo "21.0.0.0/8 via 10.9.5.2"; routes 5 9; echo "20.0.7.0/24 via 10.9.5.2 metric 6"; } > "$output/routes"
said=$(reload)
[ "$said" = "router: 6 routes" ] || fail "another metric: $said"
{ echo "22.0.0.0/8 via 10.9.5.2"; echo "20.0.7.0/24 via 55.0.0.1"; } > "$output/routes"
said=$(reload)
refused="router: $output/routes:2: 20.0.7.0/24 via 55.0.0.1 refused: no link leads to its gateway; name a gateway on a link, or add dev NAME onlink; the routes stay as they were"
[ "$said" = "$refused" ] || fail "a gateway that is nowhere: $said"
reaches 20.0.7.1 || fail "a route from before a wrong file"
rm "$output/routes"
said=$(reload)
[ "$said" = "router: $output/routes: No such file or directory; the routes stay as they were" ] || fail "no file: $said"
reaches 20.0.7.1 || fail "a route from before the file went"

# Taken away and given back.
echo "20.0.8.0/24 dev east via 10.9.5.2 src 10.9.5.1 mtu 1400" > "$output/routes"
said=$(reload)
[ "$said" = "router: 1 routes" ] || fail "one route: $said"
reaches 20.0.7.1 1 && fail "a route that was taken away"
reaches 20.0.8.1 || fail "the one route"

# Routes go with their interface, and the administrator's come back with it.
ip -n "$right" link set wire0 down
went() { grep -q 'east is not connected' "$output/said"; }
wait_for 5 went || fail "a pulled cable is not reported"
reaches 20.0.8.1 1 && fail "reached through a pulled cable"
{ cat "$output/routes"; routes 9 12; } > "$output/more"
mv "$output/more" "$output/routes"
said=$(reload)
[ "$said" = "router: 4 routes" ] || fail "routes that wait for an interface: $said"
ip -n "$right" link set wire0 up
ip -n "$right" route add default via 10.9.5.1
came() { grep -q 'east is up' "$output/said"; }
wait_for 5 came || fail "a cable that is back is not reported"
wait_for 5 reaches 20.0.8.1 || fail "a route whose interface is back"
wait_for 5 reaches 20.0.11.1 || fail "a route that waited for its interface"

kill -TERM "$process"
wait "$process"
code=$?
process=
[ "$code" = 0 ] || fail "exit code $code"
