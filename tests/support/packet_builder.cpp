#include "tests/support/packet_builder.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::test {

namespace {

constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;

void split(std::string_view text, IpAddress& address, std::uint16_t& port) {
    std::string_view host = text;
    std::string_view service;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        host = text.substr(1, end - 1);
        service = text.substr(std::min(text.size(), end + 2));
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        host = text.substr(0, text.find(':'));
        service = text.substr(text.find(':') + 1);
    }
    const auto parsed = parse_address(host);
    if (!parsed) {
        throw std::invalid_argument("not an address: " + std::string(text));
    }
    address = *parsed;
    std::from_chars(service.data(), service.data() + service.size(), port);
}

void append16(std::vector<std::uint8_t>& out, std::uint16_t value) {
    out.resize(out.size() + 2);
    wire::store16(out.data() + out.size() - 2, value);
}

void append32(std::vector<std::uint8_t>& out, std::uint32_t value) {
    out.resize(out.size() + 4);
    wire::store32(out.data() + out.size() - 4, value);
}

// Where a transport protocol keeps its checksum; none: no checksum that we make.
std::size_t checksum_offset(std::uint8_t protocol) {
    switch (protocol) {
        case proto::kTcp:
            return 16;
        case proto::kUdp:
            return 6;
        case proto::kIcmp:
        case proto::kIcmpv6:
            return 2;
        default:
            return 0;
    }
}

}  // namespace

PacketBuilder tcp(std::string_view source, std::string_view destination) {
    return {proto::kTcp, source, destination};
}

PacketBuilder udp(std::string_view source, std::string_view destination) {
    return {proto::kUdp, source, destination};
}

PacketBuilder ping(std::string_view source, std::string_view destination, std::uint16_t id,
                   std::uint16_t seq) {
    PacketBuilder builder(
        source.find('.') != std::string_view::npos ? proto::kIcmp : proto::kIcmpv6, source,
        destination);
    const std::uint8_t echo = source.find('.') != std::string_view::npos ? 8 : 128;
    return builder.icmp(echo, 0, static_cast<std::uint32_t>(id) << 16 | seq);
}

PacketBuilder ip(std::uint8_t protocol, std::string_view source, std::string_view destination) {
    return {protocol, source, destination};
}

PacketBuilder::PacketBuilder(std::uint8_t protocol, std::string_view source,
                             std::string_view destination)
    : protocol_(protocol) {
    split(source, source_, source_port_);
    split(destination, destination_, destination_port_);
}

PacketBuilder& PacketBuilder::ttl(std::uint8_t value) {
    ttl_ = value;
    return *this;
}

PacketBuilder& PacketBuilder::tos(std::uint8_t value) {
    tos_ = value;
    return *this;
}

PacketBuilder& PacketBuilder::id(std::uint16_t value) {
    id_ = value;
    return *this;
}

PacketBuilder& PacketBuilder::dont_fragment(bool value) {
    dont_fragment_ = value;
    return *this;
}

PacketBuilder& PacketBuilder::syn() {
    flags_ |= kSyn;
    return *this;
}

PacketBuilder& PacketBuilder::ack(std::uint32_t number) {
    flags_ |= kAck;
    ack_ = number;
    return *this;
}

PacketBuilder& PacketBuilder::fin() {
    flags_ |= kFin;
    return *this;
}

PacketBuilder& PacketBuilder::rst() {
    flags_ |= kRst;
    return *this;
}

PacketBuilder& PacketBuilder::flags(std::uint8_t value) {
    flags_ = value;
    return *this;
}

PacketBuilder& PacketBuilder::seq(std::uint32_t number) {
    seq_ = number;
    return *this;
}

PacketBuilder& PacketBuilder::win(std::uint16_t value) {
    win_ = value;
    return *this;
}

PacketBuilder& PacketBuilder::options(std::vector<std::uint8_t> bytes) {
    options_ = std::move(bytes);
    return *this;
}

PacketBuilder& PacketBuilder::icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest) {
    icmp_type_ = type;
    icmp_code_ = code;
    icmp_rest_ = rest;
    return *this;
}

PacketBuilder& PacketBuilder::quoting(const PacketBuilder& inner, std::size_t bytes) {
    payload_ = inner.bytes();
    payload_.resize(std::min(bytes, payload_.size()));
    return *this;
}

PacketBuilder& PacketBuilder::payload(std::size_t bytes) {
    payload_.resize(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
        payload_[i] = static_cast<std::uint8_t>(i);
    }
    return *this;
}

PacketBuilder& PacketBuilder::data(std::string_view text) {
    payload_.assign(text.begin(), text.end());
    return *this;
}

PacketBuilder& PacketBuilder::bad_checksum() {
    bad_checksum_ = true;
    return *this;
}

PacketBuilder& PacketBuilder::truncated(std::size_t bytes) {
    truncate_ = bytes;
    return *this;
}

PacketBuilder& PacketBuilder::fragment(std::uint16_t offset, bool more, std::size_t length) {
    is_fragment_ = true;
    fragment_offset_ = offset;
    more_fragments_ = more;
    fragment_length_ = length;
    return *this;
}

PacketBuilder& PacketBuilder::gso(std::uint16_t segment_bytes) {
    gso_size_ = segment_bytes;
    return *this;
}

std::vector<std::uint8_t> PacketBuilder::bytes() const {
    std::vector<std::uint8_t> body = transport();
    if (is_fragment_) {
        body.erase(body.begin(),
                   body.begin() + std::min<std::size_t>(body.size(), fragment_offset_));
        body.resize(std::min(body.size(), fragment_length_));
    }
    std::vector<std::uint8_t> out;
    if (source_.is_v4()) {
        out.resize(20);
        out[0] = 0x45;
        out[1] = tos_;
        wire::store16(&out[2], static_cast<std::uint16_t>(20 + body.size()));
        wire::store16(&out[4], id_);
        wire::store16(&out[6], static_cast<std::uint16_t>((dont_fragment_ ? 0x4000 : 0) |
                                                          (more_fragments_ ? 0x2000 : 0) |
                                                          fragment_offset_ / 8));
        out[8] = ttl_;
        out[9] = protocol_;
        source_.to_wire(&out[12]);
        destination_.to_wire(&out[16]);
        wire::store16(&out[10], wire::checksum(out));
    } else {
        const std::size_t fragment_header = is_fragment_ ? 8 : 0;
        out.resize(40 + fragment_header);
        out[0] = static_cast<std::uint8_t>(0x60 | tos_ >> 4);
        out[1] = static_cast<std::uint8_t>(tos_ << 4);
        wire::store16(&out[4], static_cast<std::uint16_t>(body.size() + fragment_header));
        out[6] = is_fragment_ ? proto::kFragment : protocol_;
        out[7] = ttl_;
        source_.to_wire(&out[8]);
        destination_.to_wire(&out[24]);
        if (is_fragment_) {
            out[40] = protocol_;
            wire::store16(&out[42],
                          static_cast<std::uint16_t>(fragment_offset_ | (more_fragments_ ? 1 : 0)));
            wire::store32(&out[44], id_);
        }
    }
    out.insert(out.end(), body.begin(), body.end());
    out.resize(out.size() - std::min(out.size(), truncate_));
    return out;
}

Packet PacketBuilder::packet(BufferPool& pool) const {
    Packet packet(pool, bytes());
    if (gso_size_ != 0) {
        const auto l4 = static_cast<std::uint16_t>(source_.is_v4() ? 20 : 40);
        packet.offload.checksum = ChecksumState::Partial;
        packet.offload.checksum_start = l4;
        packet.offload.checksum_offset = static_cast<std::uint16_t>(checksum_offset(protocol_));
        packet.offload.gso = protocol_ == proto::kUdp ? Gso::Udp
                             : source_.is_v4()        ? Gso::Tcp4
                                                      : Gso::Tcp6;
        packet.offload.gso_size = gso_size_;
        packet.offload.header_length = static_cast<std::uint16_t>(l4 + transport_header().size());
    }
    return packet;
}

std::vector<std::uint8_t> PacketBuilder::transport() const {
    std::vector<std::uint8_t> out = transport_header();
    out.insert(out.end(), payload_.begin(), payload_.end());
    finish_checksum(out);
    return out;
}

std::vector<std::uint8_t> PacketBuilder::transport_header() const {
    std::vector<std::uint8_t> out;
    switch (protocol_) {
        case proto::kTcp:
            append16(out, source_port_);
            append16(out, destination_port_);
            append32(out, seq_);
            append32(out, ack_);
            out.push_back(static_cast<std::uint8_t>((5 + options_.size() / 4) << 4));
            out.push_back(flags_);
            append16(out, win_);
            append32(out, 0);
            out.insert(out.end(), options_.begin(), options_.end());
            break;
        case proto::kUdp:
        case proto::kUdplite:
            append16(out, source_port_);
            append16(out, destination_port_);
            append16(out, static_cast<std::uint16_t>(8 + payload_.size()));
            append16(out, 0);
            break;
        case proto::kIcmp:
        case proto::kIcmpv6:
            out = {icmp_type_, icmp_code_, 0, 0};
            append32(out, icmp_rest_);
            break;
        default:
            break;
    }
    return out;
}

void PacketBuilder::finish_checksum(std::vector<std::uint8_t>& out) const {
    const std::size_t offset = checksum_offset(protocol_);
    if (offset == 0) {
        return;
    }
    const std::uint16_t pseudo =
        protocol_ == proto::kIcmp ? std::uint16_t{0}
                                  : wire::pseudo_header_sum(source_, destination_, protocol_,
                                                            static_cast<std::uint32_t>(out.size()));
    auto checksum = gso_size_ != 0 ? pseudo : static_cast<std::uint16_t>(~wire::sum(out, pseudo));
    if (checksum == 0 && protocol_ == proto::kUdp) {
        checksum = 0xffff;
    }
    wire::store16(&out[offset],
                  bad_checksum_ ? static_cast<std::uint16_t>(checksum ^ 0x5555) : checksum);
}

}  // namespace nsr::test
