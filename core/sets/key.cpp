#include "core/sets/key.hpp"

#include <algorithm>

namespace nsr::sets {

namespace {

constexpr unsigned kMacWords = 2;
constexpr unsigned kIfaceWords = 4;  // kernel: IFNAMSIZ
constexpr std::uint32_t kPhysdev = 1u << 16;
constexpr std::uint32_t kWildcard = 1u << 17;

void pack_mac(const MacAddress& mac, std::uint32_t* words) {
    words[0] = std::uint32_t{mac[0]} << 24 | std::uint32_t{mac[1]} << 16 |
               std::uint32_t{mac[2]} << 8 | mac[3];
    words[1] = std::uint32_t{mac[4]} << 8 | mac[5];
}

MacAddress mac_at(const std::uint32_t* words) {
    const auto byte = [](std::uint32_t word, unsigned shift) {
        return static_cast<std::uint8_t>(word >> shift);
    };
    return {byte(words[0], 24), byte(words[0], 16), byte(words[0], 8),
            byte(words[0], 0),  byte(words[1], 8),  byte(words[1], 0)};
}

void pack_name(std::string_view name, std::uint32_t* words) {
    for (std::size_t i = 0; i < std::min<std::size_t>(name.size(), kIfaceWords * 4 - 1); ++i) {
        words[i / 4] |= std::uint32_t{static_cast<std::uint8_t>(name[i])} << (i % 4 * 8);
    }
}

std::string name_at(const std::uint32_t* words) {
    std::string name;
    for (std::size_t i = 0; i < kIfaceWords * 4; ++i) {
        const char letter = static_cast<char>(words[i / 4] >> (i % 4 * 8));
        if (letter == '\0') {
            break;
        }
        name += letter;
    }
    return name;
}

}  // namespace

unsigned KeyShape::words() const {
    if (type_->storage != Storage::Hash) {
        return 1;
    }
    const bool nets = type_->has(Part::Net);
    unsigned count = type_->only_mac() ? 0 : address_words();
    count += type_->has_second_address() ? address_words() : 0;
    count += type_->has(Part::Port) ? 1 : 0;
    count += nets ? 1 : 0;
    count += type_->has(Part::Mark) ? 1 : 0;
    count += type_->has(Part::Mac) ? kMacWords : 0;
    count += type_->has(Part::Iface) ? kIfaceWords : 0;
    return count;
}

Key KeyShape::pack(const Element& element) const {
    Key key{};
    if (type_->storage != Storage::Hash) {
        key[0] = static_cast<std::uint32_t>(element.set);
        return key;
    }
    std::uint32_t* at = key.data();
    const auto add_address = [&](const IpAddress& address) {
        at = std::copy_n(address.words.begin(), address_words(), at);
    };
    if (!type_->only_mac()) {
        add_address(element.ip);
    }
    if (type_->has_second_address()) {
        add_address(element.ip2);
    }
    if (type_->has(Part::Port)) {
        *at++ = element.port | std::uint32_t{element.protocol} << 16;
    }
    if (type_->has(Part::Net)) {
        *at++ = element.prefix | std::uint32_t{element.prefix2} << 8 |
                (element.physdev ? kPhysdev : 0) | (element.wildcard ? kWildcard : 0);
    }
    if (type_->has(Part::Mark)) {
        *at++ = element.mark;
    }
    if (type_->has(Part::Mac)) {
        pack_mac(element.mac.value_or(MacAddress{}), at);
        at += kMacWords;
    }
    if (type_->has(Part::Iface)) {
        pack_name(element.iface, at);
    }
    return key;
}

Element KeyShape::unpack(const std::uint32_t* key) const {
    Element element;
    if (type_->storage != Storage::Hash) {
        element.set = static_cast<SetId>(key[0]);
        return element;
    }
    if (!type_->only_mac()) {
        element.ip = address_at(key);
        key += address_words();
    }
    if (type_->has_second_address()) {
        element.ip2 = address_at(key);
        key += address_words();
    }
    if (type_->has(Part::Port)) {
        element.port = static_cast<std::uint16_t>(*key);
        element.protocol = static_cast<std::uint8_t>(*key++ >> 16);
    }
    if (type_->has(Part::Net)) {
        element.prefix = static_cast<std::uint8_t>(*key);
        element.prefix2 = static_cast<std::uint8_t>(*key >> 8);
        element.physdev = (*key & kPhysdev) != 0;
        element.wildcard = (*key++ & kWildcard) != 0;
    }
    if (type_->has(Part::Mark)) {
        element.mark = *key++;
    }
    if (type_->has(Part::Mac)) {
        element.mac = mac_at(key);
        key += kMacWords;
    }
    if (type_->has(Part::Iface)) {
        element.iface = name_at(key);
    }
    return element;
}

IpAddress KeyShape::address_at(const std::uint32_t* words) const {
    IpAddress address;
    address.family = family_;
    std::copy_n(words, address_words(), address.words.begin());
    return address;
}

}  // namespace nsr::sets
