#include "differential_namespace.hpp"
#include "vocabulary.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

namespace replay {

namespace {

constexpr std::size_t information = 4;  // flags and protocol in front of each packet

constexpr std::pair<const char*, int> fresh_switches[] = {
    {"ipv4/conf/*/rp_filter", 0},
    {"ipv4/conf/*/accept_redirects", 1},
    {"ipv4/conf/*/secure_redirects", 1},
    {"ipv4/conf/*/send_redirects", 1},
    {"ipv4/conf/*/shared_media", 1},
    {"ipv4/conf/*/accept_local", 0},
    {"ipv4/conf/*/route_localnet", 0},
    {"ipv4/conf/*/bc_forwarding", 0},
    {"ipv4/conf/*/log_martians", 0},
    {"ipv4/conf/*/promote_secondaries", 0},
    {"ipv4/conf/*/src_valid_mark", 0},
    {"ipv4/conf/*/drop_unicast_in_l2_multicast", 0},
    {"ipv4/conf/all/accept_source_route", 0},
    {"ipv4/conf/default/accept_source_route", 1},
    {"ipv6/conf/all/disable_ipv6", 1},
    {"ipv6/conf/default/disable_ipv6", 1},
};

void add_line(counters& all, const std::string& names, const std::string& values) {
    std::istringstream name_words(names);
    std::istringstream value_words(values);
    std::string group;
    std::string name;
    std::string value;
    name_words >> group;
    value_words >> value;
    group.back() = '.';
    while (name_words >> name && value_words >> value)
        if (is_counter(group + name)) all[group + name] = std::strtoull(value.c_str(), nullptr, 10);
}

// `text` split at spaces; argv of iproute2.
std::vector<std::string> split(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> words;
    for (std::string word; in >> word;)
        words.push_back(word);
    return words;
}

}  // namespace

bool write_sysctl(const std::string& path, std::int64_t value) {
    std::ofstream out("/proc/sys/net/" + path);
    out << value << '\n';
    out.flush();
    return bool{out};
}

bool enter_fresh_namespace() {
    if (::unshare(CLONE_NEWNET) != 0) return false;
    static_cast<void>(write_sysctl("ipv4/ip_forward", 0));
    for (const auto& [pattern, value] : fresh_switches) {
        // Not there is as good as off.
        std::string path = pattern;
        const std::size_t star = path.find('*');
        if (star == std::string::npos) {
            static_cast<void>(write_sysctl(path, value));
            continue;
        }
        for (const char* of : {"all", "default"})
            static_cast<void>(write_sysctl(std::string(path).replace(star, 1, of), value));
    }
    std::ofstream("/proc/sys/net/ipv4/ping_group_range") << "0 0\n";
    return run_ip("link set lo up");
}

bool run_ip(const std::string& command) {
    std::vector<std::string> words = split("ip " + command);
    std::vector<char*> argv;
    for (std::string& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t quiet;
    ::posix_spawn_file_actions_init(&quiet);
    ::posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    char* environment[] = {nullptr};
    char path[] = "PATH=/usr/sbin:/sbin:/usr/bin:/bin";
    char* const given[] = {path, environment[0]};
    const int failed = ::posix_spawnp(&child, "ip", &quiet, nullptr, argv.data(), given);
    ::posix_spawn_file_actions_destroy(&quiet);
    int status = -1;
    return failed == 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

tun_device::tun_device(const std::string& name) {
    sluice::port::descriptor fd{::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TUN;
    if (fd && ::ioctl(fd.get(), TUNSETIFF, &request) == 0) fd_ = std::move(fd);
}

int tun_device::write(const byte_vector& packet) const {
    byte_vector framed{0, 0, 0x08, 0x00};
    framed.insert(framed.end(), packet.begin(), packet.end());
    return ::write(fd_.get(), framed.data(), framed.size()) < 0 ? errno : 0;
}

std::vector<byte_vector> tun_device::read() const {
    std::vector<byte_vector> packets;
    std::array<std::uint8_t, 65536 + information> area;
    for (;;) {
        const ssize_t n = ::read(fd_.get(), area.data(), area.size());
        if (n < static_cast<ssize_t>(information)) return packets;
        if (area[2] == 0x08 && area[3] == 0x00)
            packets.emplace_back(area.begin() + information, area.begin() + n);
    }
}

counters read_counters() {
    counters all;
    for (const char* path : {"/proc/thread-self/net/snmp", "/proc/thread-self/net/netstat"}) {
        std::ifstream in(path);
        std::string names;
        std::string values;
        while (std::getline(in, names) && std::getline(in, values))
            if (!names.starts_with("Tcp")) add_line(all, names, values);
    }
    return all;
}

}  // namespace replay
