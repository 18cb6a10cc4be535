#include "core/conntrack/trackers/icmp_error.hpp"

#include "core/packet/checksum.hpp"
#include "core/packet/dissect.hpp"
#include "core/wire/icmp.hpp"

namespace nsr::conntrack {

namespace {

using wire::ConstBytes;

constexpr std::size_t kRedirectBytes = 40;  // RFC 4861 4.5, up to the options
constexpr std::size_t kRedirectOptionBytes = 8;
constexpr std::uint8_t kRedirectedHeaderOption = 4;

// kernel: noct_valid_new. Redirects are not among them: they quote a packet.
constexpr bool is_link_matter(std::uint8_t type) {
    using namespace wire;
    return (type >= icmpv6::kListenerQuery && type <= icmpv6::kNeighbourAdvertisement) ||
           type == icmpv6::kListenerReportV2;
}

struct Judge {
    const Packet& packet;
    const InvalidLog& log;

    [[nodiscard]] IcmpClass malformed(const char* why) const {
        log.write(packet, packet.layout.protocol, "%s", why);
        return {IcmpKind::Malformed, {}};
    }
    [[nodiscard]] IcmpClass icmp(bool verify_checksum) const;
    [[nodiscard]] IcmpClass icmpv6(bool verify_checksum) const;
    [[nodiscard]] IcmpClass redirect_v6(ConstBytes l4) const;
    [[nodiscard]] IcmpClass error(ConstBytes quotation) const;
};

// Behind the header of a redirect, if its first option is that. Empty: it is not.
ConstBytes quotation_in_redirect_v6(ConstBytes l4) {
    constexpr std::size_t kBegin = kRedirectBytes + kRedirectOptionBytes;
    return l4.size() > kBegin && l4[kRedirectBytes] == kRedirectedHeaderOption ? l4.subspan(kBegin)
                                                                               : ConstBytes{};
}

// Empty: the packet is no error, or quotes nothing.
ConstBytes quotation_in(const Packet& packet) {
    const Layout& layout = packet.layout;
    if (!proto::is_icmp(layout.protocol) || !layout.has_l4_header()) {
        return {};
    }
    const auto icmp = wire::IcmpView::parse(packet.l4());
    if (!icmp) {
        return {};
    }
    const bool v6 = layout.protocol == proto::kIcmpv6;
    if (v6 && icmp->type() == wire::icmpv6::kRedirect) {
        return quotation_in_redirect_v6(packet.l4());
    }
    const bool error =
        v6 ? wire::icmpv6::is_error(icmp->type()) : wire::icmp::is_error(icmp->type());
    return error ? icmp->payload() : ConstBytes{};
}

}  // namespace

IcmpClass classify_icmp(const Packet& packet, bool verify_checksum, const InvalidLog& log) {
    const Judge judge{packet, log};
    if (packet.layout.family == Family::Ipv4 && packet.layout.protocol == proto::kIcmp) {
        return judge.icmp(verify_checksum);
    }
    if (packet.layout.family == Family::Ipv6 && packet.layout.protocol == proto::kIcmpv6) {
        return judge.icmpv6(verify_checksum);
    }
    return {};
}

std::optional<Tuple> tuple_of_quoted_packet(const Packet& packet) {
    Layout layout;
    const ConstBytes quotation = quotation_in(packet);
    if (quotation.empty() || !dissect_quoted(quotation, layout, packet.layout.family)) {
        return std::nullopt;
    }
    return tuple_of_quoted(quotation, layout);
}

namespace {

IcmpClass Judge::icmp(bool verify_checksum) const {
    const auto icmp = wire::IcmpView::parse(packet.l4());
    if (!icmp) {
        return malformed("short packet");
    }
    if (verify_checksum && !checksum_right(packet, whole_transport(packet, proto::kIcmp))) {
        return malformed("bad hw icmp checksum");
    }
    if (icmp->type() > wire::icmp::kHighestType) {
        return malformed("invalid icmp type");
    }
    return wire::icmp::is_error(icmp->type()) ? error(icmp->payload()) : IcmpClass{};
}

IcmpClass Judge::icmpv6(bool verify_checksum) const {
    const auto icmp = wire::IcmpView::parse(packet.l4());
    if (!icmp) {
        return malformed("short packet");
    }
    if (verify_checksum && !checksum_right(packet, whole_transport(packet, proto::kIcmpv6))) {
        return malformed("ICMPv6 checksum failed");
    }
    if (is_link_matter(icmp->type())) {
        return {IcmpKind::Untracked, {}};
    }
    if (icmp->type() == wire::icmpv6::kRedirect) {
        return redirect_v6(packet.l4());
    }
    return wire::icmpv6::is_error(icmp->type()) ? error(icmp->payload()) : IcmpClass{};
}

// kernel: nf_conntrack_icmpv6_redirect
IcmpClass Judge::redirect_v6(ConstBytes l4) const {
    if (l4.size() < kRedirectBytes) {
        return malformed("short redirect");
    }
    if (l4[wire::icmp::kCodeOffset] != 0) {
        return {};
    }
    if (packet.layout.ttl != 255 || !packet.layout.source.is_link_local()) {
        return malformed("invalid saddr or hoplimit for redirect");
    }
    const ConstBytes option = l4.subspan(kRedirectBytes);
    if (option.size() < 2 || option[1] == 0) {
        return malformed("redirect without options");
    }
    if (option[0] != kRedirectedHeaderOption) {
        return {};
    }
    return error(quotation_in_redirect_v6(l4));
}

// kernel: nf_conntrack_inet_error, up to the lookup
IcmpClass Judge::error(ConstBytes quotation) const {
    Layout layout;
    if (!dissect_quoted(quotation, layout, packet.layout.family)) {
        return {IcmpKind::Malformed, {}};
    }
    const auto quoted = tuple_of_quoted(quotation, layout);
    const auto answer = quoted ? invert(*quoted) : std::nullopt;
    return answer ? IcmpClass{IcmpKind::Error, *answer} : IcmpClass{IcmpKind::Malformed, {}};
}

}  // namespace

}  // namespace nsr::conntrack
