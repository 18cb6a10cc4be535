// Each reason of a drop has a sentence that says what would have let the packet through.
#include "core/observe/hint.hpp"

#include <doctest/doctest.h>

using namespace nsr;
using namespace nsr::observe;

namespace {

HintContext at_forward(DropReason reason) {
    HintContext context;
    context.reason = reason;
    context.in = "lan";
    context.out = "wan";
    context.in_hook = true;
    context.hook = Hook::Forward;
    context.tracked = true;
    context.info = CtInfo::New;
    context.rule = "rules.v4:7";
    return context;
}

}  // namespace

TEST_CASE("hint: every reason has one, and no gap is left in it") {
    for (const DropReasonRow& row : kDropReasons) {
        CAPTURE(row.name);
        const std::string full = hint(at_forward(row.reason));
        CHECK_FALSE(full.empty());
        CHECK(full.find('{') == std::string::npos);
        const std::string bare = hint({.reason = row.reason});
        CHECK(bare.find('{') == std::string::npos);
    }
}

TEST_CASE("hint: a rule that drops is named, with what would have to stand before it") {
    CHECK(hint(at_forward(DropReason::RuleDrop)) ==
          "a rule before rules.v4:7 in FORWARD that accepts NEW packets from lan to wan");
    HintContext context = at_forward(DropReason::RuleReject);
    context.rule = "by command";
    CHECK(hint(context) ==
          "a rule before that in FORWARD that accepts NEW packets from lan to wan");
}

TEST_CASE("hint: an INVALID packet is told what would make it valid") {
    HintContext context = at_forward(DropReason::PolicyDrop);
    context.info = CtInfo::Invalid;
    context.why_invalid = "SEQ is over upper bound 1500 (over the window of the receiver)";
    CHECK(hint(context).starts_with("net.netfilter.nf_conntrack_tcp_be_liberal=1; else a rule "));
    context.why_invalid = "it begins no connection";
    CHECK(hint_for_invalid(context).find("nf_conntrack_tcp_loose=1") != std::string::npos);
}

TEST_CASE("hint: what helps is said of the link and the protocol at hand") {
    const std::string reverse = hint(at_forward(DropReason::ReversePathFilter));
    CHECK(reverse.find("a route back to its source through lan") != std::string::npos);
    CHECK(reverse.find("net.ipv4.conf.lan.rp_filter=2") != std::string::npos);
    const std::string big = hint(at_forward(DropReason::TooBig));
    CHECK(big.find("the ICMP error") != std::string::npos);
    CHECK(big.find("a larger MTU of wan") != std::string::npos);
    HintContext late = at_forward(DropReason::RuleDrop);
    late.info = CtInfo::Invalid;
    late.why_invalid = "invalid new";
    CHECK(hint(late).find("has forgotten it") != std::string::npos);
}
