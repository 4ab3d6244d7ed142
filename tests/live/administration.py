#!/usr/bin/env python3
"""Random administration of this kernel and of a stack, side by side: after each command both have the
same routes, and both refuse the same commands.

Usage: administration.py PROGRAM NAMESPACE [SEED [STEPS]]
PROGRAM is tests/live_administration; NAMESPACE is empty and may be changed. Left out is what
docs/linux.md lists: a gateway that is one of our own addresses, an address that is the broadcast
address of another network, MTUs under 68, and removing a route without naming its type.
"""
import random
import re
import subprocess
import sys

DEVICES = ["d1", "d2", "d3", "d4"]
TYPES = {"2": "local", "3": "broadcast", "5": "multicast", "6": "blackhole", "7": "unreachable", "8": "prohibit", "9": "throw"}
SCOPES = {"253": "link", "254": "host", "200": "200"}


class Kernel:
    def __init__(self, namespace):
        self.namespace = namespace
        self.run("link", "set", "lo", "up")

    def run(self, *words):
        done = subprocess.run(["ip", "-N", "-n", self.namespace, *words], capture_output=True, text=True)
        return done.returncode == 0, done.stdout, done.stderr.strip()

    def obey(self, line):
        words = line.split()
        if words[:2] == ["link", "new"]:
            peer = "p" + words[2]
            made, _, why = self.run("link", "add", words[2], "type", "veth", "peer", "name", peer)
            if not made:
                sys.exit(f"no veth devices here: {why}")
            self.run("link", "set", peer, "up")
            return True, ""
        if words[:2] == ["link", "del"]:
            return self.run("link", "del", words[2])[::2]
        if words[0] == "link":
            return self.run("link", "set", words[2], words[1])[::2]
        return self.run("-4", *words)[::2]

    def routes(self):
        lines = []
        for table in ("main", "local"):
            for line in self.run("-4", "route", "show", "table", table)[1].splitlines():
                line = re.sub(r" proto \d+", "", line).strip()
                line = re.sub(r"^(\d) ", lambda m: TYPES[m[1]] + " ", line)
                line = re.sub(r"scope (\d+)", lambda m: "scope " + SCOPES.get(m[1], m[1]), line)
                lines.append(line.replace(" linkdown", ""))
        return sorted(lines)


class Stack:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = []
        while True:
            said = self.process.stdout.readline()
            if not said:
                sys.exit(f"the stack ended at: {line}")
            answer.append(said.rstrip("\n"))
            if said == "ok\n" or said.startswith(("route_error", "interface_error", "no ", "unknown")):
                return answer

    def obey(self, line):
        said = self.ask(line)[-1]
        return said == "ok", said

    def routes(self):
        return sorted(self.ask("show")[:-1])


class Script:
    """Commands that are often possible: they name what is there, most of the time."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.addresses = {}  # device: nets
        self.routes = []  # that were taken

    def pick(self, *choices):
        return self.random.choice(choices)

    def some(self, one_in, text):
        return text if self.random.randrange(one_in) == 0 else ""

    def address(self):
        return f"10.{self.pick(0, 1)}.{self.pick(0, 1, 2)}.{self.pick(1, 2, 9)}"

    def net(self):
        return f"{self.address()}/{self.pick(16, 24, 24, 24, 30, 32)}"

    def gateway(self):
        return self.pick(f"10.{self.pick(0, 1)}.{self.pick(0, 1, 2)}.{self.pick(77, 254)}",
                         f"10.0.{self.pick(0, 1)}.255", f"30.{self.pick(0, 1)}.0.1", "55.0.0.1", "224.0.0.5")

    def prefix(self):
        return self.pick(f"30.{self.pick(0, 1, 2)}.0.0/16", "40.0.0.0/8", "default", f"10.{self.pick(0, 1)}.0.0/24",
                         "30.1.0.7", f"10.0.{self.pick(0, 1, 2)}.77")

    def route(self):
        kind = self.pick("", "", "", "", "", "local ", "broadcast ", "multicast ", "unreachable ", "blackhole ", "throw ")
        text = kind + self.prefix()
        bare = kind in ("unreachable ", "blackhole ", "throw ")
        via = self.some(8 if bare else 2, f" via {self.gateway()}")
        text += via
        text += self.some(8, f" dev {self.pick(*DEVICES)}") if bare else self.some(1 if not via else 2, f" dev {self.pick(*DEVICES)}")
        text += self.some(5, " onlink") if via else self.some(30, " onlink")
        text += self.some(3, f" src {self.pick(self.address(), self.address(), '127.0.0.5', '99.0.0.1')}")
        text += self.some(3, f" metric {self.pick(5, 7)}")
        text += self.some(4, f" mtu {self.pick('', 'lock ')}{self.pick(68, 1000, 65520, 65535)}")
        text += self.some(6, f" tos {self.pick('04', '08', '10')}")
        return text

    def to_remove(self):
        if self.routes and self.random.randrange(5):
            words = self.random.choice(self.routes).split()
            # Some of its words, always its type and prefix.
            kept = words[:2] if words[0].isalpha() and words[0] != "default" else words[:1]
            rest = words[len(kept):]
            while rest:
                count = 1 if rest[0] == "onlink" else 3 if rest[:2] == ["mtu", "lock"] else 2
                if self.random.randrange(3) or rest[0] == "tos":
                    kept += rest[:count]
                rest = rest[count:]
            return " ".join(kept)
        return self.route()

    def next(self):
        n = self.random.randrange(20)
        device = self.pick(*DEVICES)
        if n < 3:
            return f"link {self.pick('up', 'up', 'down')} {self.pick(*DEVICES, *DEVICES, 'lo')}"
        if n < 7 and len(self.addresses.get(device, [])) < 6:
            return f"addr add {self.net()} dev {device}" + self.some(3, f" brd 10.{self.pick(0, 1)}.{self.pick(0, 1, 2)}.255")
        if n < 9:
            known = self.addresses.get(device, [])
            return f"addr del {self.random.choice(known) if known else self.net()} dev {device}"
        if n == 9 and self.random.randrange(4) == 0:
            return f"link del {device}"
        if n < 13:
            return f"route del {self.to_remove()}"
        return f"route add {self.route()}"

    def taken(self, line):
        words = line.split()
        if words[0] == "addr":
            known = self.addresses.setdefault(words[4], [])
            if words[1] == "add":
                known.append(words[2])
            elif words[2] in known:
                known.remove(words[2])
        elif line.startswith("link del"):
            self.addresses.pop(words[2], None)
        elif line.startswith("route add"):
            self.routes = self.routes[-40:] + [line.removeprefix("route add ")]


def unspecific_delete(line):
    """ip sends no type when none is named, which then is any: the stack means unicast."""
    words = line.split()
    return ["route", "del"] == words[:2] and not (words[2].isalpha() and words[2] != "default")


def main():
    program, namespace = sys.argv[1:3]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    steps = int(sys.argv[4]) if len(sys.argv) > 4 else 300
    kernel, stack, script = Kernel(namespace), Stack(program), Script(seed)
    history = []
    changed = 0

    def both(line):
        asked = line.replace("route del ", "route del unicast ", 1) if unspecific_delete(line) else line
        history.append(line)
        right, why = kernel.obey(asked)
        ours, said = stack.obey(line)
        theirs, mine = kernel.routes(), stack.routes()
        if right == ours and theirs == mine:
            return right
        print("\n".join(history[-15:]))
        print(f"seed {seed}, command {len(history)}: {line}\nkernel: {'ok' if right else why}\nstack: {said}")
        print("\n".join(f"kernel alone: {r}" for r in theirs if r not in mine))
        print("\n".join(f"stack alone: {r}" for r in mine if r not in theirs))
        sys.exit(1)

    for device in DEVICES:
        both(f"link new {device}")
        both(f"link up {device}")
    for _ in range(steps):
        line = script.next()
        before = kernel.routes()
        if both(line):
            script.taken(line)
            changed += before != kernel.routes()
        if line.startswith("link del"):
            both(line.replace("del", "new", 1))
    print(f"seed {seed}: {len(history)} commands, {changed} changed routes: both the same")
    if changed < steps // 10:
        sys.exit("too few changes to prove anything")


if __name__ == "__main__":
    main()
