#include "core/base/drop_reason.hpp"

namespace nsr {

using enum DropReason;

constexpr std::array<DropReasonRow, kDropReasonCount> kDropReasons = {{
    {TooShort, "too_short", "PKT_TOO_SMALL", "the frame is shorter than its headers say"},
    {BadVersion, "bad_version", "IP_INHDR", "the first nibble is neither 4 nor 6"},
    {BadHeaderLength, "bad_header_length", "IP_INHDR",
     "the IPv4 header length is below 20 or beyond the packet"},
    {BadTotalLength, "bad_total_length", "PKT_TOO_SMALL",
     "the IP length field is larger than the packet"},
    {BadHeaderChecksum, "bad_header_checksum", "IP_CSUM", "the IPv4 header checksum is wrong"},
    {BadOption, "bad_option", "IP_INHDR", "an IPv4 option is malformed"},
    {BadExtensionHeader, "bad_extension_header", "IPV6_BAD_EXTHDR",
     "an IPv6 extension header is malformed or must not be passed"},
    {BadOffload, "bad_offload", "DEV_HDR",
     "what the device says about checksum or segments contradicts the packet"},
    {SourceRouted, "source_routed", "NOT_SPECIFIED",
     "the packet carries a source route, which is not followed"},
    {MartianSource, "martian_source", "IP_INVALID_SOURCE",
     "the source address is none of a sender (own, loopback, multicast, broadcast, zero)"},
    {MartianDestination, "martian_destination", "IP_INVALID_DEST",
     "the destination address is none to be reached (zero, loopback)"},
    {ReversePathFilter, "reverse_path_filter", "IP_RPFILTER",
     "rp_filter: the source is not reachable through the interface it came from"},
    {ForwardingDisabled, "forwarding_disabled", "IP_INADDRERRORS",
     "the packet is for somebody else and forwarding is switched off"},
    {NoRoute, "no_route", "IP_INNOROUTES", "there is no route to the destination"},
    {RouteBlackhole, "route_blackhole", "NOT_SPECIFIED",
     "the route to the destination is a blackhole"},
    {RouteProhibited, "route_prohibited", "NOT_SPECIFIED",
     "the route to the destination is administratively prohibited"},
    {RouteUnreachable, "route_unreachable", "NOT_SPECIFIED",
     "the route to the destination says unreachable"},
    {NotForwardable, "not_forwardable", "NOT_SPECIFIED",
     "multicast, broadcast and link-local packets are not forwarded"},
    {TtlExpired, "ttl_expired", "IP_INHDR", "the TTL or hop limit ran out here"},
    {TooBig, "too_big", "PKT_TOO_BIG", "larger than the outgoing MTU and must not be fragmented"},
    {InterfaceDown, "interface_down", "DEV_READY",
     "the interface is down or gone, or takes no IPv6 (disable_ipv6)"},
    {FragmentMalformed, "fragment_malformed", "NOT_SPECIFIED",
     "a fragment with impossible offset or length"},
    {FragmentOverlap, "fragment_overlap", "NOT_SPECIFIED",
     "fragments of the datagram overlap; the datagram is discarded"},
    {FragmentDuplicate, "fragment_duplicate", "DUP_FRAG",
     "the fragment repeats bytes that are already there"},
    {FragmentTimeout, "fragment_timeout", "FRAG_REASM_TIMEOUT",
     "the rest of the datagram did not come in time"},
    {FragmentTooLarge, "fragment_too_large", "PKT_TOO_BIG",
     "the datagram would be larger than 65535 bytes"},
    {FragmentMemory, "fragment_memory", "NOMEM", "reassembly has used the memory it may use"},
    {FragmentEcn, "fragment_ecn", "NOT_SPECIFIED",
     "the fragments carry an impossible mix of ECN marks"},
    {ShardQueueFull, "shard_queue_full", "CPU_BACKLOG",
     "the queue to the shard that its connection belongs to is full"},
    {TableFull, "table_full", "NETFILTER_DROP",
     "the connection table is full and no entry could be evicted"},
    {TrackingFailed, "tracking_failed", "NETFILTER_DROP",
     "there is no memory for the record of its connection"},
    {ConfirmClash, "confirm_clash", "NETFILTER_DROP",
     "another connection has the same tuple, as when the range of a NAT rule is used up"},
    {NatUntranslatable, "nat_untranslatable", "NETFILTER_DROP",
     "the packet belongs to a translated connection but could not be rewritten"},
    {NatRefused, "nat_refused", "NETFILTER_DROP",
     "the rule's NAT lets no UDP out, or has no ports for this host"},
    {NatFiltered, "nat_filtered", "NETFILTER_DROP",
     "the endpoint is mapped, but its NAT admits nobody that it has not talked to"},
    {NatSessionLimit, "nat_session_limit", "NETFILTER_DROP",
     "its host has as many connections through the NAT as one host may have"},
    {NatPortsUsedUp, "nat_ports_used_up", "NETFILTER_DROP",
     "no port of those that the rule's NAT may choose is free"},
    {HelperRefused, "helper_refused", "NETFILTER_DROP",
     "a helper could not follow what the packet announces: a command cut in two, no room for what "
     "it expects, or no port to translate it to"},
    {RuleDrop, "rule_drop", "NETFILTER_DROP", "a rule says DROP"},
    {PolicyDrop, "policy_drop", "NETFILTER_DROP", "no rule decided and the chain's policy is DROP"},
    {RuleReject, "rule_reject", "NETFILTER_DROP", "a rule says REJECT"},
    {AwaitsRecheck, "awaits_recheck", "NETFILTER_DROP",
     "an answer of a connection that rules have not accepted again since a reload with --existing "
     "recheck"},
    {RulesExhausted, "rules_exhausted", "NETFILTER_DROP",
     "its way through a table of rules took more than 65536 jumps or 2097152 instructions"},
    {LocalMalformed, "local_malformed", "NOT_SPECIFIED",
     "addressed to the router, but not a packet a host would accept"},
    {LocalNoListener, "local_no_listener", "NO_SOCKET",
     "addressed to the router, where nothing listens for it or may answer"},
    {LocalNoProtocol, "local_no_protocol", "IP_NOPROTO", "the router does not speak this protocol"},
    {EgressQueueFull, "egress_queue_full", "FULL_RING", "the queue of the outgoing device is full"},
    {EgressFailed, "egress_failed", "NOT_SPECIFIED", "the outgoing device refused the packet"},
}};

constexpr bool rows_are_in_enum_order() {
    for (std::size_t i = 0; i < kDropReasons.size(); ++i) {
        if (static_cast<std::size_t>(kDropReasons[i].reason) != i || kDropReasons[i].name.empty()) {
            return false;
        }
    }
    return true;
}
static_assert(rows_are_in_enum_order());

std::string_view name_of(DropReason reason) {
    return kDropReasons[static_cast<std::size_t>(reason)].name;
}

std::string_view explain(DropReason reason) {
    return kDropReasons[static_cast<std::size_t>(reason)].explanation;
}

}  // namespace nsr
