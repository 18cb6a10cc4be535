#include "core/routing/route_index.hpp"

#include <algorithm>

#include "core/routing/policy_rule.hpp"

namespace nsr::routing {

namespace {

// Whether a route is asked before another one of its prefix that was there first.
bool comes_before(const Target& later, const Target& earlier) {
    if (earlier.own || later.tos != earlier.tos) {
        return !earlier.own && later.tos > earlier.tos;
    }
    return later.metric < earlier.metric;
}

}  // namespace

void RouteIndex::clear() {
    prefixes_.clear();
    targets_.clear();
    hops_.clear();
}

void RouteIndex::insert(const Prefix& prefix, Target target, std::vector<Hop> hops) {
    target.length = prefix.length;
    target.first_hop = static_cast<std::uint32_t>(hops_.size());
    target.hop_count = static_cast<std::uint16_t>(hops.size());
    share_out(hops);
    hops_.insert(hops_.end(), hops.begin(), hops.end());
    const auto at = static_cast<std::uint32_t>(targets_.size());
    targets_.push_back(target);
    std::uint32_t* link = prefixes_.find(prefix);
    if (link == nullptr) {
        prefixes_.insert(prefix, at);
        return;
    }
    while (*link != kEnd && !comes_before(target, targets_[*link])) {
        link = &targets_[*link].next;
    }
    targets_[at].next = *link;
    *link = at;
}

const Target* RouteIndex::search(const Flow& flow, Own own, std::uint32_t first) const {
    while (true) {
        for (std::uint32_t at = first; at != kEnd; at = targets_[at].next) {
            if (suits(targets_[at], flow, own)) {
                return &targets_[at];
            }
        }
        const auto shorter = prefixes_.longest_below(flow.destination, targets_[first].length);
        if (!shorter) {
            return nullptr;
        }
        first = *shorter;
    }
}

bool RouteIndex::suits(const Target& target, const Flow& flow, Own own) const {
    if (target.own) {
        return own == Own::Counts;
    }
    if (target.tos != 0 && target.tos != routed_tos(flow.destination.family, flow.tos)) {
        return false;
    }
    return flow.out == IfIndex::None || target.decision.kind != Destination::Unicast ||
           leads_through(target, flow.out);
}

bool RouteIndex::leads_through(const Target& target, IfIndex interface) const {
    const auto hops = hops_of(target);
    const auto leads = [&](const Hop& hop) { return hop.alive && hop.out == interface; };
    return hops.empty() ? target.decision.out == interface : std::any_of(hops.begin(), hops.end(), leads);
}

// A way out that is asked for takes the hop that has it. kernel: fib_select_path
Decision RouteIndex::decide(const Target& target, const Flow& flow, SipKey key) const {
    Decision decision = target.decision;
    bool direct = target.direct;
    if (target.hop_count != 0) {
        const auto hops = hops_of(target);
        const auto wanted = std::find_if(hops.begin(), hops.end(), [&](const Hop& hop) {
            return hop.alive && hop.out == flow.out;
        });
        const Hop& hop = wanted != hops.end() ? *wanted : choose(hops, flow, key);
        decision.out = hop.out;
        decision.next_hop = hop.next_hop;
        direct = hop.direct;
    }
    if (decision.kind == Destination::Unicast && direct) {
        decision.next_hop = flow.destination;
    }
    return decision;
}

}  // namespace nsr::routing
