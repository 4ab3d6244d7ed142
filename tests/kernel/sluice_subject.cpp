// Configures the subject and collects its results.
#include "sluice_subject.hpp"

#include "vector_file.hpp"

#include <sluice/stats/print.hpp>

namespace replay {

namespace {

sluice::route_type type_of(route_type t) {
    switch (t) {
    case route_type::unreachable:
        return sluice::route_type::unreachable;
    case route_type::prohibit:
        return sluice::route_type::prohibit;
    case route_type::blackhole:
        return sluice::route_type::blackhole;
    case route_type::throw_:
        return sluice::route_type::throw_away;
    case route_type::local:
        return sluice::route_type::local;
    case route_type::broadcast:
        return sluice::route_type::broadcast;
    default:
        return sluice::route_type::unicast;
    }
}

// The scope of the line; without the keyword iproute2's default.
sluice::u8 scope_of(const route_line& line) {
    if (line.scope == "global") return sluice::scopes::universe;
    if (line.scope == "site") return sluice::scopes::site;
    if (line.scope == "host") return sluice::scopes::host;
    if (line.scope == "link") return sluice::scopes::link;
    if (line.remove) return sluice::scopes::universe;  // any
    if (line.type == route_type::local) return sluice::scopes::host;
    if (line.type == route_type::broadcast) return sluice::scopes::link;
    const bool direct = line.type == route_type::unicast && !line.via;
    return direct ? sluice::scopes::link : sluice::scopes::universe;
}

answer answer_for(bool worked, const char* what) {
    return worked ? done() : unsupported(what);
}

std::unique_ptr<stack> make_stack(subject_wires& wires, std::uint64_t draw) {
    return std::make_unique<stack>(
        stack::parts{.output = {&wires}, .seed = {0x736c7569, draw}, .switches = {}});
}

}  // namespace

std::unique_ptr<subject> make_sluice_subject(const scenario& about) {
    return std::make_unique<sluice_subject>(about.draw);
}

sluice_subject::sluice_subject(std::uint64_t draw)
    : stack_(make_stack(wires_, draw)), wires_(*stack_) {
    constexpr sluice::u8 unheard[] = {6, 103, 136};
    for (const sluice::u8 protocol : unheard)
        static_cast<void>(stack_->delivery().set_handler(protocol, &deaf_));
}

sluice::moment sluice_subject::now() const {
    constexpr sluice::i64 day = 86'400'000;
    return {now_, static_cast<sluice::u32>(now_.nanoseconds / 1'000'000 % day)};
}

answer sluice_subject::add_interface(const interface_line& line) {
    const auto index = static_cast<sluice::u16>(wires_.last_index() + 1);
    wires_.add(index, {line.name, line.tap, true, {line.mac}});
    const sluice::interface_request wanted{
        .index = index, .mtu = line.mtu, .name = line.name.c_str()};
    return answer_for(stack_->add_interface(wanted).has_value(), "so many interfaces");
}

answer sluice_subject::set_address(const address_line& line) {
    const sluice::u16 index = wires_.index_of(line.interface);
    const sluice::ipv4::interface_address net{{line.net.base}, line.net.length};
    if (line.remove) {
        const bool removed = stack_->remove_address(index, net).has_value();
        if (!removed && begun_) ret_ = "EADDRNOTAVAIL";
        return answer_for(removed || begun_, "to remove it");
    }
    if (!line.broadcast) {
        return answer_for(stack_->add_address(index, net).has_value(), "so many addresses");
    }
    const sluice::assigned_address given{net, {*line.broadcast}, sluice::scopes::universe, false};
    return answer_for(stack_->add_address(index, given).has_value(), "so many addresses");
}

answer sluice_subject::set_route(const route_line& line) {
    sluice::route_entry r;
    r.prefix = {{line.net.base}, line.net.length};
    r.type = type_of(line.type);
    r.scope = scope_of(line);
    r.tos = line.tos;
    r.on_link = line.onlink;
    r.mtu = static_cast<sluice::u16>(line.mtu.value_or(0));
    r.mtu_locked = line.mtu_locked;
    r.gateway = {line.via.value_or(0)};
    r.preferred_source = {line.source.value_or(0)};
    r.metric = line.metric;
    r.interface = wires_.index_of(line.interface);
    if (line.table) {
        return line.remove
                   ? answer_for(stack_->remove_route(r, *line.table).has_value(), "to remove it")
                   : answer_for(stack_->add_route(r, *line.table).has_value(), "such a route");
    }
    if (line.remove) return answer_for(stack_->remove_route(r).has_value(), "to remove it");
    return answer_for(stack_->add_route(r).has_value(), "such a route");
}

answer sluice_subject::set_neighbour(const neighbour_line& line) {
    const bool taken =
        wires_.link().set_permanent(wires_.index_of(line.interface), {line.host}, {line.mac}, now_);
    return answer_for(taken, "so many neighbours");
}

answer sluice_subject::set_link(const link_line& line) {
    const sluice::u16 index = wires_.index_of(line.interface);
    bool taken = !line.mtu || stack_->set_mtu(index, *line.mtu).has_value();
    if (line.up) {
        taken = taken && stack_->set_up(index, *line.up).has_value();
        if (replay_interface* i = wires_.find(index)) i->up = *line.up;
        if (!*line.up) wires_.link().flush(index);
    }
    return answer_for(taken, "such a link");
}

answer sluice_subject::open_socket(const socket_line& line) {
    auto made = std::make_unique<replay_socket>(line, *stack_, wires_);
    std::string refused = made->open(now());
    if (refused.empty()) {
        sockets_[line.name] = std::move(made);
    } else if (begun_) {
        ret_ = std::move(refused);
    } else {
        return unsupported("such a socket");
    }
    return done();
}

answer sluice_subject::send(const send_line& line) {
    const auto found = sockets_.find(line.socket);
    if (found == sockets_.end()) return unsupported("an unknown socket");
    ret_ = found->second->send(line, now());
    return done();
}

answer sluice_subject::close_socket(const close_line& line) {
    if (routers_.contains(line.socket)) {
        close_mroute(line.socket);
        return done();
    }
    if (sockets_.erase(line.socket) == 0) return unsupported("an unknown socket");
    static_cast<void>(stack_->poll(now()));  // it left its groups
    ret_ = "0";
    return done();
}

answer sluice_subject::change_membership(const membership_line& line) {
    const auto found = sockets_.find(line.socket);
    if (found == sockets_.end()) return unsupported("an unknown socket");
    ret_ = found->second->change_membership(line, now());
    return done();
}

answer sluice_subject::change_filter(const filter_line& line) {
    const auto found = sockets_.find(line.socket);
    if (found == sockets_.end()) return unsupported("an unknown socket");
    ret_ = line.read ? found->second->filter_of(line) : found->second->set_filter(line, now());
    return done();
}

answer sluice_subject::set_option(const option_line& line) {
    const auto found = sockets_.find(line.socket);
    if (found == sockets_.end()) return unsupported("an unknown socket");
    ret_ = found->second->set_option(line);
    return done();
}

answer sluice_subject::connect_socket(const connect_line& line) {
    const auto found = sockets_.find(line.socket);
    if (found == sockets_.end()) return unsupported("an unknown socket");
    ret_ = found->second->connect(line.to, now());
    return done();
}

answer sluice_subject::begin() {
    static_cast<void>(take());
    begun_ = true;
    return done();
}

counters sluice_subject::count() const {
    counters now;
    const auto& values = stack_->counters();
    sluice::for_each_counter(values, stack_->switches(),
                             [&](const char* group, const char* field, sluice::u64 value) {
                                 now[std::string(group) + "." + field] = value;
                             });
    for (unsigned type = 0; type < 256; ++type) {
        const std::string number = std::to_string(type);
        now["IcmpMsg.InType" + number] = values.icmp_in_type(static_cast<sluice::u8>(type));
        now["IcmpMsg.OutType" + number] = values.icmp_out_type(static_cast<sluice::u8>(type));
    }
    return now;
}

// By the kernel's names, a name a dropped packet.
void sluice_subject::take_drops(observation& seen) {
    for (std::size_t i = 1; i < sluice::drop_reason_count; ++i) {
        const auto why = static_cast<sluice::drop_reason>(i);
        const sluice::u64 now = stack_->counters()[why];
        seen.drops.insert(seen.drops.end(), now - std::exchange(drops_before_[i], now),
                          sluice::describe(why).kernel);
    }
}

observation sluice_subject::take() {
    observation seen;
    seen.ret = std::exchange(ret_, std::nullopt);
    seen.numbers = std::exchange(numbers_, std::nullopt);
    seen.departures = wires_.take();
    std::vector<delivery> upcalls;
    stack_->multicast_routes().for_each_table([&](sluice::u32, auto& table) {
        mroute_socket& program = table.router;
        if (program.catch_up) program.catch_up(program.heard);
        for (delivery& upcall : std::exchange(program.heard, {}))
            upcalls.push_back(std::move(upcall));
    });
    socket_results heard;
    for (const auto& [name, socket] : sockets_)
        socket->collect(heard);
    seen.deliveries = std::move(heard.deliveries);
    for (delivery& upcall : upcalls)
        seen.deliveries.push_back(std::move(upcall));
    seen.errors = std::move(heard.errors);
    seen.socket_errors = std::move(heard.socket_errors);
    counters after = count();
    for (const auto& [name, value] : after) {
        const std::uint64_t more = value - before_[name];
        if (more != 0) seen.counts[name] = more;
    }
    before_ = std::move(after);
    take_drops(seen);
    return seen;
}

}  // namespace replay
