// The stages of a hook in the order of hooks.hpp, and what each does with a packet.
#include <optional>
#include <utility>

#include "core/pipeline/pipeline.hpp"

namespace nsr::pipeline {

// A template over the table, so that the compiler inlines the whole hook and drops what does not
// run there.
template <Hook kHook, const auto& kStages>
Verdict Pipeline::run_hook(Packet& packet) {
    HookCounters& counted = counters(packet).hooks[static_cast<std::size_t>(kHook)];
    ++counted.packets;
    Verdict verdict = Verdict::accept();
    const auto run = [&]<StageId kStage>() {
        verdict = state_.observer == nullptr ? run_stage<kHook>(kStage, packet)
                                             : run_observed<kHook>(kStage, packet);
        if (verdict.accepted()) {
            return true;
        }
        ++(verdict.dropped() ? counted.dropped : counted.stolen);
        stopped_.in_hook = verdict.dropped();
        stopped_.hook = kHook;
        stopped_.stage = kStage;
        return false;
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) {
        static_cast<void>((run.template operator()<kStages[I].id>() && ...));
    }
    (std::make_index_sequence<kStages.size()>());
    return verdict;
}

template <Hook kHook>
Verdict Pipeline::run_observed(StageId stage, Packet& packet) {
    state_.observer->stage_begins(kHook, stage, packet);
    const Verdict verdict = run_stage<kHook>(stage, packet);
    state_.observer->stage_done(kHook, stage, packet, verdict);
    return verdict;
}

template <Hook kHook>
Verdict Pipeline::run_stage(StageId stage, Packet& packet) {
    switch (stage) {
        case StageId::Defrag:
            return defragment(packet);
        case StageId::Raw:
            return filter(rules::TableId::Raw, kHook, packet);
        case StageId::Track:
            return track(packet);
        case StageId::Mangle:
            return kHook == Hook::Output ? mangle_output(packet)
                                         : filter(rules::TableId::Mangle, kHook, packet);
        case StageId::Filter:
            return filter(rules::TableId::Filter, kHook, packet);
        case StageId::Security:
            return filter(rules::TableId::Security, kHook, packet);
        case StageId::Dnat:
        case StageId::Snat:
            return translate(kHook, packet);
        case StageId::Helper:
            return state_.helpers.help(packet, now_);
        case StageId::Confirm:
            return confirm(packet);
    }
    return Verdict::accept();
}

template Verdict Pipeline::run_hook<Hook::Prerouting, kPrerouting>(Packet&);
template Verdict Pipeline::run_hook<Hook::Input, kInput>(Packet&);
template Verdict Pipeline::run_hook<Hook::Forward, kForward>(Packet&);
template Verdict Pipeline::run_hook<Hook::Output, kOutput>(Packet&);
template Verdict Pipeline::run_hook<Hook::Postrouting, kPostrouting>(Packet&);

// kernel: ipv4_conntrack_defrag, ipv6_defrag
Verdict Pipeline::defragment(Packet& packet) {
    const bool tracked = state_.conntrack.active(packet.layout.family);
    const bool wanted = packet.layout.is_fragment || packet.layout.fragment_header_cut;
    if (!wanted || !tracked) {
        return Verdict::accept();
    }
    const Verdict verdict = state_.defrag.collect(packet, defrag::Reassembler::Tracking, now_);
    return verdict.accepted() && hand_over_datagram(packet) ? Verdict::stolen() : verdict;
}

// One that was put together here, to the shard that it belongs to, if that is another: it counts in
// PREROUTING there. False: it is ours.
bool Pipeline::hand_over_datagram(Packet& datagram) {
    HookCounters& counted = counters(datagram).hooks[static_cast<std::size_t>(Hook::Prerouting)];
    datagram.meta.counted = true;
    if (!state_.hand_over(datagram)) {
        return false;
    }
    --counted.packets;
    --counted.stolen;  // as which the hook is about to count it
    return true;
}

Verdict Pipeline::track(Packet& packet) {
    if (!state_.conntrack.active(packet.layout.family)) {
        return Verdict::accept();
    }
    const Verdict verdict = state_.conntrack.track(packet, now_);
    state_.program.prefetch(packet);
    if (packet.meta.ct_info == CtInfo::Invalid && verdict.accepted()) {
        state_.recorder.invalid(packet, state_.conntrack.invalid_note(), now_);
    }
    return verdict;
}

Verdict Pipeline::confirm(Packet& packet) {
    if (!state_.refused_connections.empty() && belongs_to_known(packet) &&
        state_.refused_connections.has(packet.meta.conn,
                                       state_.conntrack.table()[packet.meta.conn])) {
        state_.refused_connections.remove(packet.meta.conn);
        state_.recorder.changed(packet, packet.meta.conn, state_.conntrack,
                                Record::Change::NowAccepted, now_);
    }
    return state_.conntrack.confirm(packet, now_);
}

// To a connection that had a packet which went on. An error about one is another matter.
bool Pipeline::belongs_to_known(const Packet& packet) const {
    return packet.meta.conn != ConnId::None && !is_related(packet.meta.ct_info) &&
           state_.conntrack.table()[packet.meta.conn].has(conntrack::status::kConfirmed);
}

// For the filter the connection begins once more; answers wait for that.
Verdict Pipeline::filter_again(Hook hook, Packet& packet) {
    if (direction_of(packet.meta.ct_info) == Direction::Reply) {
        return Verdict::drop(DropReason::AwaitsRecheck);
    }
    const CtInfo tracked = std::exchange(packet.meta.ct_info, CtInfo::New);
    const Verdict verdict = ask_table(rules::TableId::Filter, hook, packet);
    packet.meta.ct_info = tracked;
    if (verdict.accepted()) {
        state_.conntrack.accept_again(packet.meta.conn, packet.meta.accepted_by);
    }
    return verdict;
}

Verdict Pipeline::run_table(rules::TableId table, Hook hook, Packet& packet) {
    const rules::TableVerdict& decided = judge(table, hook, packet);
    if (table == rules::TableId::Filter && decided.verdict == rules::TargetVerdict::Accept) {
        packet.meta.accepted_by = decided.rule;
    }
    return carry_out(decided, packet);
}

// What a table says; the copies that its rules make go first. Valid until the next call.
const rules::TableVerdict& Pipeline::judge(rules::TableId table, Hook hook, Packet& packet) {
    rules::Copies copies;
    rules::ActionParam par = {packet,           table,           hook,          now_,
                              state_.conntrack, state_.network,  state_.random, state_.log,
                              state_.sets,      state_.rules_key};
    par.copies = copying_ ? nullptr : &copies;
    par.packet_log = state_.packet_log;
    const rules::TableVerdict& decided = state_.program.run(par, state_.observer);
    if (copies.empty()) {
        return decided;
    }
    decided_ = decided;  // what rules say of the copies, which have no copies, comes in between
    send_copies(std::move(copies));
    return decided_;
}

// kernel: nf_nat_ipv4_fn, nf_nat_ipv6_fn, nf_nat_inet_fn; nf_nat_ipv4_local_fn
Verdict Pipeline::translate(Hook hook, Packet& packet) {
    const Meta& meta = packet.meta;
    if (meta.conn == ConnId::None ||
        !state_.program.loaded(packet.layout.family, rules::TableId::Nat)) {
        return Verdict::accept();
    }
    const auto manip = hook == Hook::Prerouting || hook == Hook::Output ? nat::Manip::Destination
                                                                        : nat::Manip::Source;
    const bool decides = meta.ct_info == CtInfo::New ||
                         (is_related(meta.ct_info) && !proto::is_icmp(packet.layout.protocol));
    if (decides && !state_.nat.bound(packet, manip)) {
        if (const Verdict verdict = bind(hook, manip, packet); !verdict.accepted()) {
            return verdict;
        }
    }
    if (hook != Hook::Output) {
        return state_.nat.apply(packet, hook, now_);
    }
    const IpAddress destination = packet.layout.destination;
    const Verdict verdict = state_.nat.apply(packet, hook, now_);
    const bool moved = packet.layout.destination != destination;
    return verdict.accepted() && moved ? reroute(packet) : verdict;
}

Verdict Pipeline::bind(Hook hook, nat::Manip manip, Packet& packet) {
    std::optional<nat::Range> range;
    RuleId rule = RuleId::None;
    if (state_.program.has(packet.layout.family, rules::TableId::Nat, hook)) {
        const rules::TableVerdict& decided = judge(rules::TableId::Nat, hook, packet);
        if (decided.verdict == rules::TargetVerdict::Nat) {
            range = decided.range;
            rule = decided.rule;
        } else if (const Verdict verdict = carry_out(decided, packet); !verdict.accepted()) {
            return verdict;
        }
    }
    return state_.nat.bind(packet, manip, range, rule, now_);
}

Verdict Pipeline::carry_out(const rules::TableVerdict& decided, const Packet& packet) {
    switch (decided.verdict) {
        case rules::TargetVerdict::Continue:
        case rules::TargetVerdict::Accept:
        case rules::TargetVerdict::Nat:
            return Verdict::accept();
        case rules::TargetVerdict::Drop:
            stopped_.rule = decided.rule;
            if (decided.exhausted) {
                return Verdict::drop(DropReason::RulesExhausted);
            }
            return Verdict::drop(decided.by_policy() ? DropReason::PolicyDrop
                                                     : DropReason::RuleDrop);
        case rules::TargetVerdict::Reject: {
            const RuleId rule = decided.rule;  // what it sends asks the rules, too
            send_reject(packet, decided.reject);
            stopped_.rule = rule;
            return Verdict::drop(DropReason::RuleReject);
        }
    }
    return Verdict::accept();
}

}  // namespace nsr::pipeline
