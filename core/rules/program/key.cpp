#include "core/rules/program/key.hpp"

#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::rules {

namespace {

class Hash {
  public:
    void add(std::uint64_t word) {
        hash_ = (hash_ ^ word) * 0x9fb21c651e98df25u;
        hash_ ^= hash_ >> 32;
    }
    void add_address(const std::array<std::uint32_t, 4>& words, unsigned bits) {
        for (std::size_t i = 0; bits != 0; ++i) {
            const unsigned here = bits < 32 ? bits : 32;
            add(words[i] & (~std::uint32_t{0} << (32 - here)));
            bits -= here;
        }
    }
    [[nodiscard]] std::uint32_t value() const {
        return static_cast<std::uint32_t>((hash_ * 0x9fb21c651e98df25u) >> 32);
    }

  private:
    std::uint64_t hash_ = 0x9e3779b97f4a7c15u;
};

}  // namespace

std::uint32_t interface_key(std::string_view name) {
    std::uint32_t key = 2166136261u;
    for (const char c : name) {
        key = (key ^ static_cast<std::uint8_t>(c)) * 16777619u;
    }
    return key != 0 ? key : 1;
}

InterfaceKeys::InterfaceKeys(const InterfaceNames& names) {
    for (const auto& [name, index] : names) {
        const std::size_t at = raw(index);
        if (index == IfIndex::Loopback) {
            loopback_ = interface_key(name);
            continue;
        }
        if (at >= keys_.size()) {
            keys_.resize(at + 1);
        }
        keys_[at] = interface_key(name);
    }
}

std::uint32_t hash_of(const Shape& shape, const KeyFields& fields) {
    Hash hash;
    hash.add_address(fields.source, shape.source_bits);
    hash.add_address(fields.destination, shape.destination_bits);
    std::uint64_t rest = 0;
    rest |= shape.has(Shape::kProtocol) ? fields.protocol : 0u;
    rest |= shape.has(Shape::kSourcePort) ? std::uint64_t{fields.source_port} << 8 : 0u;
    rest |= shape.has(Shape::kDestinationPort) ? std::uint64_t{fields.destination_port} << 24 : 0u;
    hash.add(rest);
    if (shape.has(Shape::kIn | Shape::kOut)) {
        const std::uint64_t in = shape.has(Shape::kIn) ? fields.in : 0;
        hash.add(in << 32 | (shape.has(Shape::kOut) ? fields.out : 0));
    }
    return hash.value();
}

std::uint16_t port_header_bytes(std::uint8_t protocol) {
    switch (protocol) {
        case proto::kTcp:
            return wire::tcp::kHeaderBytes;
        case proto::kUdp:
        case proto::kUdplite:
            return 8;
        case proto::kSctp:
        case proto::kDccp:
            return 12;
        default:
            return 0;
    }
}

}  // namespace nsr::rules
