#include "core/sets/type.hpp"

#include <algorithm>
#include <utility>

namespace nsr::sets {

namespace {

using enum Part;

constexpr std::array kTypes = std::to_array<SetType>({
    {"bitmap:ip", Storage::Bitmap, {Ip}, 3},
    {"bitmap:ip,mac", Storage::Bitmap, {Ip, Mac}, 3},
    {"bitmap:port", Storage::Bitmap, {Port}, 3},
    {"hash:ip", Storage::Hash, {Ip}, 6},
    {"hash:ip,mac", Storage::Hash, {Ip, Mac}, 1},
    {"hash:ip,mark", Storage::Hash, {Ip, Mark}, 3},
    {"hash:ip,port", Storage::Hash, {Ip, Port}, 7},
    {"hash:ip,port,ip", Storage::Hash, {Ip, Port, Ip}, 6},
    {"hash:ip,port,net", Storage::Hash, {Ip, Port, Net}, 8},
    {"hash:mac", Storage::Hash, {Mac}, 1},
    {"hash:net", Storage::Hash, {Net}, 7},
    {"hash:net,iface", Storage::Hash, {Net, Iface}, 8, true},
    {"hash:net,net", Storage::Hash, {Net, Net}, 4, true},
    {"hash:net,port", Storage::Hash, {Net, Port}, 8},
    {"hash:net,port,net", Storage::Hash, {Net, Port, Net}, 3, true},
    {"list:set", Storage::List, {Set}, 3},
});

using Alias = std::pair<std::string_view, std::string_view>;
constexpr std::array kOldNames = std::to_array<Alias>({
    {"ipmap", "bitmap:ip"},
    {"macipmap", "bitmap:ip,mac"},
    {"portmap", "bitmap:port"},
    {"iphash", "hash:ip"},
    {"ipporthash", "hash:ip,port"},
    {"ipportiphash", "hash:ip,port,ip"},
    {"ipportnethash", "hash:ip,port,net"},
    {"nethash", "hash:net"},
    {"netifacehash", "hash:net,iface"},
    {"netporthash", "hash:net,port"},
    {"setlist", "list:set"},
});

}  // namespace

unsigned SetType::dimension() const {
    return static_cast<unsigned>(
        std::count_if(parts.begin(), parts.end(), [](Part part) { return part != Part::None; }));
}

bool SetType::has(Part part) const {
    return std::find(parts.begin(), parts.end(), part) != parts.end();
}

bool SetType::second_is_net() const {
    return parts[1] == Part::Net || parts[2] == Part::Net;
}

bool SetType::has_second_address() const {
    return second_is_net() || parts[2] == Part::Ip;
}

std::uint8_t SetType::kind() const {
    unsigned bits = 0;
    for (const Part part : parts) {
        bits |= part == Part::None
                    ? 0u
                    : 1u << (part == Part::Net ? 0 : static_cast<unsigned>(part) - 1);
    }
    constexpr unsigned kNomatch = 1u << 1;  // the place of Part::Net
    bits |= has_nomatch() ? kNomatch : 0u;
    constexpr unsigned kSecondAddress = 1u << 7;
    return static_cast<std::uint8_t>(bits | (has_second_address() ? kSecondAddress : 0u));
}

std::span<const SetType> set_types() {
    return kTypes;
}

const SetType* find_type(std::string_view name) {
    const auto* old = std::find_if(kOldNames.begin(), kOldNames.end(),
                                   [&](const Alias& alias) { return alias.first == name; });
    name = old == kOldNames.end() ? name : old->second;
    const auto* found = std::find_if(kTypes.begin(), kTypes.end(),
                                     [&](const SetType& type) { return type.name == name; });
    return found == kTypes.end() ? nullptr : found;
}

}  // namespace nsr::sets
