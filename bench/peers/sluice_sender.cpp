// sluice_sender: Sluice's side of sending: flows and UDP endpoints over a stack with linux_router's
// policies.
//
// A ready segment is copied into a buffer of the stack in the timed part, as its transport would
// have written it.
#include "freeing_output.hpp"
#include "sending.hpp"
#include "sluice_module.hpp"

#include <sluice/endpoint/sending_flow.hpp>
#include <sluice/endpoint/udp_endpoint.hpp>

#include <optional>

namespace peers {

namespace {

struct sending_host : sluice::policies<sluice::based_on<sluice::linux_router>,
                                       sluice::delivery<sluice::registered_endpoints<16, 16>>,
                                       sluice::output<freeing_output>> {};

class sluice_sender final : public sender {
    using stack = sluice::stack<sending_host>;
    using packet = typename stack::packet_type;

public:
    sluice_sender() : stack_(typename stack::parts{.seed = sluice::testing::fixed_seed}) {
        add_ports(*stack_);
        now_.now = now_.now + sluice::duration::from_seconds(1);
    }

    bool prepare(const sending& what, std::span<const unsigned char> first) override {
        what_ = what;
        segment_ = std::as_bytes(first.subspan(20));
        const sluice::ipv4::address peer{station(what.by, 0)};
        flow_.emplace(*stack_, sluice::send_request{.destination = peer, .protocol = 17});
        endpoint_.emplace(*stack_);
        return endpoint_->bind({{}, own_port}).has_value() &&
               (!is_connected(what.by) || endpoint_->connect({peer, first_port}, now_).has_value());
    }
    void pass() override {
        const sluice::const_bytes payload = segment_.subspan(8);
        for (unsigned i = 0; i < sends; ++i) {
            switch (what_.by) {
            case sent_by::flow:
                send_segment();
                break;
            case sent_by::connected_endpoint:
                static_cast<void>(endpoint_->send(payload, now_));
                break;
            case sent_by::unconnected_endpoint:
            case sent_by::endpoint_to_many:
                static_cast<void>(
                    endpoint_->send(payload, {{station(what_.by, i)}, first_port}, now_));
                break;
            case sent_by::corked_endpoint:
                send_corked(payload);
                break;
            }
        }
    }
    std::vector<sent> record() override {
        std::vector<sent> all;
        stack_->output().record = &all;
        pass();
        stack_->output().record = nullptr;
        return all;
    }

private:
    void send_segment() {
        packet p = stack_->buffers().take();
        const auto length = static_cast<sluice::u32>(segment_.size());
        std::memcpy(p.put(length), segment_.data(), length);
        static_cast<void>(flow_->send(std::move(p), now_));
    }
    void send_corked(sluice::const_bytes payload) {
        const std::size_t n = payload.size() / corked_writes;
        for (std::size_t done = 0; done < payload.size(); done += n) {
            const sluice::message_options m{.more = done + n < payload.size()};
            static_cast<void>(endpoint_->send(payload.subspan(done, n), now_, m));
        }
    }

    on_huge_pages<stack> stack_;
    std::optional<sluice::sending_flow<stack>> flow_;
    std::optional<sluice::udp_endpoint<stack>> endpoint_;
    sluice::const_bytes segment_;  // UDP header and payload
    sending what_;
    sluice::moment now_{};
};

}  // namespace

std::unique_ptr<sender> make_sluice_sender() {
    return std::make_unique<sluice_sender>();
}

}  // namespace peers
