# For clients.sh, to be sourced: each function runs a client in $from, bounded, and prints what it printed, in
# one line and without times and what chance gives. The whole is in $said.
# Wants: $from (a namespace) and $said (a file).

# Longer than any waits for an answer: a busy machine takes long to start one.
client() { ip netns exec "$from" timeout 60 "$@" > "$said" 2>&1; }

# near_now MILLISECONDS: since midnight UT, as in options and ICMP timestamps.
near_now() {
    local behind=$((($(date +%s%3N) - $1 + 864000000) % 86400000))
    [ "$behind" -le 5000 ] && echo now || echo "$behind ms ago"
}

recorded_by_ping() {
    client ping -n -R -c 1 -W 2 "$@"
    sed -n '/^RR:/,/^$/p' "$said" | sed 's/^RR://' | xargs
}
# Addresses, whether the first timestamp is near now, and whether none is before the one ahead of it: ping prints
# the others as differences.
stamped_by_ping() {
    client ping -n -c 1 -W 2 -T "$@"
    sed -n '/^TS:/,/^$/ { s/^TS://; /[0-9]/p }' "$said" > "$said.stamps"
    local first
    first=$(awk '$NF == "absolute" { print $(NF - 1) }' "$said.stamps")
    {
        awk '/^Unrecorded/ { print; next } { print $1 ~ /[.]/ ? $1 : "*" }' "$said.stamps"
        near_now "${first:-0}"
        awk '!/absolute|Unrecorded/ && ($NF < 0 || $NF > 1000) { print "out of order"; exit }' "$said.stamps"
    } | xargs
}
answers_to_ping() {
    client ping -n -i 0.2 -W 1 "$@"
    grep -o '[0-9]* received' "$said"
}

# Every answer may take as long, however fast those of the hops behind are.
hops_by_traceroute() {
    client traceroute -n -q 1 -m 4 -w 2,0,0 "$@"
    awk 'NR > 1 { print $2; for (i = 3; i <= NF; ++i) if ($i ~ /^(F=|!)/) print $i }' "$said" | xargs
}
path_by_tracepath() {
    client tracepath -n -m 4 "$@"
    sed 's/[0-9.]*ms//; s/  */ /g; s/^ //; s/ $//' "$said" | uniq | paste -sd ','
}
# Until mtr knows how far the host is, it asks farther and farther, the sooner on a slow path: without a limit that
# alone uses up the six errors that one host gets at once.
hops_by_mtr() {
    client mtr -n --report -c 3 -i 0.3 -G 2 -m 2 "$@"
    awk '$1 ~ /[|]--$/ { print $2, $3 }' "$said" | xargs
}

# From whom, type and code, and the options that came back, timestamps as a word.
echoed_to_nping() {
    client nping -c 1 --delay 300ms "$@"
    local answer
    answer=$(sed -n -E 's/^RCVD \([0-9.]*s\) ICMP \[([0-9.]*) > .*type=([0-9]+)\/code=([0-9]+)\).*/\1 \2\/\3/p' "$said")
    echo "${answer:-nothing}" "$(sed -n 's/^RCVD.*ipopts={\(.*\)}]$/\1/p' "$said" |
        sed -E 's/ 0\.0\.0\.0//g; s/#0\.0\.0\.0//; s/\<[0-9]{4,8}\>/stamp/g')" | xargs
}
# How many answers from whom, their TTL; recorded addresses; TCP flags.
answers_to_hping() {
    client hping3 -n "$@"
    echo "$(sed -n -E 's/^len=[0-9]* ip=([0-9.]*) ttl=([0-9]*) .*/\1 ttl \2/p' "$said" | sort | uniq -c)" \
        "$(sed -n '/^RR:/,/^$/ { s/^RR://; p }' "$said")" "$(grep -o 'flags=[A-Z]*' "$said")" | xargs
}
clock_by_hping() {
    client hping3 -n -c 1 --icmp-ts "$@"
    local stamp
    for stamp in $(grep -o -E '(Receive|Transmit)=[0-9]+' "$said"); do
        near_now "${stamp#*=}"
    done | xargs
}

# What nmap makes of the answers to its probes of UDP and of echo. Its four TCP probes are answered with errors too
# where there is no TCP, and six at once is what one host gets.
icmp_by_nmap() {
    client nmap -n -Pn -O -v -d --max-os-tries 1 -p 22 --max-retries 1 "$@"
    grep -E '^(U1|IE)\(' "$said" | xargs
}
# Its class for the identifications of the two echo replies that it gets; one of a random pair in sixty fits none.
identifications_by_nmap() {
    local try
    for try in 1 2 3 4; do
        icmp_by_nmap "$@" > /dev/null
        grep -q '^SEQ(.*II=' "$said" && break
    done
    sed -n -E 's/^SEQ\(.*\<(II=[A-Z]+).*/\1/p' "$said"
}
# The class by nmap's rules for many samples (https://nmap.org/book/osdetect-methods.html, TI), of 100 echo
# replies without DF.
class_of_identifications() {
    client hping3 -n --icmp -c 100 -i u3000 "$@"
    sed -n -E 's/^len=.* ttl=[0-9]+ id=([0-9]+) .*/\1/p' "$said" | awk '
        NR > 1 {
            step = ($1 - last + 65536) % 65536
            wide = wide || step > 20000
            some = some || step > 1000 && (step % 256 != 0 || step >= 25600)
            changes = changes || step != 0
            odd = odd || step % 256 != 0 || step > 5120
            large = large || step >= 10
        }
        { last = $1 }
        END {
            print NR < 90 ? "too few: " NR : wide ? "RD" : !changes ? "constant" : \
                  some ? "RI" : !odd ? "BI" : !large ? "I" : "none"
        }'
}
