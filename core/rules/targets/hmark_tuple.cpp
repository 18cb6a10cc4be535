#include "core/rules/targets/hmark_tuple.hpp"

#include <utility>

#include "core/nat/jhash.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

// kernel: struct hmark_tuple
struct HmarkTuple {
    std::uint32_t source = 0;
    std::uint32_t destination = 0;
    std::uint32_t ports = 0;
    std::uint8_t protocol = 0;
};

class TupleReader {
  public:
    TupleReader(const HmarkConfig& config, const ActionParam& par) : config_(config), par_(par) {}

    [[nodiscard]] std::optional<HmarkTuple> of_connection() const;
    [[nodiscard]] std::optional<HmarkTuple> of_ipv4() const;
    [[nodiscard]] std::optional<HmarkTuple> of_ipv6() const;

  private:
    [[nodiscard]] std::uint32_t folded(const IpAddress& address,
                                       const std::optional<IpAddress>& mask) const;
    [[nodiscard]] std::uint32_t sorted_ports(std::uint32_t both) const;
    [[nodiscard]] std::uint32_t ports_at(wire::ConstBytes header, std::uint8_t protocol) const;

    const HmarkConfig& config_;
    const ActionParam& par_;
};

// kernel: hmark_addr_mask
std::uint32_t TupleReader::folded(const IpAddress& address,
                                  const std::optional<IpAddress>& mask) const {
    std::uint32_t sum = 0;
    for (std::size_t i = 0; mask && i < address.words.size(); ++i) {
        sum ^= address.words[i] & mask->words[i];
    }
    return sum;
}

// The greater port first. kernel: hmark_swap_ports
std::uint32_t TupleReader::sorted_ports(std::uint32_t both) const {
    std::uint32_t mask = config_.spi_mask.value_or(0);
    std::uint32_t set = config_.spi.value_or(0);
    mask |= config_.source_port_mask.value_or(0) << 16 | config_.destination_port_mask.value_or(0);
    set |= config_.source_port.value_or(0) << 16 | config_.destination_port.value_or(0);
    const std::uint32_t value = (both & mask) | set;
    const std::uint32_t source = value >> 16;
    const std::uint32_t destination = value & 0xffff;
    return destination > source ? destination << 16 | source : value;
}

// Of a transport header, the SPI of ESP and AH in their place. kernel: hmark_set_tuple_ports
std::uint32_t TupleReader::ports_at(wire::ConstBytes header, std::uint8_t protocol) const {
    const bool ah = protocol == proto::kAh;
    const std::size_t at = ah ? 4 : 0;
    const bool known = ah || protocol == proto::kEsp || proto::has_ports(protocol);
    return known && at + 4 <= header.size() ? sorted_ports(wire::load32(header.data() + at)) : 0;
}

// kernel: hmark_ct_set_htuple
std::optional<HmarkTuple> TupleReader::of_connection() const {
    const ConnId id = par_.packet.meta.conn;
    if (id == ConnId::None) {
        return std::nullopt;
    }
    const auto original = par_.conntrack.table().tuple(id, Direction::Original);
    const auto reply = par_.conntrack.table().tuple(id, Direction::Reply);
    HmarkTuple tuple{folded(original.source, config_.source_mask),
                     folded(reply.source, config_.destination_mask), 0, original.protocol};
    if (original.protocol != proto::kIcmp) {
        tuple.ports = sorted_ports(std::uint32_t{original.source_port} << 16 | reply.source_port);
    }
    return tuple;
}

// An ICMP error has what the packet that it quotes has. kernel: hmark_pkt_set_htuple_ipv4
std::optional<HmarkTuple> TupleReader::of_ipv4() const {
    namespace ipv4 = wire::ipv4;
    const Layout& layout = par_.packet.layout;
    wire::ConstBytes header = par_.packet.bytes();
    const auto l4 = par_.packet.l4();
    if (layout.protocol == proto::kIcmp && l4.size() >= wire::icmp::kHeaderBytes &&
        wire::icmp::is_error(l4[wire::icmp::kTypeOffset])) {
        header = l4.subspan(wire::icmp::kHeaderBytes);
    }
    if (header.size() < ipv4::kHeaderBytes) {
        return std::nullopt;
    }
    HmarkTuple tuple{folded(IpAddress::v4(wire::load32(header.data() + ipv4::kSourceOffset)),
                            config_.source_mask),
                     folded(IpAddress::v4(wire::load32(header.data() + ipv4::kDestinationOffset)),
                            config_.destination_mask),
                     0, header[ipv4::kProtocolOffset]};
    constexpr std::uint16_t kFragmentBits = 0x3fff;
    const bool fragment =
        (wire::load16(header.data() + ipv4::kFragmentOffset) & kFragmentBits) != 0;
    const std::size_t length = (header[0] & 0x0fu) * 4;
    if (tuple.protocol != proto::kIcmp && !fragment && length <= header.size()) {
        tuple.ports = ports_at(header.subspan(length), tuple.protocol);
    }
    return tuple;
}

// Where the extension headers of a packet end, AH being none. kernel: ipv6_find_hdr
struct Ipv6End {
    std::uint8_t protocol = 0;
    std::size_t offset = 0;
    bool fragment = false;
};
std::optional<Ipv6End> end_of(wire::ConstBytes packet) {
    if (packet.size() < wire::ipv6::kHeaderBytes) {
        return std::nullopt;
    }
    wire::ExtensionWalk walk(packet);
    bool fragment = false;
    while (wire::is_extension_header(walk.type()) && walk.type() != proto::kAh) {
        const auto header = walk.next();
        if (!header) {
            return std::nullopt;
        }
        fragment = fragment || header->type == proto::kFragment;
    }
    return Ipv6End{walk.type(), walk.offset(), fragment};
}

// kernel: hmark_pkt_set_htuple_ipv6
std::optional<HmarkTuple> TupleReader::of_ipv6() const {
    wire::ConstBytes header = par_.packet.bytes();
    auto end = end_of(header);
    if (!end) {
        return HmarkTuple{};
    }
    const bool icmp = end->protocol == proto::kIcmpv6 && !end->fragment &&
                      end->offset + wire::icmp::kHeaderBytes <= header.size();
    if (icmp && header[end->offset] != 0 && wire::icmpv6::is_error(header[end->offset])) {
        header = header.subspan(end->offset + wire::icmp::kHeaderBytes);
        end = end_of(header);
        if (!end) {
            return std::nullopt;
        }
    }
    HmarkTuple tuple{
        folded(IpAddress::from_wire(Family::Ipv6, header.data() + wire::ipv6::kSourceOffset),
               config_.source_mask),
        folded(IpAddress::from_wire(Family::Ipv6, header.data() + wire::ipv6::kDestinationOffset),
               config_.destination_mask),
        0, end->protocol};
    if (!end->fragment && end->protocol != proto::kIcmpv6 && end->offset <= header.size()) {
        tuple.ports = ports_at(header.subspan(end->offset), end->protocol);
    }
    return tuple;
}

}  // namespace

std::optional<std::uint32_t> HmarkConfig::mark_of(const ActionParam& par) const {
    const TupleReader reader(*this, par);
    const bool v4 = par.packet.layout.family == Family::Ipv4;
    std::optional<HmarkTuple> tuple;
    if (tracked) {
        tuple = reader.of_connection();
    } else {
        tuple = v4 ? reader.of_ipv4() : reader.of_ipv6();
    }
    if (!tuple) {
        return std::nullopt;
    }
    if (tuple->destination < tuple->source) {
        std::swap(tuple->source, tuple->destination);
    }
    const std::uint32_t hash =
        nat::jhash_words({tuple->source, tuple->destination, tuple->ports}, 3, seed.value_or(0)) ^
        (tuple->protocol & protocol_mask.value_or(0));
    return static_cast<std::uint32_t>(std::uint64_t{hash} * modulus.value_or(1) >> 32) +
           offset.value_or(0);
}

}  // namespace nsr::rules
