// Pipeline: the way of one packet. router.hpp is the door; this is the hall behind it.
//
// Theory of operation
//   A packet runs to its end before the next one is looked at, on the C++ stack: receive() or
//   originate() is its whole life, and what it causes (an error, a reset, an answer) lives and ends
//   inside it. The hooks are data (hooks.hpp); each stage answers with a Verdict:
//     accept   the next stage has it
//     drop     drop() counts the reason and lets go of an unconfirmed connection; nobody touches
//              the packet after that
//     stolen   a stage keeps it (a fragment that waits for others): nothing is counted
//   The packet belongs to its caller until transmit() moves it into the egress queue. A function
//   that takes Packet by value ends it; one that takes Packet& leaves it dropped, sent or stolen.
//   Where to read: pipeline.cpp the way from hook to hook, stages.cpp what each stage does,
//   way.cpp
//   which way it goes, egress.cpp how a packet leaves, errors.cpp where it is refused and who is
//   told.
// kernel: ip_rcv ... ip_output, ipv6_rcv ... ip6_output
#pragma once

#include <cstdint>

#include "core/local/local.hpp"
#include "core/pipeline/hooks.hpp"
#include "core/pipeline/state.hpp"

namespace nsr::pipeline {

// What the router writes into timestamps: milliseconds with the high bit that says "not since
// midnight UT" (RFC 791 3.1, RFC 792), because the core knows no calendar.
constexpr std::uint32_t time_of_day(Instant now) {
    constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    return 0x80000000 | static_cast<std::uint32_t>(ms % kDayMs);
}

// One call's worth of work: the state, the time and where packets leave to.
class Pipeline {
  public:
    Pipeline(State& state, Instant now, EgressQueue& out) : state_(state), now_(now), out_(out) {
        if (state_.observer != nullptr) {
            state_.observer->time_is(now);
        }
    }

    // Counts a packet from outside, before it is known whether it is IP.
    void arrived(const Packet& packet);
    // A dissected packet from outside: PREROUTING and onward.
    void receive(Packet& packet);
    // dissect() refused it: tell the sender where it asked for that.
    void malformed(Packet& packet, DropReason reason);
    // A dissected packet that no hook is to see.
    void refuse(Packet& packet, DropReason reason);
    // A packet of the router's own: OUTPUT and onward.
    void originate(Packet& packet);
    // A datagram that was never completed: tell its sender, where a host or router must.
    void reassembly_timed_out(Packet first);

  private:
    // The stages of a hook in their order, and what each does: stages.cpp
    template <Hook kHook, const auto& kStages>
    Verdict run_hook(Packet& packet);
    template <Hook kHook>
    Verdict run_stage(StageId stage, Packet& packet);
    template <Hook kHook>
    [[gnu::noinline, gnu::cold]] Verdict run_observed(StageId stage, Packet& packet);
    Verdict defragment(Packet& packet);
    bool hand_over_datagram(Packet& datagram);
    Verdict track(Packet& packet);
    Verdict confirm(Packet& packet);
    [[nodiscard]] bool belongs_to_known(const Packet& packet) const;
    Verdict filter(rules::TableId table, Hook hook, Packet& packet);
    Verdict ask_table(rules::TableId table, Hook hook, Packet& packet);
    Verdict filter_again(Hook hook, Packet& packet);
    [[gnu::noinline]] Verdict run_table(rules::TableId table, Hook hook, Packet& packet);
    Verdict translate(Hook hook, Packet& packet);
    Verdict bind(Hook hook, nat::Manip manip, Packet& packet);
    const rules::TableVerdict& judge(rules::TableId table, Hook hook, Packet& packet);
    Verdict carry_out(const rules::TableVerdict& decided, const Packet& packet);

    // The way: pipeline.cpp
    Verdict prerouting(Packet& packet);
    static void gather_for_demux(Packet& packet);
    void route_input(Packet& packet);
    void deliver(Packet& packet, bool broadcast);
    [[nodiscard]] bool ignores_echo(const Packet& packet, bool broadcast) const;
    [[nodiscard]] bool claims_to_be_us(const Packet& packet) const;
    [[nodiscard]] bool is_anycast(const Packet& packet) const;
    static void answer_for_anycast(const Packet& packet, local::Response& response);
    void forward(Packet& packet, routing::Decision& decision);
    void postroute(Packet& packet);
    void loop_back(Packet& packet);
    void send_local(Packet packet);
    void send_out(Packet& packet, routing::Decision& decision);
    void count_delivery(const Packet& packet);
    void count_request(const Packet& packet);
    void drop(Packet& packet, DropReason reason);
    void end(Packet& packet, Verdict verdict);

    // What is asked of the routes, and the answers for packets from here: way.cpp
    [[nodiscard]] routing::Flow flow_of(const Packet& packet) const;
    [[nodiscard]] routing::Flow flow_back(const Packet& packet,
                                          const routing::Decision& decision) const;
    [[nodiscard]] IfIndex way_out(const Packet& packet, const routing::Decision& decision) const;
    Verdict mangle_output(Packet& packet);
    Verdict reroute(const Packet& packet);

    // What may not go on, and the errors about a packet that is still here: errors.cpp
    [[nodiscard]] Verdict check_addresses(const Packet& packet) const;
    [[nodiscard]] Verdict check_source(const Packet& packet,
                                       const routing::Decision& decision) const;
    [[nodiscard]] Verdict check_reverse_path(const Packet& packet,
                                             const routing::Decision& decision) const;
    [[nodiscard]] std::uint32_t mtu_of(const Packet& packet,
                                       const routing::Decision& decision) const;
    void refuse_source(Packet& packet, DropReason reason);
    void log_martian(const Packet& packet, DropReason reason);
    Verdict may_forward(Packet& packet, const routing::Decision& decision);
    void unroutable(Packet& packet, routing::Destination kind);
    void redirect(const Packet& packet, const routing::Decision& decision);
    void send_error(const Packet& about, local::IcmpError error);
    [[nodiscard]] bool is_broadcast(const Packet& about) const;
    bool within_rate(const Packet& about);
    [[nodiscard]] std::uint32_t longest_error(const Packet& about) const;
    [[nodiscard]] IpAddress source_of_error(const Packet& about) const;
    void send_reject(const Packet& about, rules::RejectWith with);

    // IPv4 options, and what the router writes into them: options.cpp
    [[nodiscard]] Verdict check_options(Packet& packet, const routing::Decision& decision);
    [[nodiscard]] local::Self self_now() const;
    [[nodiscard]] IpAddress specific_destination(const Packet& packet,
                                                 const routing::Decision& decision) const;
    [[nodiscard]] std::optional<IpAddress> source_towards(const IpAddress& destination) const;
    void stamp_options(Packet& packet, const routing::Decision& decision);

    // Copies that rules ask for: copies.cpp
    void send_copies(rules::Copies copies);
    void send_copy(Packet& packet, std::optional<routing::Decision> way);
    [[nodiscard]] std::optional<routing::Decision> way_of(const rules::Copy& copy) const;

    // Leaving: egress.cpp
    void finish_output(Packet& packet);
    void fragment(Packet packet, std::uint32_t mtu);
    void too_big(Packet& packet, std::uint32_t mtu);
    void transmit(Packet& packet);
    void count_transmit(const Packet& packet);

    [[nodiscard]] IpCounters& counters(const Packet& packet) {
        return state_.counters[index_of(packet.layout.family)];
    }

    State& state_;
    Instant now_;
    EgressQueue& out_;
    // What refused the packet that is about to be dropped; nothing of it: no stage of a hook.
    struct Stopped {
        bool in_hook = false;
        Hook hook = Hook::Prerouting;
        StageId stage = StageId::Defrag;
        RuleId rule = RuleId::None;
    };
    Stopped stopped_;
    rules::TableVerdict decided_;  // by the last table whose rules made copies
    bool copying_ = false;         // a copy is on its way
    std::size_t recorded_at_ = 0;  // in the packet being routed; see record_in_ipv4_options
};

// Most tables say nothing at most hooks: asking that is all that is to be done for them.
[[gnu::always_inline]] inline Verdict Pipeline::ask_table(rules::TableId table, Hook hook,
                                                          Packet& packet) {
    return state_.program.has(packet.layout.family, table, hook) ? run_table(table, hook, packet)
                                                                 : Verdict::accept();
}

[[gnu::always_inline]] inline Verdict Pipeline::filter(rules::TableId table, Hook hook,
                                                       Packet& packet) {
    if (table == rules::TableId::Filter && state_.conntrack.awaits_recheck(packet)) {
        return filter_again(hook, packet);
    }
    return ask_table(table, hook, packet);
}

}  // namespace nsr::pipeline
