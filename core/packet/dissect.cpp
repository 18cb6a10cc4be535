#include "core/packet/dissect.hpp"

#include <algorithm>
#include <optional>

#include "core/packet/ipv4_options.hpp"
#include "core/packet/ipv6_options.hpp"
#include "core/packet/offload.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr {

namespace {

namespace ipv4 = wire::ipv4;
namespace ipv6 = wire::ipv6;
using wire::ConstBytes;

Verdict dissect_ipv4(Packet& packet);
Verdict dissect_ipv6(Packet& packet);
void read_ipv4(ConstBytes bytes, Layout& layout);
void read_ipv6(ConstBytes bytes, Layout& layout);
void walk_extension_headers(ConstBytes bytes, Layout& layout);
std::optional<DropReason> ipv6_addresses_refused(const Layout& layout);
bool hop_by_hop_refused(ConstBytes bytes, Layout& layout);

}  // namespace

Verdict dissect(Packet& packet) {
    packet.layout = Layout{};
    if (packet.size() < ipv4::kHeaderBytes) {
        return Verdict::drop(DropReason::TooShort);
    }
    const unsigned version = packet.data()[0] >> 4;
    if (version != 4 && version != 6) {
        return Verdict::drop(DropReason::BadVersion);
    }
    packet.layout.family = version == 4 ? Family::Ipv4 : Family::Ipv6;
    return version == 4 ? dissect_ipv4(packet) : dissect_ipv6(packet);
}

bool dissect_quoted(std::span<const std::uint8_t> bytes, Layout& layout, Family family) {
    layout = Layout{};
    if (family == Family::None && !bytes.empty()) {
        family = bytes[0] >> 4 == 6 ? Family::Ipv6 : Family::Ipv4;
    }
    if (family == Family::Ipv6) {
        if (bytes.size() < ipv6::kHeaderBytes) {
            return false;
        }
        layout.total_length = static_cast<std::uint32_t>(bytes.size());
        read_ipv6(bytes, layout);
        return true;
    }
    const auto header = wire::Ipv4View::parse(bytes);
    if (!header || header->header_length_bytes() > bytes.size()) {
        return false;
    }
    layout.total_length = static_cast<std::uint32_t>(bytes.size());
    read_ipv4(bytes, layout);
    return true;
}

namespace {

// kernel: ip_rcv_core
Verdict dissect_ipv4(Packet& packet) {
    const auto header = *wire::Ipv4View::parse(packet.bytes());
    const std::size_t header_length = header.header_length_bytes();
    if (header_length < ipv4::kHeaderBytes || header_length > packet.size()) {
        return Verdict::drop(DropReason::BadHeaderLength);
    }
    if (!wire::ipv4_header_right(packet.bytes().first(header_length))) {
        return Verdict::drop(DropReason::BadHeaderChecksum);
    }
    const std::size_t total_length = header.total_length();
    if (total_length > packet.size() || total_length < header_length) {
        return Verdict::drop(DropReason::BadTotalLength);
    }
    packet.resize(total_length);
    packet.layout.total_length = static_cast<std::uint32_t>(total_length);
    read_ipv4(packet.bytes(), packet.layout);
    if (!offload_fits(packet)) {
        return Verdict::drop(DropReason::BadOffload);
    }
    if (packet.layout.has_ipv4_options) {
        const Ipv4OptionFacts facts = check_ipv4_options(packet.bytes().first(header_length));
        packet.layout.source_routed = facts.source_routed;
        packet.layout.problem_pointer = facts.problem_pointer;
    }
    return Verdict::accept();
}

// kernel: ip6_rcv_core
Verdict dissect_ipv6(Packet& packet) {
    if (packet.size() < ipv6::kHeaderBytes) {
        return Verdict::drop(DropReason::TooShort);
    }
    const auto header = *wire::Ipv6View::parse(packet.bytes());
    const bool may_be_jumbo =
        header.payload_length() == 0 && header.next_header() == proto::kHopByHop;
    const std::size_t total_length =
        may_be_jumbo ? packet.size() : ipv6::kHeaderBytes + header.payload_length();
    if (total_length > packet.size()) {
        return Verdict::drop(DropReason::BadTotalLength);
    }
    packet.resize(total_length);
    packet.layout.total_length = static_cast<std::uint32_t>(total_length);
    read_ipv6(packet.bytes(), packet.layout);
    if (!offload_fits(packet)) {
        return Verdict::drop(DropReason::BadOffload);
    }
    if (const auto reason = ipv6_addresses_refused(packet.layout)) {
        return Verdict::drop(*reason);
    }
    if (header.next_header() == proto::kHopByHop &&
        hop_by_hop_refused(packet.bytes(), packet.layout)) {
        return Verdict::drop(DropReason::BadExtensionHeader);
    }
    return Verdict::accept();
}

// Precondition: the header with its options is within `bytes`.
void read_ipv4(ConstBytes bytes, Layout& layout) {
    const auto header = *wire::Ipv4View::parse(bytes);
    layout.family = Family::Ipv4;
    layout.protocol = header.protocol();
    layout.tos = header.type_of_service();
    layout.ttl = header.time_to_live();
    layout.l4_offset = static_cast<std::uint16_t>(header.header_length_bytes());
    layout.source = header.source();
    layout.destination = header.destination();
    layout.identification = header.identification();
    layout.has_ipv4_options = header.header_length_bytes() > ipv4::kHeaderBytes;
    const std::uint16_t word = header.flags_and_offset();
    layout.dont_fragment = (word & ipv4::kDontFragment) != 0;
    layout.more_fragments = (word & ipv4::kMoreFragments) != 0;
    layout.fragment_offset = static_cast<std::uint16_t>((word & ipv4::kOffsetMask) * 8);
    layout.is_fragment = layout.more_fragments || layout.fragment_offset != 0;
}

// Precondition: the fixed header is within `bytes`.
void read_ipv6(ConstBytes bytes, Layout& layout) {
    const auto header = *wire::Ipv6View::parse(bytes);
    layout.family = Family::Ipv6;
    layout.tos = header.traffic_class();
    layout.ttl = header.hop_limit();
    layout.source = header.source();
    layout.destination = header.destination();
    layout.protocol = header.next_header();
    layout.l4_offset = ipv6::kHeaderBytes;
    walk_extension_headers(bytes, layout);
}

void note_fragment_header(ConstBytes header, std::size_t offset, Layout& layout) {
    const std::uint16_t word = wire::load16(header.data() + ipv6::kFragmentOffsetOffset);
    layout.is_fragment = true;
    layout.more_fragments = (word & ipv6::kMoreFragments) != 0;
    layout.fragment_offset = word & ipv6::kFragmentOffsetMask;
    layout.identification = wire::load32(header.data() + ipv6::kFragmentIdentificationOffset);
    layout.fragment_header = static_cast<std::uint16_t>(offset);
}

// Offsets in a Layout have 16 bits, and no IPv6 payload needs more: a reassembled datagram may be a
// little longer than that with its headers.
constexpr std::size_t kFurthestHeader = 0xffff;

// A fragment header whose offset is there and 0 says what would be behind it, if no more than that.
// kernel: ipv6_skip_exthdr
std::optional<std::uint8_t> named_by_cut_fragment_header(ConstBytes rest) {
    const bool first =
        rest.size() >= ipv6::kFragmentIdentificationOffset &&
        (wire::load16(rest.data() + ipv6::kFragmentOffsetOffset) & ipv6::kFragmentOffsetMask) == 0;
    return first && !wire::is_extension_header(rest[0]) && rest[0] != proto::kNoNext
               ? std::optional(rest[0])
               : std::nullopt;
}

// The chain ends in a header that is not all there.
void note_cut(ConstBytes bytes, const wire::ExtensionWalk& cut, Layout& layout) {
    const std::size_t end = std::min(bytes.size(), kFurthestHeader);
    layout.protocol = proto::kNoNext;
    layout.l4_offset = static_cast<std::uint16_t>(std::min(cut.offset(), end));
    if (cut.type() == proto::kFragment && cut.offset() <= bytes.size() &&
        cut.offset() + ipv6::kFragmentHeaderBytes <= kFurthestHeader) {
        const auto named = named_by_cut_fragment_header(bytes.subspan(cut.offset()));
        layout.fragment_header_cut = !named && layout.fragment_header == 0;
        if (named) {
            layout.protocol = *named;
            layout.l4_offset = static_cast<std::uint16_t>(bytes.size());
        }
    }
}

// kernel: ipv6_skip_exthdr, ipv6_find_hdr. A header that says to be longer than the packet names
// the next one nevertheless, of which nothing is there. Behind the fragment header of a later
// fragment there is no header to walk on: the protocol is what that header names.
void walk_extension_headers(ConstBytes bytes, Layout& layout) {
    wire::ExtensionWalk walk(bytes);
    while (wire::is_extension_header(walk.type()) && layout.fragment_offset == 0) {
        const wire::ExtensionWalk here = walk;
        const auto header = walk.next();
        const bool fragment = here.type() == proto::kFragment;
        if (!header || walk.offset() > kFurthestHeader ||
            (fragment && walk.offset() > bytes.size())) {
            return note_cut(bytes, here, layout);
        }
        if (fragment && layout.fragment_header == 0) {
            note_fragment_header(bytes.subspan(header->offset), header->offset, layout);
            layout.fragment_prev_next = static_cast<std::uint16_t>(header->named_at);
        }
    }
    layout.protocol = walk.type();
    layout.l4_offset = static_cast<std::uint16_t>(std::min(walk.offset(), bytes.size()));
}

// kernel: ip6_rcv_core
std::optional<DropReason> ipv6_addresses_refused(const Layout& layout) {
    if (layout.source.is_loopback() || layout.source.is_multicast()) {
        return DropReason::MartianSource;
    }
    // RFC 4291 2.7: scope 0 is reserved, scope 1 never leaves a host.
    const bool unusable_scope =
        layout.destination.is_multicast() && (layout.destination.words[0] >> 16 & 0xf) <= 1;
    if (layout.destination.is_loopback() || unusable_scope) {
        return DropReason::MartianDestination;
    }
    return std::nullopt;
}

// kernel: ipv6_parse_hopopts
bool hop_by_hop_refused(ConstBytes bytes, Layout& layout) {
    const bool multicast = layout.destination.is_multicast();
    const Ipv6OptionFacts facts =
        check_ipv6_options(bytes, ipv6::kHeaderBytes,
                           multicast ? Ipv6Options::HopByHopMulticast : Ipv6Options::HopByHop);
    layout.problem_pointer = facts.problem_pointer;
    layout.problem_code = facts.problem_code;
    return facts.refused;
}

}  // namespace

}  // namespace nsr
