// Files on disk: written and loaded again; captures of other tools, where they are at hand.
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/pcap_link.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

using namespace sluice;
using namespace sluice::port;

namespace {

std::string temporary_name() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-pcap-XXXXXX").string();
    descriptor{::mkstemp(name.data())};
    return name;
}

struct tally {
    u64 frames = 0;
    u64 ipv4 = 0;
    pcap::error end = pcap::error::none;
};
tally count(pcap::reader file) {
    tally t;
    for (auto found = file.next();; found = file.next()) {
        if (!found) {
            t.end = found.error();
            return t;
        }
        ++t.frames;
        t.ipv4 += u64{!pcap::ipv4_of(file.link(), found->captured).empty()};
    }
}

}  // namespace

TEST_CASE("a written file is loaded again") {
    const std::string name = temporary_name();
    const std::byte packet[3] = {std::byte{0x45}, std::byte{1}, std::byte{2}};
    {
        auto file = pcap::writer::create(name.c_str(), pcap::link_type::raw);
        REQUIRE(file.has_value());
        CHECK(file->write(3_s, packet));
        CHECK(file->write(4_s, {packet, 1}, 1500));
        CHECK(file->written() == 2);
    }
    const auto content = pcap::load_file(name.c_str());
    REQUIRE(content.has_value());
    CHECK(content->size() == 24 + 16 + 3 + 16 + 1);
    auto file = pcap::reader::open(*content);
    REQUIRE(file.has_value());
    CHECK(file->next()->original_length == 3);
    const auto second = file->next();
    CHECK(second->original_length == 1500);
    CHECK(second->since_epoch == 4_s);
    CHECK(pcap::load_file(name.c_str(), 59).error().error_number == EFBIG);
    std::filesystem::remove(name);
}

TEST_CASE("the system's reasons") {
    char text[128];
    CHECK(pcap::load_file("/no/such.pcap").error().message(text) ==
          "open /no/such.pcap: No such file or directory");
    CHECK(pcap::load_file("/").error().error_number == EFBIG);
    CHECK(pcap::writer::create("/no/such.pcap", pcap::link_type::raw).error().error_number ==
          ENOENT);
    auto full = pcap::writer::create("/dev/full", pcap::link_type::raw);
    CHECK_FALSE(full.has_value());
    CHECK(full.error().message(text) == "write pcap header: No space left on device");
}

TEST_CASE("captures of other tools: as many frames and IPv4 packets as those found") {
    const auto folder =
        std::filesystem::path{__FILE__}.parent_path() / "../../../../shared/captures";
    std::ifstream table{folder / "expected.tsv"};
    if (!table) {
        std::puts("NOT HERE: captures of other tools: the folder of captures");
        return;
    }
    std::string line;
    std::getline(table, line);
    int checked = 0;
    while (std::getline(table, line)) {
        std::istringstream columns{line};
        std::string name, format, link, size, frames, ipv4;
        for (std::string* column : {&name, &format, &link, &size, &frames, &ipv4}) {
            std::getline(columns, *column, '\t');
        }
        CAPTURE(name);
        const auto content = pcap::load_file((folder / name).string().c_str());
        REQUIRE(content.has_value());
        auto file = pcap::reader::open(*content);
        if (format == "pcapng") {
            CHECK(file.error() == pcap::error::pcapng);
            continue;
        }
        REQUIRE(file.has_value());
        const tally found = count(*file);
        CHECK(found.end == pcap::error::end);
        CHECK(std::to_string(found.frames) == frames);
        // Frames that tools tell apart differently, and PPP, are not ours to judge.
        if (file->link() != pcap::link_type{9} && ipv4.find('|') == std::string::npos) {
            CHECK(std::to_string(found.ipv4) == ipv4);
        }
        ++checked;
    }
    CHECK(checked > 0);
}
