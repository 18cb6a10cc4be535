// What would have let a packet through that was dropped: a sentence for each reason, from a table.
#pragma once

#include <string>

#include "core/base/ct_info.hpp"
#include "core/base/drop_reason.hpp"
#include "core/packet/hook.hpp"
#include "core/wire/address.hpp"

namespace nsr::observe {

// What is known of such a packet; names are empty where there is none.
struct HintContext {
    DropReason reason = DropReason::Count;
    std::string in;
    std::string out;
    bool in_hook = false;  // `hook` is where it was refused
    Hook hook = Hook::Forward;
    Family family = Family::Ipv4;
    std::uint8_t protocol = 0;
    bool tracked = false;
    CtInfo info = CtInfo::Invalid;
    std::string rule;  // that refused it, "rules.v4:12", and its chain
    std::string chain;
    std::string why_invalid;  // InvalidNote::why
};

// "a rule in FORWARD that accepts NEW from lan to wan". Never empty.
std::string hint(const HintContext& context);
// What would have made an INVALID packet valid: "net.netfilter.nf_conntrack_tcp_be_liberal=1".
std::string hint_for_invalid(const HintContext& context);

}  // namespace nsr::observe
