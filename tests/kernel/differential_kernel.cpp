#include "differential_kernel.hpp"
#include "differential_namespace.hpp"
#include "differential_socket.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include <unistd.h>

namespace replay {

namespace {

class live_kernel {
public:
    // False when the kernel refused the statement.
    bool operator()(const interface_line& line) {
        auto device = std::make_unique<tun_device>(line.name);
        if (line.tap || !*device) return false;
        devices_[line.name] = std::move(device);
        // The queue holds the fragments of the largest datagram.
        return run_ip("link set " + line.name + " txqueuelen 10000 mtu " +
                      std::to_string(line.mtu) + " up");
    }
    bool operator()(const address_line& line) {
        std::string command = std::string("address ") + (line.remove ? "del " : "add ") +
                              to_text(line.net) + " dev " + line.interface;
        if (line.broadcast) command += " broadcast " + to_text(*line.broadcast);
        return run_ip(command);
    }
    bool operator()(const route_line& line) { return run_ip(route_command(line)); }
    bool operator()(const sysctl_line& line) {
        std::string path = "ipv4/";
        if (!line.group.empty()) path += line.group + "/";
        if (!line.target.empty()) path += line.target + "/";
        return write_sysctl(path + line.name, line.value);
    }
    bool operator()(const socket_line& line) {
        auto made = std::make_unique<kernel_socket>(line);
        if (!*made && !begun_) return false;
        if (*made)
            sockets_[line.name] = std::move(made);
        else
            ret_ = errno_text(errno);
        return true;
    }
    bool operator()(const send_line& line) {
        return to_socket(line, [&](const kernel_socket& s) { return s.send(line); });
    }
    bool operator()(const connect_line& line) {
        return to_socket(line, [&](const kernel_socket& s) { return s.connect(line.to); });
    }
    bool operator()(const close_line& line) {
        ret_ = "0";
        return sockets_.erase(line.socket) != 0;
    }
    bool operator()(const advance_line& line) {
        ::usleep(line.milliseconds * 1000);
        return true;
    }
    bool operator()(const link_line& line) {
        const std::string what = line.mtu ? "mtu " + std::to_string(*line.mtu)
                                          : std::string(line.up.value_or(true) ? "up" : "down");
        return run_ip("link set " + line.interface + " " + what);
    }
    bool operator()(const in_line& line) {
        if (const int failed = devices_.at(line.interface)->write(line.bytes))
            ret_ = errno_text(failed);
        return true;
    }
    template <class Other>
    bool operator()(const Other&) {
        return false;
    }

    observation take() {
        settle();
        observation seen;
        seen.ret = std::exchange(ret_, std::nullopt);
        for (const auto& [name, device] : devices_)
            for (byte_vector& packet : device->read())
                seen.departures.push_back({name, std::move(packet)});
        for (const auto& [name, socket] : sockets_)
            socket->drain(seen);
        counters after = read_counters();
        for (const auto& [name, value] : after)
            if (value != before_[name]) seen.counts[name] = value - before_[name];
        before_ = std::move(after);
        return seen;
    }

    void begin() {
        static_cast<void>(take());
        begun_ = true;
    }

private:
    // What goes round over lo may do so after the call that sent it.
    static void settle() {
        constexpr int most = 100;
        counters before = read_counters();
        for (int i = 0; i < most; ++i) {
            ::usleep(200);
            counters after = read_counters();
            if (after == before) return;
            before = std::move(after);
        }
    }

    template <class Line, class F>
    bool to_socket(const Line& line, F&& f) {
        const auto found = sockets_.find(line.socket);
        if (found != sockets_.end()) ret_ = f(*found->second);
        return found != sockets_.end();
    }

    static std::string route_command(const route_line& line) {
        static constexpr const char* types[] = {"unicast", "unreachable", "prohibit", "blackhole",
                                                "throw",   "local",       "broadcast"};
        std::string text = std::string("route ") + (line.remove ? "del " : "add ") +
                           types[static_cast<unsigned>(line.type)] + " " + to_text(line.net);
        const auto add = [&text](const char* word, const std::string& value) {
            text += std::string(" ") + word + " " + value;
        };
        if (line.via) add("via", to_text(*line.via));
        if (!line.interface.empty()) add("dev", line.interface);
        if (line.source) add("src", to_text(*line.source));
        if (line.metric != 0) add("metric", std::to_string(line.metric));
        if (line.mtu) add(line.mtu_locked ? "mtu lock" : "mtu", std::to_string(*line.mtu));
        char tos[8];
        std::snprintf(tos, sizeof tos, "0x%02x", unsigned{line.tos});
        if (line.tos != 0) add("tos", tos);
        if (!line.scope.empty()) add("scope", line.scope);
        if (line.onlink) text += " onlink";
        return text;
    }

    std::map<std::string, std::unique_ptr<tun_device>> devices_;
    std::map<std::string, std::unique_ptr<kernel_socket>> sockets_;
    std::optional<std::string> ret_;
    counters before_;
    bool begun_ = false;
};

}  // namespace

std::uint32_t midnight_milliseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return static_cast<std::uint32_t>(now.tv_sec % 86400 * 1000 + now.tv_nsec / 1000000);
}

std::string kernel_missing() {
    if (::geteuid() != 0) return "needs root";
    if (::access("/dev/net/tun", R_OK | W_OK) != 0) return "needs /dev/net/tun";
    if (!enter_fresh_namespace()) return "needs network namespaces and the ip command";
    return {};
}

kernel_run run_on_kernel(const scenario& about) {
    kernel_run made;
    if (!enter_fresh_namespace()) {
        made.trouble = std::string("no namespace: ") + std::strerror(errno);
        return made;
    }
    live_kernel kernel;
    for (std::size_t i = 0; i < about.configuration.size(); ++i)
        if (!std::visit(kernel, about.configuration[i].action)) made.refused.push_back(i);
    if (!made.refused.empty()) return made;
    kernel.begin();
    for (std::size_t i = 0; i < about.events.size(); ++i) {
        if (!std::visit(kernel, about.events[i].action)) made.rejected.push_back(i);
        made.seen.push_back(kernel.take());
    }
    return made;
}

}  // namespace replay
