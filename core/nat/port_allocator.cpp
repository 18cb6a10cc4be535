#include "core/nat/port_allocator.hpp"

#include <algorithm>

namespace nsr::nat {

namespace {

using conntrack::Tuple;

constexpr std::uint32_t kMaxAttempts = 128;  // kernel: NF_NAT_MAX_ATTEMPTS
constexpr std::uint32_t kLeastAttempts = 16;

std::uint16_t random_u16(RandomSource& random);
PortSpan span_of_class(std::uint16_t port);

bool has_key(const Tuple& tuple) {
    switch (tuple.protocol) {
        case proto::kTcp:
        case proto::kUdp:
        case proto::kUdplite:
        case proto::kSctp:
        case proto::kIcmp:
        case proto::kIcmpv6:
        case proto::kGre:
            return true;
        default:
            return false;
    }
}

}  // namespace

std::uint16_t* key_of(Tuple& tuple, Manip manip) {
    if (!has_key(tuple)) {
        return nullptr;
    }
    return manip == Manip::Source || proto::is_icmp(tuple.protocol) ? &tuple.source_port
                                                                    : &tuple.destination_port;
}

std::uint16_t key_of(const Tuple& tuple, Manip manip) {
    return manip == Manip::Source || proto::is_icmp(tuple.protocol) ? tuple.source_port
                                                                    : tuple.destination_port;
}

bool key_in_range(const Tuple& tuple, Manip manip, const Range& range) {
    const std::uint16_t key = key_of(tuple, manip);
    return !has_key(tuple) || (key >= range.min_port && key <= range.max_port);
}

std::optional<PortSpan> span_for(const Tuple& tuple, Manip manip, const Range& range,
                                 bool expected) {
    if (!has_key(tuple) || (tuple.protocol == proto::kGre && !expected)) {
        return std::nullopt;
    }
    if (range.map_ports) {
        return ports_of(range);
    }
    if (proto::is_icmp(tuple.protocol)) {
        return PortSpan{0, kPorts};
    }
    if (tuple.protocol == proto::kGre) {
        return PortSpan{1, 65535};
    }
    if (manip == Manip::Destination) {
        return std::nullopt;
    }
    return span_of_class(tuple.source_port);
}

PortSpan ports_of(const Range& range) {
    if (!range.map_ports) {
        return kUnprivilegedPorts;
    }
    const auto [min, max] = std::minmax(range.min_port, range.max_port);
    return {min, static_cast<std::uint32_t>(max) - min + 1};
}

PortSequence sequence_for(PortSpan span, const Tuple& tuple, Manip manip, const Range& range,
                          RandomSource& random) {
    std::uint16_t offset = 0;
    if (range.offset_ports) {
        offset = static_cast<std::uint16_t>(key_of(tuple, manip) - range.base_port);
    } else if (range.random || range.random_fully || manip == Manip::Source) {
        offset = random_u16(random);
    }
    return {span, offset, random};
}

PortSequence::PortSequence(PortSpan span, std::uint16_t first_offset, RandomSource& random)
    : span_(span),
      offset_(first_offset),
      random_(random),
      attempts_(std::min(span.size, kMaxAttempts)) {
}

std::optional<std::uint16_t> PortSequence::next() {
    if (tried_ == attempts_) {
        if (attempts_ >= span_.size || attempts_ < kLeastAttempts) {
            return std::nullopt;
        }
        attempts_ /= 2;
        offset_ = random_u16(random_);
        tried_ = 0;
    }
    attempts_left_ = attempts_ - tried_;
    const auto candidate = static_cast<std::uint16_t>(span_.min + offset_ % span_.size);
    ++tried_;
    ++offset_;
    return candidate;
}

namespace {

std::uint16_t random_u16(RandomSource& random) {
    return static_cast<std::uint16_t>(random.below(65536));
}

// Credentials by port number end at 511 (rsh, rlogin): such a port stays among its like.
PortSpan span_of_class(std::uint16_t port) {
    constexpr std::uint16_t kCredentials = 512;
    if (port < kCredentials) {
        return {1, 511};
    }
    if (port < kFirstPort) {
        return {600, 1023 - 600 + 1};
    }
    return kUnprivilegedPorts;
}

}  // namespace

}  // namespace nsr::nat
