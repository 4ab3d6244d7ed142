"""The test programs that meet a mutant: all that the build makes a test of, in a good order."""
import os
import re
import shlex
import subprocess
import sys
import time

# Every other program that ctest would start is asked; a new one is therefore asked without a word.
NOT_ASKED = {
    "kernel.parse": "reads the vectors, and no header",
    "kernel.comparer": "tests the replayer, with a subject that is no stack",
    "kernel.self_test": "breaks the vectors, not the stack",
    "kernel.replayer": "tests the replayer",
    "kernel.switches_self_test": "tests the comparison with the record",
    "kernel.differential": "needs this machine's kernel; what it found is replayed as kernel.found",
}
LIMIT = 20  # seconds, or ten times what the test takes unbroken
SKIPPED = 77
# Programs in front of real sockets may fail for want of time: what they catch, they catch twice.
ASKED_TWICE = ("unit.port",)


def of_build(build):
    """{name of a ctest: its command}, of those that are to be asked; fails when the list of those
    that are not names what is not there."""
    programs = {}
    for file in sorted(build.rglob("CTestTestfile.cmake")):  # ctest itself wants all built
        for name, words in re.findall(r"^add_test\(\[=+\[(.*?)\]=+\] (.*)\)$", file.read_text(),
                                      re.M):
            command = shlex.split(words)
            if command[0].startswith(f"{build}/tests/"):
                programs[name] = command
    gone = [name for name in NOT_ASKED if name not in programs]
    if gone:
        sys.exit(f"programs.py: NOT_ASKED names no test of the build: {' '.join(gone)}")
    stop_early = {name: ["--abort-after=1"] if "--no-intro" in command else []
                  for name, command in programs.items()}
    return {name: command + stop_early[name] for name, command in programs.items()
            if name not in NOT_ASKED}


def target_of(command):
    return os.path.basename(command[0])


def targets(build):
    return sorted({target_of(command) for command in of_build(build).values()})


def readers_of_headers(build):
    """{header below include/sluice: the programs that were compiled with it}, from ninja."""
    deps = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], capture_output=True, text=True,
                          check=True).stdout
    readers, program = {}, ""
    for line in deps.splitlines():
        if line and not line[0].isspace():
            folder = re.search(r"/CMakeFiles/(\w+)\.dir/", line)
            program = folder.group(1) if folder else ""
            program = "replay_vectors" if program == "sluice_subject" else program
        elif "/include/sluice/" in line:
            readers.setdefault(line.partition("/include/sluice/")[2], set()).add(program)
    return readers


class Programs:
    """What is asked of each mutant. Ends the run when one fails or skips without a mutant."""

    def __init__(self, build):
        self.build = build
        self.commands = of_build(build)
        self.readers = readers_of_headers(build)
        self.seconds = {}
        for name in self.commands:
            start = time.monotonic()
            code = self.code(name, 0, 600)
            if code != 0:
                sys.exit(f"{name} {'skips' if code == SKIPPED else 'fails'} without any mutant: "
                         f"{' '.join(self.commands[name])}")
            self.seconds[name] = time.monotonic() - start

    def code(self, name, number, limit):
        """How the program ends with that mutant; None: not in time."""
        environment = dict(os.environ, SLUICE_MUTANT=str(number))
        try:
            return subprocess.run(self.commands[name], env=environment, stdin=subprocess.DEVNULL,
                                  cwd=self.build, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  timeout=limit).returncode
        except subprocess.TimeoutExpired:
            return None

    def catches(self, name, number):
        limit = max(LIMIT, 10 * self.seconds[name])
        times = 2 if name in ASKED_TWICE else 1
        return all(self.code(name, number, limit) not in (0, SKIPPED) for _ in range(times))

    def order_for(self, mutant):
        """The room's own first, then the fastest; only those that were compiled with its file."""
        room = f"unit.{mutant.file.split('/')[0]}"
        reading = self.readers.get(mutant.file, set())
        return sorted((name for name, command in self.commands.items()
                       if target_of(command) in reading),
                      key=lambda name: (name != room, self.seconds[name]))

    def first_to_catch(self, mutant):
        return next((name for name in self.order_for(mutant) if self.catches(name, mutant.number)),
                    "")
