#include "differential_socket.hpp"

#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
// After the headers of the C library, which it would disagree with.
#include <linux/errqueue.h>
#include <linux/icmp.h>

namespace replay {

namespace {

constexpr std::size_t largest = 65536;

sockaddr_in address_of(const endpoint& end) {
    sockaddr_in made{};
    made.sin_family = AF_INET;
    made.sin_addr.s_addr = htonl(end.host);
    made.sin_port = htons(end.port.value_or(0));
    return made;
}

bool set(int fd, int level, int name, int value) {
    return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool connect_to(int fd, const endpoint& to) {
    const sockaddr_in peer = address_of(to);
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0;
}

bool set_up(int fd, const socket_line& line) {
    bool good = set(fd, SOL_SOCKET, SO_BROADCAST, 1) && set(fd, SOL_IP, IP_PKTINFO, 1) &&
                set(fd, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22);
    if (line.receive_errors) good = good && set(fd, SOL_IP, IP_RECVERR, 1);
    if (line.router_alert) good = good && set(fd, SOL_IP, IP_ROUTER_ALERT, 1);
    if (line.header_included) good = good && set(fd, SOL_IP, IP_HDRINCL, 1);
    if (line.icmp_filter) {
        const icmp_filter filter{*line.icmp_filter};
        good = good && ::setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof filter) == 0;
    }
    if (!line.interface.empty())
        good = good && ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, line.interface.c_str(),
                                    static_cast<socklen_t>(line.interface.size())) == 0;
    if (line.reuse) good = good && set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (good && line.bind) {
        const sockaddr_in own = address_of(*line.bind);
        good = ::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0;
    }
    return good && (!line.connect || connect_to(fd, *line.connect));
}

int discovery_of(dont_fragment how) {
    switch (how) {
    case dont_fragment::dont:
        return IP_PMTUDISC_DONT;
    case dont_fragment::always:
        return IP_PMTUDISC_DO;
    case dont_fragment::probe:
        return IP_PMTUDISC_PROBE;
    case dont_fragment::interface:
        return IP_PMTUDISC_INTERFACE;
    case dont_fragment::omit:
        return IP_PMTUDISC_OMIT;
    default:
        return IP_PMTUDISC_WANT;
    }
}

int index_of(const std::string& interface) {
    return interface.empty() ? 0 : static_cast<int>(::if_nametoindex(interface.c_str()));
}

// What one send has and the next has not.
bool set_sending_options(int fd, const send_line& line) {
    const ip_mreqn interface{{}, {}, index_of(line.multicast_interface)};
    return set(fd, SOL_IP, IP_MTU_DISCOVER, discovery_of(line.df)) &&
           set(fd, SOL_IP, IP_MULTICAST_TTL, line.multicast_ttl.value_or(1)) &&
           set(fd, SOL_IP, IP_MULTICAST_LOOP, line.multicast_loop.value_or(true) ? 1 : 0) &&
           ::setsockopt(fd, SOL_IP, IP_MULTICAST_IF, &interface, sizeof interface) == 0;
}

class control_messages {
public:
    explicit control_messages(const send_line& line) {
        if (!line.interface.empty() || line.source) {
            in_pktinfo where{};
            where.ipi_ifindex = index_of(line.interface);
            where.ipi_spec_dst.s_addr = htonl(line.source.value_or(0));
            add(IP_PKTINFO, &where, sizeof where);
        }
        const int ttl = line.ttl.value_or(0);
        const int tos = line.tos;
        if (line.ttl) add(IP_TTL, &ttl, sizeof ttl);
        if (tos != 0) add(IP_TOS, &tos, sizeof tos);
        if (!line.options.empty()) add(IP_RETOPTS, line.options.data(), line.options.size());
    }
    [[nodiscard]] void* data() { return size_ == 0 ? nullptr : bytes_; }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    void add(int type, const void* value, std::size_t size) {
        auto* header = reinterpret_cast<cmsghdr*>(bytes_ + size_);
        header->cmsg_level = SOL_IP;
        header->cmsg_type = type;
        header->cmsg_len = CMSG_LEN(size);
        std::memcpy(CMSG_DATA(header), value, size);
        size_ += CMSG_SPACE(size);
    }

    alignas(cmsghdr) char bytes_[256]{};
    std::size_t size_ = 0;
};

struct message {
    byte_vector bytes = byte_vector(largest);
    sockaddr_in from{};
    alignas(cmsghdr) char control[512];
    msghdr header{};
    iovec area{};

    // Length, or -1 with errno.
    ssize_t receive(int fd, int flags) {
        area = {bytes.data(), bytes.size()};
        header = {};
        header.msg_name = &from;
        header.msg_namelen = sizeof from;
        header.msg_iov = &area;
        header.msg_iovlen = 1;
        header.msg_control = control;
        header.msg_controllen = sizeof control;
        return ::recvmsg(fd, &header, flags | MSG_DONTWAIT);
    }
    template <class T>
    const T* find(int level, int type) {
        for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c))
            if (c->cmsg_level == level && c->cmsg_type == type)
                return reinterpret_cast<const T*>(CMSG_DATA(c));
        return nullptr;
    }
};

}  // namespace

std::string errno_text(int number) {
    if (number == EOPNOTSUPP) return "ENOTSUP";
    const char* name = ::strerrorname_np(number);
    return name == nullptr ? "EINVAL" : name;
}

kernel_socket::kernel_socket(const socket_line& line) : line_(line) {
    const bool raw = line.kind == socket_kind::raw;
    const int type = (raw ? SOCK_RAW : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const int protocol = raw                              ? line.protocol
                         : line.kind == socket_kind::ping ? int{IPPROTO_ICMP}
                                                          : 0;
    sluice::port::descriptor fd{::socket(AF_INET, type, protocol)};
    if (fd && set_up(fd.get(), line)) fd_ = std::move(fd);
}

std::string kernel_socket::connect(const endpoint& to) const {
    return connect_to(fd_.get(), to) ? "0" : errno_text(errno);
}

std::string kernel_socket::send(const send_line& line) const {
    if (!set_sending_options(fd_.get(), line)) return errno_text(errno);
    sockaddr_in to = address_of(line.to.value_or(endpoint{}));
    iovec area{const_cast<std::uint8_t*>(line.payload.data()), line.payload.size()};
    control_messages control(line);
    msghdr header{};
    if (line.to) {
        header.msg_name = &to;
        header.msg_namelen = sizeof to;
    }
    header.msg_iov = &area;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const int flags = (line.more ? MSG_MORE : 0) | (line.dont_route ? MSG_DONTROUTE : 0);
    const ssize_t n = ::sendmsg(fd_.get(), &header, flags);
    return n < 0 ? errno_text(errno) : std::to_string(n);
}

// The kernel does not set these for ping sockets; vectors/README.md defines fixed values.
void kernel_socket::place(delivery& heard, const in_pktinfo& where) const {
    heard.destination = ntohl(where.ipi_addr.s_addr);
    heard.local = 0;
    heard.interface = "lo";
    if (line_.kind == socket_kind::ping) return;
    char name[IF_NAMESIZE] = {};
    static_cast<void>(::if_indextoname(static_cast<unsigned>(where.ipi_ifindex), name));
    heard.interface = name;
    heard.local = ntohl(where.ipi_spec_dst.s_addr);
}

void kernel_socket::drain(observation& to) const {
    message m;
    for (;;) {
        const ssize_t n = m.receive(fd_.get(), 0);
        if (n < 0 && errno == EAGAIN) break;
        if (n < 0) {
            to.socket_errors.push_back({line_.name, errno_text(errno)});
            continue;
        }
        delivery heard;
        heard.socket = line_.name;
        heard.from.host = ntohl(m.from.sin_addr.s_addr);
        if (line_.kind != socket_kind::raw) heard.from.port = ntohs(m.from.sin_port);
        if (const auto* where = m.find<in_pktinfo>(SOL_IP, IP_PKTINFO)) place(heard, *where);
        heard.bytes.assign(m.bytes.begin(), m.bytes.begin() + n);
        to.deliveries.push_back(std::move(heard));
    }
    if (line_.receive_errors) drain_errors(to);
}

void kernel_socket::drain_errors(observation& to) const {
    message m;
    for (ssize_t n; (n = m.receive(fd_.get(), MSG_ERRQUEUE)) >= 0;) {
        const auto* what = m.find<sock_extended_err>(SOL_IP, IP_RECVERR);
        if (what == nullptr) continue;
        error_entry made{line_.name,
                         errno_text(static_cast<int>(what->ee_errno)),
                         "local",
                         what->ee_type,
                         what->ee_code,
                         what->ee_info,
                         {},
                         {}};
        if (what->ee_origin == SO_EE_ORIGIN_ICMP) {
            made.origin = "icmp";
            const auto* offender = reinterpret_cast<const sockaddr_in*>(what + 1);
            made.offender = ntohl(offender->sin_addr.s_addr);
        }
        made.bytes.assign(m.bytes.begin(), m.bytes.begin() + n);
        to.errors.push_back(std::move(made));
    }
    // Reading the queue sets the socket error of the next entry, which the queue reports anyway.
    int pending = 0;
    socklen_t size = sizeof pending;
    static_cast<void>(::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &pending, &size));
}

}  // namespace replay
