// Captures when writing fails: a full disk, a reader that stops or closes.
#include <sluice/port/capture.hpp>
#include <sluice/port/capture_file.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/pcapng_file.hpp>

#include "support/datagrams.hpp"
#include "waiting.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#include <sys/resource.h>
#include <sys/socket.h>

namespace port_capture_sink {
using namespace support;
using namespace sluice::port;
using namespace port_test;

namespace {

struct folder {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-sink-XXXXXX").string();
    folder() { REQUIRE(::mkdtemp(name.data()) != nullptr); }
    ~folder() { std::filesystem::remove_all(name); }
    [[nodiscard]] std::string at(const char* file) const { return name + "/" + file; }
};

// While one lives no file of this process grows beyond the limit.
struct largest_file {
    rlimit before{};
    explicit largest_file(rlim_t limit) {
        ::getrlimit(RLIMIT_FSIZE, &before);
        const rlimit now{limit, before.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_FSIZE, &now) == 0);
    }
    ~largest_file() { ::setrlimit(RLIMIT_FSIZE, &before); }
};

struct pipe_ends {
    descriptor read, write;
    pipe_ends() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);  // blocking: the writer has to see to it
        read = descriptor{ends[0]};
        write = descriptor{ends[1]};
    }
};

// All that lies in it now.
void drain(const descriptor& from, byte_vector& to) {
    const int flags = ::fcntl(from.get(), F_GETFL);
    ::fcntl(from.get(), F_SETFL, flags | O_NONBLOCK);
    std::byte some[4096];
    for (ssize_t n = 1; n > 0;) {
        n = ::read(from.get(), some, sizeof some);
        to.insert(to.end(), some, some + (n > 0 ? n : 0));
    }
    ::fcntl(from.get(), F_SETFL, flags);
}

// The sizes of its packets; the last is 0 when something is behind them that is no packet.
std::vector<std::size_t> sizes_in(const_bytes content) {
    std::vector<std::size_t> sizes;
    auto in = capture::reader::open(content);
    REQUIRE(in.has_value());
    auto record = in->next();
    for (; record; record = in->next()) {
        sizes.push_back(record->captured.size());
    }
    if (record.error() != capture::error::end) {
        sizes.push_back(0);
    }
    return sizes;
}

std::string text_of(const std::optional<port_error>& e) {
    return e ? std::string{message(*e).c_str()} : "";
}

// Both formats alike.
struct classic {
    using writer = pcap::writer;
    static auto create(const std::string& path) {
        return pcap::writer::create(path.c_str(), pcap::link_type::raw);
    }
    static auto open(descriptor fd) {
        return pcap::writer::open(std::move(fd), pcap::link_type::raw, "pipe");
    }
    static void describe(writer&) {}
    static bool write(writer& to, const byte_vector& packet) { return to.write(1_s, packet); }
};
struct newer {
    using writer = pcapng::writer;
    static auto create(const std::string& path) { return pcapng::writer::create(path.c_str()); }
    static auto open(descriptor fd) { return pcapng::writer::open(std::move(fd), "pipe"); }
    static void describe(writer& to) { REQUIRE(to.add_interface(pcap::link_type::raw, "eth0")); }
    static bool write(writer& to, const byte_vector& packet) {
        return to.write_bytes(0, 1_s, packet);
    }
};

int pipe_signals = 0;
void count_signal(int) {
    ++pipe_signals;
}
// A program that has a handler of its own for SIGPIPE and SIGXFSZ: it is never called.
struct watched_signals {
    struct sigaction pipe_before{}, size_before{};
    watched_signals() {
        struct sigaction watch{};
        watch.sa_handler = count_signal;
        ::sigaction(SIGPIPE, &watch, &pipe_before);
        ::sigaction(SIGXFSZ, &watch, &size_before);
        pipe_signals = 0;
    }
    ~watched_signals() {
        struct sigaction now{};
        ::sigaction(SIGPIPE, nullptr, &now);
        CHECK((now.sa_handler == count_signal));
        CHECK(pipe_signals == 0);
        ::sigaction(SIGPIPE, &pipe_before, nullptr);
        ::sigaction(SIGXFSZ, &size_before, nullptr);
    }
};

}  // namespace

TEST_CASE_TEMPLATE("a file that cannot grow ends with its last whole packet", Format, classic,
                   newer) {
    const watched_signals watched;
    const folder at;
    const std::string path = at.at("capture");
    for (rlim_t limit = 120; limit < 400; limit += 7) {
        CAPTURE(limit);
        std::vector<std::size_t> written;
        {
            auto file = Format::create(path);
            REQUIRE(file.has_value());
            Format::describe(*file);
            {
                const largest_file full{limit};
                for (std::size_t n = 1; n < 100; ++n) {
                    if (Format::write(*file, pattern(n))) written.push_back(n);
                }
            }
            CHECK(written.size() < 20);
            // There is room again; the capture has ended, and says so once.
            CHECK_FALSE(Format::write(*file, pattern(1)));
            CHECK(text_of(file->news()) ==
                  "write " + path.substr(0, 47) +
                      ": File too large: the capture ends with its last whole packet; mend that "
                      "and start it again");
            CHECK_FALSE(file->news().has_value());
        }
        const auto content = capture::load_file(path.c_str());
        REQUIRE(content.has_value());
        CHECK(content->size() <= limit);
        CHECK(sizes_in(*content) == written);
    }
}

TEST_CASE("a full disk ends the capture for all who share it") {
    const watched_signals watched;
    const folder at;
    auto file = pcapng::writer::create(at.at("capture").c_str());
    REQUIRE(file.has_value());
    REQUIRE(file->add_interface(pcap::link_type::raw, "eth0"));
    auto other = file->share();
    std::size_t written = 0;
    {
        const largest_file full{1000};
        for (int i = 0; i < 100; ++i) {
            written += newer::write(i % 2 == 0 ? *file : other, pattern(300)) ? 1u : 0u;
        }
    }
    CHECK(written == 2);
    CHECK_FALSE(newer::write(other, pattern(1)));
    CHECK_FALSE(newer::write(*file, pattern(1)));
    CHECK(other.news().has_value() != file->news().has_value());
    const auto content = capture::load_file(at.at("capture").c_str());
    CHECK(sizes_in(*content) == std::vector<std::size_t>{300, 300});
}

TEST_CASE_TEMPLATE("a reader that stops causes lost packets, whole ones, and no delay", Format,
                   classic, newer) {
    pipe_ends ends;
    auto file = Format::open(std::move(ends.write));
    REQUIRE(file.has_value());
    Format::describe(*file);
    std::vector<std::size_t> written;
    byte_vector got;
    const long rested = rests();
    std::size_t lost = 0;
    for (int round = 0; round < 5; ++round) {
        // More than the pipe holds; sizes that do not fit it evenly.
        for (std::size_t n = 1; n < 40; ++n) {
            const std::size_t size = n * 331 + static_cast<std::size_t>(round);
            if (Format::write(*file, pattern(size))) {
                written.push_back(size);
            } else {
                CHECK(errno == EAGAIN);
                ++lost;
            }
        }
        drain(ends.read, got);
    }
    CHECK(rests() - rested < 10);
    CHECK(lost > 20);
    CHECK(written.size() > 20);
    CHECK(text_of(file->news()) ==
          "write pipe: its reader does not keep up, packets are missing from the capture; read it "
          "faster, or capture into a file");
    CHECK_FALSE(file->news().has_value());
    {
        const auto gone = std::move(*file);  // the rest of a packet is written
    }
    drain(ends.read, got);
    CHECK(sizes_in(got) == written);
}

TEST_CASE_TEMPLATE("a closed reader ends the capture, not the program", Format, classic, newer) {
    const watched_signals watched;
    pipe_ends ends;
    auto file = Format::open(std::move(ends.write));
    REQUIRE(file.has_value());
    Format::describe(*file);
    CHECK(Format::write(*file, pattern(100)));
    ends.read.reset();
    CHECK_FALSE(Format::write(*file, pattern(100)));
    CHECK(errno == EPIPE);
    CHECK_FALSE(Format::write(*file, pattern(100)));
    CHECK(errno == EBADF);
    CHECK(text_of(file->news()) == "write pipe: Broken pipe: its reader is gone; the capture ends "
                                   "here; start its reader and the capture again");
    CHECK_FALSE(file->news().has_value());
    sigset_t pending;
    ::sigpending(&pending);
    CHECK(sigismember(&pending, SIGPIPE) == 0);
}

TEST_CASE("a SIGPIPE that was pending before stays pending") {
    const watched_signals watched;
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &one, &before);
    ::raise(SIGPIPE);
    pipe_ends ends;
    auto file = pcap::writer::open(std::move(ends.write), pcap::link_type::raw);
    ends.read.reset();
    CHECK_FALSE(file->write(1_s, pattern(10)));
    const timespec now{};
    CHECK(::sigtimedwait(&one, nullptr, &now) == SIGPIPE);
    CHECK(::sigtimedwait(&one, nullptr, &now) == -1);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TEST_CASE("sockets are written like pipes") {
    const watched_signals watched;
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    descriptor reader{ends[0]};
    auto file = pcapng::writer::open(descriptor{ends[1]});
    REQUIRE(file.has_value());
    newer::describe(*file);
    std::vector<std::size_t> written;
    byte_vector got;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 100; ++i) {
            if (newer::write(*file, pattern(20'000))) written.push_back(20'000);
        }
        drain(reader, got);
    }
    CHECK(written.size() < 300);
    reader.reset();
    CHECK_FALSE(newer::write(*file, pattern(100)));
    CHECK(errno == EPIPE);
    byte_vector all = got;
    const auto sizes = sizes_in(all);
    CHECK(sizes.size() <= written.size() + 1);  // perhaps half of one more
    CHECK(sizes.size() + 1 >= written.size());
}

// The packets that a reader gets if it reads 20 ms after the end began.
byte_vector read_late(std::size_t& written) {
    pipe_ends ends;
    byte_vector got(30'000);
    auto file = pcap::writer::open(std::move(ends.write), pcap::link_type::raw);
    written = 0;
    while (file->write(1_s, pattern(10'000))) {
        ++written;
    }
    std::thread late{[&] {
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
        CHECK(::read(ends.read.get(), got.data(), got.size()) == 30'000);
    }};
    {
        const auto gone = std::move(*file);
    }
    late.join();
    drain(ends.read, got);
    return got;
}

TEST_CASE("at the end a live reader gets the last packet whole, without a wait") {
    // A reader that a busy machine holds up for 100 ms is too late, and tries again.
    bool is_whole = false;
    for (int i = 0; i < 50 && !is_whole; ++i) {
        std::size_t written = 0;
        is_whole = read_late(written).size() == 24 + written * (16 + 10'000);
    }
    CHECK(is_whole);

    pipe_ends still;
    const long rested = rests();
    {
        auto file = pcap::writer::open(std::move(still.write), pcap::link_type::raw);
        while (file->write(1_s, pattern(10'000))) {
        }
    }
    CHECK(rests() - rested < 15);  // at the end it waits ten times, for 10 ms
}

TEST_CASE("headers wait for room in a pipe") {
    pipe_ends ends;
    REQUIRE(::fcntl(ends.write.get(), F_SETFL, O_NONBLOCK) == 0);
    byte_vector fill(65'536);
    REQUIRE(::write(ends.write.get(), fill.data(), fill.size()) == 65'536);
    auto file = pcapng::writer::open(std::move(ends.write));
    REQUIRE(file.has_value());
    newer::describe(*file);
    CHECK_FALSE(newer::write(*file, pattern(5)));
    byte_vector got;
    drain(ends.read, got);
    CHECK(newer::write(*file, pattern(6)));
    got.clear();
    drain(ends.read, got);
    CHECK(sizes_in(got) == std::vector<std::size_t>{6});
}

TEST_CASE("a named pipe without a reader is an error") {
    const folder at;
    const std::string path = at.at("fifo");
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const auto alone = pcapng::writer::create(path.c_str());
    REQUIRE_FALSE(alone.has_value());
    CHECK(alone.error().error_number == ENXIO);
    CHECK(std::string_view{alone.error().advice} ==
          "no program reads this pipe; start its reader first");
    const descriptor reader{::open(path.c_str(), O_RDONLY | O_NONBLOCK)};
    CHECK(pcapng::writer::create(path.c_str()).has_value());
}

TEST_CASE("only the owner can read a capture, whatever the umask") {
    const folder at;
    const auto mode_of = [](const std::string& path) {
        struct stat about{};
        REQUIRE(::stat(path.c_str(), &about) == 0);
        return about.st_mode & 07777;
    };
    for (const mode_t mask : {mode_t{0}, mode_t{022}, mode_t{0777}}) {
        CAPTURE(mask);
        const mode_t before = ::umask(mask);
        const std::string path = at.at("a") + std::to_string(mask);
        const auto file = pcap::writer::create(path.c_str(), pcap::link_type::raw);
        const auto other = pcapng::writer::create((path + "ng").c_str());
        ::umask(before);
        REQUIRE((file && other));
        CHECK(mode_of(path) == 0600);
        CHECK(mode_of(path + "ng") == 0600);
    }
    const std::string old = at.at("old");
    {
        const descriptor fd{::open(old.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)};
        REQUIRE(::write(fd.get(), "something", 9) == 9);
        REQUIRE(::fchmod(fd.get(), 0666) == 0);
    }
    REQUIRE(pcapng::writer::create(old.c_str()).has_value());
    CHECK(mode_of(old) == 0600);
    CHECK(std::filesystem::file_size(old) == 28);
}

TEST_CASE("writers that were moved from refuse") {
    const folder at;
    auto file = pcapng::writer::create(at.at("a").c_str());
    auto old = pcap::writer::create(at.at("b").c_str(), pcap::link_type::raw);
    REQUIRE((file && old));
    const auto taken = std::move(*file);
    const auto taken_too = std::move(*old);
    CHECK_FALSE(file->write_bytes(0, 1_s, pattern(1)));
    CHECK_FALSE(file->add_interface(pcap::link_type::raw, "x"));
    CHECK_FALSE(old->write(1_s, pattern(1)));
    CHECK_FALSE(file->news().has_value());
    CHECK_FALSE(old->news().has_value());
}

}  // namespace port_capture_sink
