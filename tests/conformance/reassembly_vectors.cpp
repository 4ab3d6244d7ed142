// Feeds the fragments recorded from Linux (tests/kernel/vectors/reassembly.vec) to the reassembly
// room alone, and compares result, counters, drop reason and bytes of each. The replayer feeds the
// same file to a whole stack.
#include <sluice/packet/pool_storage.hpp>
#include <sluice/pipeline/validate.hpp>
#include <sluice/reassembly/bounded_cache.hpp>

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace conformance_reassembly_vectors {
using namespace sluice;

namespace {

using pool_type = fixed_pool<16640, 256>;
using packet_type = pool_type::packet_type;
using cache_type = bounded_cache<64>::model<packet_type>;

std::vector<std::byte> from_hex(const std::string& text) {
    std::vector<std::byte> all;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        all.push_back(static_cast<std::byte>(std::stoul(text.substr(i, 2), nullptr, 16)));
    }
    return all;
}

// What one event did: the counters that the room decides, and the raw packets delivered.
struct observation {
    std::map<std::string, unsigned> counts;
    std::vector<std::vector<std::byte>> delivered;

    bool operator==(const observation&) const = default;
};

const std::vector<std::string> watched{"Ip.ReasmOKs", "Ip.ReasmFails", "Ip.ReasmTimeout",
                                       "IpExt.ReasmOverlaps"};

struct replayer {
    std::unique_ptr<pool_type> pool = std::make_unique<pool_type>();
    std::unique_ptr<cache_type> cache = std::make_unique<cache_type>(hash_key{7, 11});
    reassembly_limits limits;
    instant now;

    void set(const std::string& name, unsigned value) {
        if (name == "ipfrag_time") {
            limits.timeout = duration::from_seconds(value);
        } else if (name == "ipfrag_high_thresh") {
            limits.high_threshold = value;
        } else if (name == "ipfrag_max_dist") {
            limits.max_distance = value;
        }
    }
    observation receive(std::vector<std::byte> data) {
        observation seen;
        if ((data[0] & std::byte{0xf0}) !=
            std::byte{0x40}) {  // from a tap: an Ethernet header in front
            data.erase(data.begin(), data.begin() + 14);
        }
        packet_type packet = pool->take();
        copy_bytes(packet.put(static_cast<u32>(data.size())), data.data(), data.size());
        const bool raw = data[9] == std::byte{253};
        auto step = cache->insert(pipeline::validate(packet).value(),
                                  reassembly_user::local_delivery, 0, now, limits);
        if (step.too_far) {
            ++seen.counts["Ip.ReasmFails"];
            ++seen.counts["FRAG_TOO_FAR"];
        }
        if (step.kind == reassembly_result::complete) {
            ++seen.counts["Ip.ReasmOKs"];
            auto& copy = seen.delivered.emplace_back();
            step.packet.for_each_piece(
                [&copy](const_bytes b) { copy.insert(copy.end(), b.begin(), b.end()); });
            if (!raw) {
                seen.delivered.clear();
            }
        } else if (step.reason == drop_reason::fragment_duplicate) {
            ++seen.counts["DUP_FRAG"];
        } else if (step.kind == reassembly_result::refused) {
            ++seen.counts["Ip.ReasmFails"];
        }
        if (step.reason == drop_reason::fragment_overlap) {
            ++seen.counts["IpExt.ReasmOverlaps"];
        }
        return seen;
    }
    observation advance(i64 milliseconds) {
        observation seen;
        now = now + duration::from_milliseconds(milliseconds);
        cache->expire(now, [&seen](expired_datagram<packet_type>&&) {
            ++seen.counts["Ip.ReasmFails"];
            ++seen.counts["Ip.ReasmTimeout"];
        });
        return seen;
    }
};

// One event line and the result lines after it.
struct event {
    std::string line;
    observation expected;
    bool to_the_room = false;  // Linux took it for reassembly here

    void result(const std::string& text) {
        std::istringstream words{text};
        std::string mark, kind, name;
        words >> mark >> kind >> name;
        if (kind == "count") {
            to_the_room = to_the_room || name == "Ip.ReasmReqds";
            for (const std::string& counter : watched) {
                if (name == counter) {
                    words >> expected.counts[name];
                }
            }
        } else if (kind == "drop" && (name == "DUP_FRAG" || name == "FRAG_TOO_FAR")) {
            ++expected.counts[name];
        } else if (kind == "deliver" && name == "r") {
            std::string last;
            while (words >> mark) {
                last = mark;
            }
            expected.delivered.push_back(from_hex(last));
        }
    }
};

// Options were recorded after the stack had filled them in, which is not the room's: they and the
// checksum are left out.
void mask_options(std::vector<std::byte>& data) {
    const std::size_t header = 4 * std::to_integer<std::size_t>(data[0] & std::byte{0x0f});
    if (header > 20) {
        data[10] = data[11] = std::byte{0};
        fill_bytes(data.data() + 20, header - 20, std::byte{0});
    }
}

struct totals {
    unsigned scenarios = 0;
    unsigned fragments = 0;
    unsigned whole = 0;
};

void run(replayer& subject, const event& e, totals& sum) {
    CAPTURE(e.line.substr(0, 120));
    std::istringstream words{e.line};
    std::string verb, name, value;
    words >> verb >> name >> value;
    if (verb == "in" && e.to_the_room) {
        observation seen = subject.receive(from_hex(value));
        ++sum.fragments;
        sum.whole += static_cast<unsigned>(seen.delivered.size());
        CHECK(seen.counts == e.expected.counts);
        observation expected = e.expected;
        for (auto* side : {&seen, &expected}) {
            for (auto& data : side->delivered) {
                mask_options(data);
            }
        }
        CHECK((expected.delivered.empty() || seen.delivered == expected.delivered));
    } else if (verb == "advance") {
        CHECK(subject.advance(std::stol(name)).counts == e.expected.counts);
    } else if (verb == "sysctl") {
        subject.set(name, static_cast<unsigned>(std::stoul(value)));
    }
}

}  // namespace

TEST_CASE("every fragment recorded from Linux has the recorded result") {
    std::ifstream file{SLUICE_SOURCE "/tests/kernel/vectors/reassembly.vec"};
    REQUIRE(file.good());
    totals sum;
    std::unique_ptr<replayer> subject;
    event current;
    std::string scenario;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('>')) {
            current.result(line);
            continue;
        }
        if (subject != nullptr) {
            CAPTURE(scenario);
            run(*subject, current, sum);
        }
        current = event{line, {}, false};
        if (line.starts_with("scenario ")) {
            scenario = line;
            subject = std::make_unique<replayer>();
            ++sum.scenarios;
        } else if (line == "end") {
            subject.reset();
        }
    }
    CHECK(sum.scenarios > 50);
    CHECK(sum.fragments > 1500);
    CHECK(sum.whole > 150);
    MESSAGE(sum.scenarios << " scenarios, " << sum.fragments << " fragments, " << sum.whole
                          << " whole datagrams compared");
}

}  // namespace conformance_reassembly_vectors
