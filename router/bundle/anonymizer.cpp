#include "router/bundle/anonymizer.hpp"

#include <algorithm>
#include <bit>

namespace nsr::router {
namespace {

// All in it stays as it is, or only the prefix does.
constexpr const char* kKeptWhole[] = {"0.0.0.0/8",   "127.0.0.0/8", "224.0.0.0/4",
                                      "240.0.0.0/4", "::/96",       "ff00::/8"};
constexpr const char* kKeptPrefix[] = {"169.254.0.0/16", "fe80::/10", "2000::/3", "fc00::/7",
                                       "::ffff:0:0/96"};

constexpr bool bit_of(const IpAddress& address, unsigned bit) {
    return (address.words[bit / 32] >> (31 - bit % 32) & 1) != 0;
}

// How many of the first bits are equal.
unsigned shared_bits(const IpAddress& a, const IpAddress& b) {
    for (unsigned word = 0; word < a.bits() / 32; ++word) {
        if (const std::uint32_t differ = a.words[word] ^ b.words[word]; differ != 0) {
            return word * 32 + static_cast<unsigned>(std::countl_zero(differ));
        }
    }
    return a.bits();
}

bool is_mapped(const IpAddress& address) {
    return address.is_v6() && address.words[0] == 0 && address.words[1] == 0 &&
           address.words[2] == 0xffff;
}

// The bits between the network and `bit` are all of one kind.
bool at_an_end(const IpAddress& real, unsigned length, unsigned bit) {
    for (unsigned i = length + 1; i < bit; ++i) {
        if (bit_of(real, i) != bit_of(real, length)) {
            return false;
        }
    }
    return true;
}

}  // namespace

Anonymizer::Anonymizer(SipKey key) : key_(key) {
    for (const char* text : kKeptWhole) {
        const Prefix prefix = *parse_prefix(text);
        ways_.push_back(prefix);
        below_.push_back(prefix);
    }
    for (const char* text : kKeptPrefix) {
        ways_.push_back(*parse_prefix(text));
    }
}

IpAddress Anonymizer::address(const IpAddress& real) const {
    const auto [known, is_new] = known_.try_emplace(real);
    if (is_new) {
        known->second = turned(real);
    }
    return known->second;
}

IpAddress Anonymizer::turned(const IpAddress& real) const {
    IpAddress other = real;
    if (is_mapped(real)) {
        other.words[3] = address(IpAddress::v4(real.words[3])).as_v4();
        return other;
    }
    for (unsigned bit = 0; bit < real.bits(); ++bit) {
        if (!stays(real, bit) && turns(real, bit)) {
            other.words[bit / 32] ^= 1u << (31 - bit % 32);
        }
    }
    return other;
}

Prefix Anonymizer::prefix(const Prefix& real) const {
    const Prefix other{address(real.address), real.length};
    return real.network() == real ? other.network() : other;
}

bool Anonymizer::turns(const IpAddress& real, unsigned bit) const {
    const IpAddress before = real & mask_of(real.family, bit);
    const std::uint64_t words[] = {
        std::uint64_t{static_cast<std::uint8_t>(real.family)} << 32 | bit,
        std::uint64_t{before.words[0]} << 32 | before.words[1],
        std::uint64_t{before.words[2]} << 32 | before.words[3]};
    return (siphash13(key_, words, std::size(words)) & 1) != 0;
}

bool Anonymizer::stays(const IpAddress& real, unsigned bit) const {
    const auto of_family = [&](const Prefix& prefix) {
        return prefix.address.family == real.family;
    };
    return std::any_of(ways_.begin(), ways_.end(),
                       [&](const Prefix& way) {
                           return of_family(way) && bit < way.length &&
                                  shared_bits(real, way.address) >= bit;
                       }) ||
           std::any_of(below_.begin(), below_.end(),
                       [&](const Prefix& prefix) {
                           return bit >= prefix.length && prefix.contains(real);
                       }) ||
           std::any_of(ends_.begin(), ends_.end(), [&](const Prefix& network) {
               return bit >= network.length && network.contains(real) &&
                      at_an_end(real, network.length, bit);
           });
}

Prefix common_prefix(const IpAddress& a, const IpAddress& b) {
    return Prefix{a, static_cast<std::uint8_t>(shared_bits(a, b))}.network();
}

}  // namespace nsr::router
