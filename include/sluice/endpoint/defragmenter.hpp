// defragmenter<Stack>: a hook behind which no fragment is seen, as connection tracking, filters and
// translators of whole datagrams need it.
//
// It stands at prerouting and local_out, in front of hooks with a priority above -400. Fragments
// go to the reassembly of the stack, under users of their own. On its way out the datagram is cut
// again, into fragments not longer than the longest that came. If that one had DF, so have they,
// and a link that it does not fit on sends an error back. Timeouts are reported to the sender only
// by the destination.
//
//     static stack<edge> router{...};          // hooks<hook_chain<>>
//     static defragmenter fragments{router};   // lives as long as it works
//     if (!fragments.start()) ...              // the chain is full
//
// Expects: a stack with a reassembly policy; outlived by the stack.
// Never:   holds a packet itself.
// Cost:    for a packet that is no fragment one virtual call and a comparison.
// Source:  RFC 791 section 3.2; Linux nf_defrag_ipv4, ip_do_fragment.
// Deviation: no zones and no bridges; an application's packets have no IP_NODEFRAG.
#pragma once

#include <sluice/hooks/hook_chain.hpp>
#include <sluice/reassembly/concept.hpp>
#include <sluice/wire/ipv4.hpp>

#include <utility>

namespace sluice {

template <class Stack>
class defragmenter final : public hook<typename Stack::packet_type> {
public:
    using packet_type = typename Stack::packet_type;
    static constexpr i32 priority = -400;  // Linux NF_IP_PRI_CONNTRACK_DEFRAG

    explicit defragmenter(Stack& on) noexcept : stack_(on) {}
    defragmenter(const defragmenter&) = delete;
    defragmenter& operator=(const defragmenter&) = delete;
    ~defragmenter() { stop(); }

    // Adds the hook at both points. False, and nothing is added: the chain has no room for two, or
    // the hook was started before.
    [[nodiscard]] bool start() noexcept {
        auto& chain = stack_.hooks();
        if (runs_ || !chain.add(hook_point::prerouting, priority, *this)) {
            return false;
        }
        runs_ = chain.add(hook_point::local_out, priority, *this);
        if (!runs_) {
            chain.remove(hook_point::prerouting, *this);
        }
        return runs_;
    }
    // Removes it. Fragments that came stay in the reassembly of the stack until their time is over.
    void stop() noexcept {
        if (std::exchange(runs_, false)) {
            stack_.hooks().remove(hook_point::prerouting, *this);
            stack_.hooks().remove(hook_point::local_out, *this);
        }
    }

    hook_verdict operator()(packet_type& packet, const hook_context& at) noexcept override {
        if (!ipv4::is_fragment(ipv4::const_view{std::as_const(packet).data()})) {
            return hook_verdict::accept;
        }
        const bool is_own = at.in == 0;
        if (!stack_.reassemble(packet,
                               is_own ? reassembly_user::connection_tracking_output
                                      : reassembly_user::connection_tracking,
                               is_own ? at.out : at.in, {})) {
            return hook_verdict::stolen;
        }
        packet.writable_metadata().ignore_df = true;
        return hook_verdict::accept;
    }

private:
    Stack& stack_;
    bool runs_ = false;
};

}  // namespace sluice
