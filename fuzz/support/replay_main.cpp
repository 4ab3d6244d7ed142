// Runs one fuzz target without libFuzzer: every file of the corpus folders, an empty input, and N
// mutations that depend only on the inputs, so that a failure is the same on every machine.
// Usage: PROGRAM [--mutations N] PATH...   A failing input is written to crash-replay.bin.
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using input = std::vector<std::uint8_t>;

constexpr std::size_t largest_input = 70'000;

// The input under test, for the handler that saves it.
const std::uint8_t* current_data = nullptr;
std::size_t current_size = 0;

extern "C" void save_current_input(int number) {
    const int file = open("crash-replay.bin", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file >= 0 && write(file, current_data, current_size) >= 0) {
        constexpr char text[] = "input saved as crash-replay.bin\n";
        (void)!write(2, text, sizeof text - 1);
        close(file);
    }
    std::signal(number, SIG_DFL);
    std::raise(number);
}

void run(const input& bytes) {
    // A block of exactly the right size, so that a sanitizer sees the first byte read too far.
    const input exact(bytes);
    current_data = exact.data();
    current_size = exact.size();
    (void)LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

struct generator {
    std::uint64_t state;
    // SplitMix64.
    std::uint64_t next() {
        std::uint64_t z = (state += 0x9e3779b97f4a7c15);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    std::size_t below(std::size_t bound) { return bound == 0 ? 0 : next() % bound; }
};

std::uint8_t telling_byte(generator& random) {
    constexpr std::uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff, 0x45, 0x46, 0x4f, 20, 60, 68, 131};
    return values[random.below(std::size(values))];
}

std::ptrdiff_t position(generator& random, std::size_t bound) {
    return static_cast<std::ptrdiff_t>(random.below(bound));
}

void mutate_once(input& bytes, const std::vector<input>& corpus, generator& random) {
    if (bytes.empty()) {
        bytes.push_back(telling_byte(random));
        return;
    }
    switch (random.below(6)) {
    case 0:
        bytes[random.below(bytes.size())] ^= std::uint8_t(1u << random.below(8));
        return;
    case 1:
        bytes[random.below(bytes.size())] = telling_byte(random);
        return;
    case 2:
        bytes[random.below(bytes.size())] = std::uint8_t(random.next());
        return;
    case 3:
        bytes.resize(random.below(bytes.size() + 1));
        return;
    case 4:
        bytes.insert(bytes.begin() + position(random, bytes.size()), telling_byte(random));
        return;
    default: {
        const input& other = corpus[random.below(corpus.size())];
        bytes.resize(random.below(bytes.size() + 1));
        bytes.insert(bytes.end(), other.begin() + position(random, other.size() + 1), other.end());
        return;
    }
    }
}

std::vector<input> read_corpus(const std::vector<std::filesystem::path>& paths) {
    std::vector<std::filesystem::path> files;
    for (const auto& path : paths) {
        if (std::filesystem::is_directory(path)) {
            for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
                if (entry.is_regular_file()) files.push_back(entry.path());
            }
        } else if (std::filesystem::exists(path)) {
            files.push_back(path);
        }
    }
    std::sort(files.begin(), files.end());
    std::vector<input> corpus{input{}};
    for (const auto& path : files) {
        std::ifstream file(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return corpus;
}

}  // namespace

int main(int count, char** arguments) {
    std::vector<std::filesystem::path> paths;
    std::size_t mutations = 0;
    for (int i = 1; i < count; ++i) {
        const std::string argument = arguments[i];
        if (argument == "--mutations" && i + 1 < count) {
            mutations = std::strtoull(arguments[++i], nullptr, 10);
        } else if (argument.starts_with("--")) {
            std::fprintf(stderr, "usage: %s [--mutations N] PATH...\n", arguments[0]);
            return 2;
        } else {
            paths.emplace_back(argument);
        }
    }
    for (const int number : {SIGABRT, SIGSEGV, SIGILL, SIGTRAP, SIGFPE, SIGBUS}) {
        std::signal(number, save_current_input);
    }

    const std::vector<input> corpus = read_corpus(paths);
    for (const input& bytes : corpus)
        run(bytes);
    generator random{42};
    for (std::size_t i = 0; i < mutations; ++i) {
        input bytes = corpus[i % corpus.size()];
        for (std::size_t steps = 1 + random.below(4); steps > 0; --steps) {
            mutate_once(bytes, corpus, random);
        }
        if (bytes.size() > largest_input) bytes.resize(largest_input);
        run(bytes);
    }
    std::printf("%zu corpus inputs and %zu mutations: no finding\n", corpus.size(), mutations);
    return 0;
}
