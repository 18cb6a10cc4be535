#include "core/base/drop_reason.hpp"

namespace nsr {

using enum DropReason;

constexpr std::array<DropReasonRow, kDropReasonCount> kRows = {{
    {TooShort, "too_short", "the frame is shorter than its headers say"},
    {BadVersion, "bad_version", "the first nibble is neither 4 nor 6"},
    {BadHeaderLength, "bad_header_length",
     "the IPv4 header length is below 20 or beyond the packet"},
    {BadTotalLength, "bad_total_length", "the IP length field is larger than the packet"},
    {BadHeaderChecksum, "bad_header_checksum", "the IPv4 header checksum is wrong"},
    {BadOption, "bad_option", "an IPv4 option is malformed"},
    {BadExtensionHeader, "bad_extension_header",
     "an IPv6 extension header is malformed or must not be passed"},
    {BadOffload, "bad_offload",
     "what the device says about checksum or segments contradicts the packet"},
    {SourceRouted, "source_routed", "the packet carries a source route, which is not followed"},
    {MartianSource, "martian_source",
     "the source address can never be a sender's (own, loopback, multicast, zero)"},
    {MartianDestination, "martian_destination",
     "the destination address can never be reached (zero, loopback)"},
    {ReversePathFilter, "reverse_path_filter",
     "rp_filter: the source is not reachable through the interface it came from"},
    {ForwardingDisabled, "forwarding_disabled",
     "the packet is for somebody else and forwarding is switched off"},
    {NoRoute, "no_route", "there is no route to the destination"},
    {RouteBlackhole, "route_blackhole", "the route to the destination is a blackhole"},
    {RouteProhibited, "route_prohibited",
     "the route to the destination is administratively prohibited"},
    {RouteUnreachable, "route_unreachable", "the route to the destination says unreachable"},
    {NotForwardable, "not_forwardable",
     "multicast, broadcast and link-local packets are not forwarded"},
    {TtlExpired, "ttl_expired", "the TTL or hop limit ran out here"},
    {TooBig, "too_big", "larger than the outgoing MTU and must not be fragmented"},
    {InterfaceDown, "interface_down", "the interface is down or gone"},
    {FragmentMalformed, "fragment_malformed", "a fragment with impossible offset or length"},
    {FragmentOverlap, "fragment_overlap",
     "fragments of the datagram overlap; the datagram is discarded"},
    {FragmentDuplicate, "fragment_duplicate", "the fragment repeats bytes that are already there"},
    {FragmentTimeout, "fragment_timeout", "the rest of the datagram did not come in time"},
    {FragmentTooLarge, "fragment_too_large", "the datagram would be larger than 65535 bytes"},
    {FragmentMemory, "fragment_memory", "reassembly has used the memory it may use"},
    {FragmentDistance, "fragment_distance",
     "too many other datagrams of this source came between its fragments"},
    {FragmentEcn, "fragment_ecn", "the fragments carry an impossible mix of ECN marks"},
    {TableFull, "table_full", "the connection table is full and no entry could be evicted"},
    {TrackingFailed, "tracking_failed", "the protocol tracker refused the packet"},
    {ConfirmClash, "confirm_clash",
     "another connection took the same tuple before this one was confirmed"},
    {NatExhausted, "nat_exhausted",
     "no free address and port is left in the range of the NAT rule"},
    {NatUntranslatable, "nat_untranslatable",
     "the packet belongs to a translated connection but could not be rewritten"},
    {HelperMangleFailed, "helper_mangle_failed", "a helper could not rewrite the payload"},
    {ExpectationFailed, "expectation_failed",
     "a helper could not register the connection it expects"},
    {RuleDrop, "rule_drop", "a rule says DROP"},
    {PolicyDrop, "policy_drop", "no rule decided and the chain's policy is DROP"},
    {RuleReject, "rule_reject", "a rule says REJECT"},
    {LocalMalformed, "local_malformed",
     "addressed to the router, but not a packet a host would accept"},
    {LocalNoListener, "local_no_listener", "addressed to the router, where nothing listens for it"},
    {EgressFailed, "egress_failed", "the outgoing device did not take the packet"},
}};

constexpr bool rows_are_in_enum_order() {
    for (std::size_t i = 0; i < kRows.size(); ++i) {
        if (static_cast<std::size_t>(kRows[i].reason) != i || kRows[i].name.empty()) {
            return false;
        }
    }
    return true;
}
static_assert(rows_are_in_enum_order());

const std::array<DropReasonRow, kDropReasonCount> kDropReasons = kRows;

std::string_view name_of(DropReason reason) {
    return kRows[static_cast<std::size_t>(reason)].name;
}

std::string_view explain(DropReason reason) {
    return kRows[static_cast<std::size_t>(reason)].explanation;
}

}  // namespace nsr
