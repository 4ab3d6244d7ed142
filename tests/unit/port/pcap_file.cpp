// Captures on disk: written and loaded again; small ones of this tree, and captures of other tools
// if present, compared with those tools' results.
#include <sluice/port/capture.hpp>
#include <sluice/port/capture_file.hpp>
#include <sluice/port/pcap_file.hpp>
#include <sluice/port/pcap_link.hpp>

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace port_pcap_file {
using namespace sluice;
using namespace sluice::port;

namespace {

std::string temporary_name() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-pcap-XXXXXX").string();
    descriptor{::mkstemp(name.data())};
    return name;
}

const auto tests = std::filesystem::path{SLUICE_SOURCE "/tests"};

struct contents {
    u64 frames = 0;
    u64 ipv4 = 0;
    std::string ipv4_frames;  // "1,2,7"
    capture::error end = capture::error::none;
};
contents contents_of(const std::filesystem::path& path) {
    contents c;
    const auto content = capture::load_file(path.string().c_str());
    REQUIRE(content.has_value());
    auto file = capture::reader::open(*content);
    REQUIRE(file.has_value());
    auto found = file->next();
    for (; found; found = file->next()) {
        ++c.frames;
        if (!pcap::parse_frame(found->link, found->captured).ipv4.empty()) {
            ++c.ipv4;
            c.ipv4_frames += (c.ipv4_frames.empty() ? "" : ",") + std::to_string(c.frames);
        }
    }
    c.end = found.error();
    return c;
}

// The rows of a table with a line of headings.
std::vector<std::vector<std::string>> rows_of(const std::filesystem::path& path) {
    std::vector<std::vector<std::string>> rows;
    std::ifstream table{path};
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
        std::istringstream columns{line};
        rows.emplace_back();
        for (std::string column; std::getline(columns, column, '\t');) {
            rows.back().push_back(column);
        }
    }
    return rows;
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
    const auto content = capture::load_file(name.c_str());
    REQUIRE(content.has_value());
    CHECK(content->size() == 24 + 16 + 3 + 16 + 1);
    auto file = capture::reader::open(*content);
    REQUIRE(file.has_value());
    CHECK_FALSE(file->is_pcapng());
    CHECK(file->interfaces().size() == 1);
    CHECK(file->next()->original_length == 3);
    const auto second = file->next();
    CHECK(second->original_length == 1500);
    CHECK(second->since_epoch == 4_s);
    CHECK(capture::load_file(name.c_str(), 60)->size() == 60);
    CHECK(capture::load_file(name.c_str(), 59).error().error_number == EFBIG);
    std::filesystem::remove(name);
}

TEST_CASE("a pipe is loaded too") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const descriptor reader{ends[0]};
    {
        const descriptor writer{ends[1]};
        const std::vector<std::byte> half(40'000, std::byte{7});
        REQUIRE(::write(writer.get(), half.data(), half.size()) == 40'000);
    }
    const std::string name = "/proc/self/fd/" + std::to_string(reader.get());
    const auto content = capture::load_file(name.c_str());
    REQUIRE(content.has_value());
    CHECK(content->size() == 40'000);
    CHECK(content->back() == std::byte{7});
    CHECK(capture::load_file(name.c_str())->empty());
    CHECK(capture::load_file("/dev/zero", 100'000).error().error_number == EFBIG);
}

TEST_CASE("the system's reasons") {
    CHECK(message(capture::load_file("/no/such.pcap").error()) ==
          "open /no/such.pcap: No such file or directory");
    CHECK(message(capture::load_file("/").error()) == "read /: Is a directory");
    CHECK(pcap::writer::create("/no/such.pcap", pcap::link_type::raw).error().error_number ==
          ENOENT);
    auto full = pcap::writer::create("/dev/full", pcap::link_type::raw);
    CHECK_FALSE(full.has_value());
    CHECK(message(full.error()) == "write /dev/full: No space left on device");
}

TEST_CASE("the first bytes identify the format") {
    CHECK(capture::reader::open({}).error() == capture::error::truncated);
    const std::byte text[] = {std::byte{'t'}, std::byte{'e'}, std::byte{'x'}, std::byte{'t'}};
    CHECK(capture::reader::open(text).error() == capture::error::not_a_capture);
    const std::byte newer[] = {std::byte{0x0a}, std::byte{0x0d}, std::byte{0x0d}, std::byte{0x0a}};
    CHECK(capture::reader::open(newer).error() == capture::error::truncated);
}

TEST_CASE("captures of this tree: the frames with IPv4 are those that tshark finds") {
    int checked = 0;
    for (const auto& row : rows_of(tests / "captures/expected.tsv")) {
        CAPTURE(row[0]);
        const contents found = contents_of(tests / "captures" / row[0]);
        CHECK(found.end == capture::error::end);
        CHECK(std::to_string(found.frames) == row[1]);
        CHECK(found.ipv4_frames == (row.size() > 2 ? row[2] : ""));
        ++checked;
    }
    CHECK(checked == 8);
}

TEST_CASE("captures of other tools: frames and IPv4 packets are counted as those tools do") {
    const auto folder = tests / "../../shared/captures";
    const auto rows = rows_of(folder / "expected.tsv");
    if (rows.empty()) {
        std::puts("NOT HERE: captures of other tools: their folder (those of the tree were read)");
        return;
    }
    for (const auto& row : rows) {
        CAPTURE(row[0]);
        const contents found = contents_of(folder / row[0]);
        CHECK(found.end == capture::error::end);
        CHECK(std::to_string(found.frames) == row[4]);
        // Frames that tools classify differently are left out.
        if (row[5].find('|') == std::string::npos) {
            CHECK(std::to_string(found.ipv4) == row[5]);
        }
    }
}

}  // namespace port_pcap_file
