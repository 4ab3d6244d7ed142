// sluice_path: the whole path of a datagram through stacks with linux_router's policies: one stack
// without hooks, one with a hook at forward.
//
// It passes batches of 32 as a driver does. The output frees sent packets, endpoints free received
// ones. Time moves by a second a batch: Linux's limits of ICMP errors let every error pass, but the
// stack asks them each time.
#include "freeing_output.hpp"
#include "sluice_module.hpp"

#include <sluice/hooks/hook_chain.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace peers {

namespace {

template <class Hooks>
struct edge : sluice::policies<sluice::based_on<sluice::linux_router>,
                               sluice::delivery<sluice::registered_endpoints<16, 1024>>,
                               sluice::hooks<Hooks>, sluice::output<freeing_output>> {};

template <class Packet>
struct accepting_hook final : sluice::hook<Packet> {
    sluice::hook_verdict operator()(Packet&, const sluice::hook_context&) noexcept override {
        return sluice::hook_verdict::accept;
    }
};

template <class Packet>
struct freeing_sink final : sluice::packet_sink<Packet> {
    bool take(Packet& packet, const sluice::delivery_info&) noexcept override {
        if (record != nullptr) {
            const auto* from = reinterpret_cast<const unsigned char*>(packet.data());
            record->push_back({number, {from, from + packet.size()}});
        }
        const Packet ends = std::move(packet);
        return true;
    }
    unsigned number = 0;
    std::vector<sent>* record = nullptr;
};

template <class Hooks>
class sluice_host {
    using stack = sluice::stack<edge<Hooks>>;
    using packet = typename stack::packet_type;

public:
    sluice_host() : stack_(typename stack::parts{.seed = sluice::testing::fixed_seed}) {
        add_ports(*stack_);
        if constexpr (!stack::hooks_type::never_active) {
            static_cast<void>(stack_->hooks().add(sluice::hook_point::forward, 0, hook_));
        }
    }

    bool prepare(workload what, std::span<const datagram> input) {
        what_ = what;
        input_ = input;
        sinks_ = std::vector<freeing_sink<packet>>(endpoints_of(what));
        for (unsigned i = 0; i < sinks_.size(); ++i) {
            sinks_[i].number = i;
            const auto port = static_cast<sluice::u16>(first_port + i);
            if (!stack_->delivery().add_udp({.protocol = 17, .local_port = port}, sinks_[i])) {
                return false;
            }
        }
        if (is_send(what)) {
            for (unsigned i = 0; i < ports; ++i) {
                const auto route =
                    stack_->route(sluice::flow_of(request_to(input[i])), sluice::moment{});
                if (!route.has_value()) {
                    return false;
                }
                kept_[i] = *route;
            }
        }
        return true;
    }
    void pass() {
        for (unsigned i = 0; i < input_.size(); i += host_burst) {
            const auto some =
                input_.subspan(i, std::min<std::size_t>(host_burst, input_.size() - i));
            if (is_send(what_)) {
                send(some);
            } else {
                receive(some);
            }
        }
    }
    std::vector<sent> record() {
        std::vector<sent> all;
        const auto to = [&](std::vector<sent>* where) {
            stack_->output().record = where;
            for (auto& s : sinks_) {
                s.record = where;
            }
        };
        to(&all);
        pass();
        to(nullptr);
        return all;
    }

private:
    [[nodiscard]] sluice::send_request request_to(const datagram& d) const {
        return {.destination = {load(d.bytes + 16)},
                .protocol = 17,
                .dont_fragment = what_ == workload::send_dont_fragment};
    }
    [[nodiscard]] sluice::moment next_moment() {
        now_ = now_ + sluice::duration::from_seconds(1);
        return {now_};
    }
    void receive(std::span<const datagram> some) {
        const sluice::u16 headroom =
            what_ == workload::echo_no_room ? sluice::u16{0} : sluice::default_headroom;
        std::array<packet, host_burst> batch;
        for (std::size_t i = 0; i < some.size(); ++i) {
            batch[i] = stack_->buffers().take(headroom);
            std::memcpy(batch[i].put(some[i].size), some[i].bytes, some[i].size);
            batch[i].set_interface(entry_index);
        }
        stack_->receive(std::span{batch}.first(some.size()), next_moment());
    }
    void send(std::span<const datagram> some) {
        const sluice::moment now = next_moment();
        for (const datagram& d : some) {
            packet p = stack_->buffers().take();
            const sluice::u16 payload = d.size - d.header_length;
            std::memcpy(p.put(payload), d.bytes + d.header_length, payload);
            const sluice::send_request r = request_to(d);
            if (what_ == workload::send) {
                static_cast<void>(stack_->send(std::move(p), r, now));
            } else {
                static_cast<void>(stack_->send(std::move(p), r, kept_[d.bytes[17] - 64u], now));
            }
        }
    }

    on_huge_pages<stack> stack_;
    accepting_hook<packet> hook_;
    std::vector<freeing_sink<packet>> sinks_;
    std::span<const datagram> input_;
    std::array<sluice::routing::output_route, ports> kept_{};
    workload what_ = workload::forward;
    sluice::instant now_{};
};

// For each kind of work a stack of the type that it needs.
class sluice_path final : public host {
public:
    bool prepare(workload what, std::span<const datagram> input) override {
        plain_.reset();
        hooked_.reset();
        return what == workload::forward_hooked ? hooked_.emplace().prepare(what, input)
                                                : plain_.emplace().prepare(what, input);
    }
    void pass() override {
        if (plain_) {
            plain_->pass();
        } else {
            hooked_->pass();
        }
    }
    std::vector<sent> record() override { return plain_ ? plain_->record() : hooked_->record(); }

private:
    std::optional<sluice_host<sluice::no_hooks>> plain_;
    std::optional<sluice_host<sluice::hook_chain<4>>> hooked_;
};

}  // namespace

std::unique_ptr<host> make_sluice_host() {
    return std::make_unique<sluice_path>();
}

}  // namespace peers
