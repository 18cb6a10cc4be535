// hash:net and hash:net,net against the plainest search there is: look at every element.
#include <doctest/doctest.h>

#include <tuple>

#include "core/base/random.hpp"
#include "core/sets/sets.hpp"

using namespace nsr;
using namespace nsr::sets;

namespace {

struct Known {
    Prefix first;
    Prefix second;
    bool nomatch = false;
};

// Few different bits, so that networks lie in each other and addresses in several of them.
IpAddress some_address(RandomSource& random, Family family) {
    const std::uint32_t word = random.next32() & 0xc0c0c0c0;
    if (family == Family::Ipv4) {
        return IpAddress::v4(word);
    }
    return IpAddress::v6(word, random.next32() & 0x80000001, 0, random.next32() & 3);
}

Prefix some_network(RandomSource& random, Family family) {
    const unsigned bits = family == Family::Ipv4 ? 32 : 128;
    const IpAddress address = some_address(random, family);
    return Prefix{address, static_cast<std::uint8_t>(1 + random.below(bits))}.network();
}

Element element_of(const Prefix& first, const Prefix& second) {
    return {.ip = first.address,
            .ip2 = second.address,
            .prefix = first.length,
            .prefix2 = second.length};
}

Answer plain_search(const std::vector<Known>& all, const IpAddress& first,
                    const IpAddress& second) {
    const Known* best = nullptr;
    const auto rank = [](const Known& known) {
        return std::tuple(known.first.length, known.second.length);
    };
    for (const Known& known : all) {
        const bool holds = known.first.contains(first) && known.second.contains(second);
        if (holds && (best == nullptr || rank(known) > rank(*best))) {
            best = &known;
        }
    }
    return best == nullptr ? Answer::No : best->nomatch ? Answer::Nomatch : Answer::Yes;
}

void compare(std::string_view type, Family family, bool two, std::uint64_t seed) {
    RandomSource random(seed);
    Set set({.type = find_type(type), .family = family}, {seed, ~seed});
    std::vector<Known> all;
    const Prefix everything{{{}, family}, 0};
    for (unsigned round = 0; round < 400; ++round) {
        const Known known{some_network(random, family),
                          two ? some_network(random, family) : everything, random.below(4) == 0};
        const Element element = element_of(known.first, known.second);
        const auto same = [&](const Known& other) {
            return other.first == known.first && other.second == known.second;
        };
        const auto there = std::find_if(all.begin(), all.end(), same);
        if (random.below(4) == 0) {
            const Failure expected = there == all.end() ? Failure::NoElement : Failure::None;
            CHECK(set.remove(element, false, {}) == expected);
            std::erase_if(all, same);
        } else {
            const Failure expected = there == all.end() ? Failure::None : Failure::ElementExists;
            CHECK(set.add(element, {.nomatch = known.nomatch}, false, {}) == expected);
            if (there == all.end()) {
                all.push_back(known);
            }
        }
        const IpAddress first = some_address(random, family);
        const IpAddress second = two ? some_address(random, family) : everything.address;
        const auto host = static_cast<std::uint8_t>(first.bits());
        Element packet{.ip = first, .ip2 = second, .prefix = host, .prefix2 = host};
        CHECK(set.match(packet, {}, {}) == plain_search(all, first, second));
    }
}

}  // namespace

TEST_CASE("a network is found as if every one were looked at, the most specific one deciding") {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        compare("hash:net", Family::Ipv4, false, seed);
        compare("hash:net", Family::Ipv6, false, seed);
        compare("hash:net,net", Family::Ipv4, true, seed);
        compare("hash:net,net", Family::Ipv6, true, seed);
    }
}
