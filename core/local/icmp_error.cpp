// The ICMP errors of a router, and when it must not send one.
#include <algorithm>
#include <cstring>

#include "core/local/build.hpp"
#include "core/local/local.hpp"
#include "core/packet/checksum.hpp"
#include "core/packet/rewrite.hpp"
#include "core/packet/segment.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/udp.hpp"

namespace nsr::local {

namespace {

namespace icmp = wire::icmp;
namespace icmpv6 = wire::icmpv6;

constexpr std::size_t kIpv4Limit = 576;  // RFC 1812 4.3.2.3
constexpr std::size_t kIpv6Limit = wire::ipv6::kMinimumMtu;
constexpr std::uint8_t kTosBits = 0x1e;  // kernel: RT_TOS
constexpr std::uint8_t kInternetControl = 0xc0;

bool sum_over_all_right(const Packet& about, bool pseudo_header);
bool forbidden(const Packet& about);
bool forbidden_v6(const Packet& about, const IcmpError& error);
Packet as_on_wire(const Packet& about);
std::optional<Packet> make_error(const Packet& about, const IcmpError& error, const Header& header);

}  // namespace

bool may_report(const Packet& about, const IcmpError& error) {
    const bool v4 = about.layout.family == Family::Ipv4;
    return answerable(about.layout.source) && !(v4 ? forbidden(about) : forbidden_v6(about, error));
}

std::optional<Packet> icmp_error(const Packet& about, const IcmpError& error,
                                 const IpAddress& source, const Self& self) {
    if (!may_report(about, error)) {
        return std::nullopt;
    }
    const Layout& layout = about.layout;
    const auto options = echo_ipv4_options(about, {source, self.time_of_day_ms, self.is_own});
    if (!options) {
        return std::nullopt;
    }
    const bool v4 = layout.family == Family::Ipv4;
    Header header;
    header.source = source;
    header.destination = layout.source;
    header.protocol = v4 ? proto::kIcmp : proto::kIcmpv6;
    header.tos = v4 ? static_cast<std::uint8_t>((layout.tos & kTosBits) | kInternetControl)
                    : std::uint8_t{0};
    header.identification = static_cast<std::uint16_t>(layout.identification);
    header.options = *options;
    const bool plain =
        about.offload.gso == Gso::None && about.offload.checksum != ChecksumState::Partial;
    return plain ? make_error(about, error, header) : make_error(as_on_wire(about), error, header);
}

// Which protocols' checksums are looked at: kernel: nf_reject_verify_csum, nf_ip_checksum,
// nf_ip6_checksum. For a protocol whose checksum is unknown the kernel sums up all of it
// nevertheless, so such packets are hardly ever answered.
bool may_reject(const Packet& about) {
    const Layout& layout = about.layout;
    const bool v4 = layout.family == Family::Ipv4;
    if (!layout.has_l4_header() || (!v4 && layout.l4_length() == 0)) {
        return false;
    }
    switch (layout.protocol) {
        case proto::kGre:
        case proto::kAh:
        case proto::kEsp:
        case proto::kSctp:
        case proto::kUdplite:
            return true;
        case proto::kNoNext:
            return v4 && sum_over_all_right(about, false);
        case proto::kUdp: {
            const auto header = wire::UdpView::parse(about.l4());
            if (header && header->checksum() == 0) {
                return true;
            }
            break;
        }
        default:
            break;
    }
    const bool pseudo_header =
        !v4 || layout.protocol == proto::kTcp || layout.protocol == proto::kUdp;
    return sum_over_all_right(about, pseudo_header);
}

namespace {

bool sum_over_all_right(const Packet& about, bool pseudo_header) {
    ChecksumScope scope = whole_transport(about, about.layout.protocol);
    scope.has_pseudo_header = pseudo_header;
    return checksum_right(about, scope);
}

// Types that nobody knows might be errors, too. kernel: icmp_pointers[].error
bool may_be_error(std::uint8_t type) {
    switch (type) {
        case icmp::kEchoReply:
        case icmp::kEcho:
            return false;
        default:
            return type < icmp::kTimestamp || type > icmp::kHighestType;
    }
}

// kernel: __icmp_send. RFC 1122 3.2.2
bool forbidden(const Packet& about) {
    const Layout& layout = about.layout;
    if (layout.destination.is_multicast() || layout.destination.is_limited_broadcast() ||
        layout.fragment_offset != 0) {
        return true;
    }
    if (layout.protocol != proto::kIcmp) {
        return false;
    }
    const auto l4 = about.l4();
    return l4.empty() || may_be_error(l4[0]);
}

// RFC 4443 2.4 (e.3): two errors are sent about multicast packets, too.
bool allowed_for_multicast(const Packet& about, const IcmpError& error) {
    if (error.type == icmpv6::kPacketTooBig) {
        return true;
    }
    const bool unknown_option =
        error.type == icmpv6::kParameterProblem && error.code == icmpv6::kUnknownOption;
    return unknown_option && error.info < about.size() && about.data()[error.info] >> 6 == 2;
}

// Offset, reserved bits and more fragments are not all zero.
bool says_fragment(const Packet& about) {
    const std::size_t header = about.layout.fragment_header;
    return header != 0 &&
           wire::load16(about.data() + header + wire::ipv6::kFragmentOffsetOffset) != 0;
}

// kernel: icmp6_send, is_ineligible
bool forbidden_v6(const Packet& about, const IcmpError& error) {
    const Layout& layout = about.layout;
    if (layout.destination.is_multicast() && !allowed_for_multicast(about, error)) {
        return true;
    }
    if (layout.protocol != proto::kIcmpv6 || !layout.has_l4_header()) {
        return false;
    }
    const auto l4 = about.l4();
    return l4.empty() ? !says_fragment(about) : icmpv6::is_error(l4[0]);
}

// A super-packet's first segment; a checksum that the device would have finished, finished.
Packet as_on_wire(const Packet& about) {
    if (about.offload.gso != Gso::None) {
        return first_segment(about);
    }
    Packet copy = about.clone();
    rewrite::complete_checksum(copy);
    return copy;
}

// Nothing if options leave no room for more than an IP header. kernel: __icmp_send
std::optional<Packet> make_error(const Packet& about, const IcmpError& error,
                                 const Header& header) {
    const bool v4 = about.layout.family == Family::Ipv4;
    const std::size_t headers =
        icmp::kHeaderBytes +
        (v4 ? wire::ipv4::kHeaderBytes + header.options.size : wire::ipv6::kHeaderBytes);
    const std::size_t longest = std::min<std::size_t>(v4 ? kIpv4Limit : kIpv6Limit, error.longest);
    if (longest <= headers + wire::ipv4::kHeaderBytes) {
        return std::nullopt;
    }
    const std::size_t quoted =
        std::min({about.size(), longest - headers, std::size_t{error.quotable}});
    Packet packet = make_packet(about.pool(), header, icmp::kHeaderBytes + quoted);

    std::uint8_t* l4 = packet.l4().data();
    const bool pointer_in_first_byte = v4 && error.type == icmp::kParameterProblem;
    l4[icmp::kTypeOffset] = error.type;
    l4[icmp::kCodeOffset] = error.code;
    wire::store16(l4 + icmp::kChecksumOffset, 0);
    wire::store32(l4 + icmp::kInfoOffset, pointer_in_first_byte ? error.info << 24 : error.info);
    std::memcpy(l4 + icmp::kHeaderBytes, about.data(), quoted);
    seal(packet);
    return packet;
}

}  // namespace

}  // namespace nsr::local
