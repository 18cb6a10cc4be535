#include "core/sets/set.hpp"

#include <algorithm>
#include <utility>

namespace nsr::sets {

namespace {

unsigned table_key_words(const SetSpec& spec) {
    return KeyShape(*spec.type, spec.family).words();
}

// A mask may be of bits that are no prefix.
bool begins_with_network(const SetSpec& spec) {
    const Part first = spec.type->parts[0];
    return spec.type->storage == Storage::Hash && (first == Part::Ip || first == Part::Net) &&
           !spec.bitmask;
}

bool is_zero(const IpAddress& address) {
    return address.words == decltype(address.words){};
}

IpAddress network(const IpAddress& address, std::uint8_t prefix) {
    return address & mask_of(address.family, prefix);
}

}  // namespace

bool CounterTest::holds(std::uint64_t count) const {
    switch (compare) {
        case Compare::Equal:
            return count == value;
        case Compare::NotEqual:
            return count != value;
        case Compare::Less:
            return count < value;
        case Compare::Greater:
            return count > value;
    }
    return false;
}

Set::Set(const SetSpec& spec, SipKey hash_key)
    : spec_(spec),
      shape_(*spec.type, spec.family),
      extras_(spec),
      table_(hash_key, table_key_words(spec), extras_.words()),
      reach_(begins_with_network(spec)) {
}

// --- what an administrator does -----------------------------------------------------------------

// kernel: mtype_add
Failure Set::add(const Element& element, const Extensions& given, bool exist, Instant now) {
    if (const Failure wrong = check(given); wrong != Failure::None) {
        return wrong;
    }
    const Element wanted = normal(element);
    if (const Failure wrong = check(wanted); wrong != Failure::None) {
        return wrong;
    }
    const Key key = key_of(wanted);
    Place place = table_.find(key.data());
    if (place != kNoPlace && extras_.expired(table_.extra(place), now)) {
        erase(place);
        forget_erased_members();
        place = kNoPlace;
    }
    if (place != kNoPlace && !exist) {
        return Failure::ElementExists;
    }
    if (place == kNoPlace) {
        if (table_.size() >= spec_.maxelem && !make_room(now)) {
            return Failure::Full;
        }
        place = insert(wanted, key);
    }
    extras_.set_mac(table_.extra(place), wanted.mac);
    write(place, given, now);
    return Failure::None;
}

// kernel: mtype_del
Failure Set::remove(const Element& element, bool exist, Instant now) {
    const Element wanted = normal(element);
    if (const Failure wrong = check(wanted); wrong != Failure::None) {
        return wrong;
    }
    const Place place = table_.find(key_of(wanted).data());
    if (place == kNoPlace) {
        return exist ? Failure::None : Failure::NoElement;
    }
    const bool counted = !extras_.expired(table_.extra(place), now);
    erase(place);
    forget_erased_members();
    return counted || exist ? Failure::None : Failure::NoElement;
}

// kernel: mtype_test, ip_set_enomatch
bool Set::test(const Element& element, bool nomatch, Instant now) const {
    const Element wanted = normal(element);
    if (!type().has(Part::Net) || !is_host(wanted)) {
        const Place place = in_range(wanted) ? find(wanted, now) : kNoPlace;
        if (place == kNoPlace) {
            return false;
        }
        const auto mac = extras_.mac(table_.extra(place));
        const bool other_mac =
            wanted.mac && mac && type().storage == Storage::Bitmap && *mac != *wanted.mac;
        return extras_.nomatch(table_.extra(place)) == nomatch && !other_mac;
    }
    bool found = false;
    each_network(wanted, now, [&](Place place) {
        found = extras_.nomatch(table_.extra(place)) == nomatch;
        return true;
    });
    return found;
}

void Set::flush(Trash& trash) {
    table_.clear(trash.chunks);
    extras_.clear(trash.texts);
    prefixes_.clear();
    reach_.clear();
    wildcards_ = {};
    order_.clear();
    timed_ = 0;
    hand_ = 0;
}

// --- what packets do ----------------------------------------------------------------------------

// kernel: mtype_test_cidrs, mtype_data_match
Answer Set::match(const Element& element, const Question& question, Instant now) {
    const Element wanted = normal(element);
    if (!type().has(Part::Net)) {
        const Place place = in_range(wanted) ? find(wanted, now) : kNoPlace;
        return place == kNoPlace ? Answer::No : judge(place, question, now);
    }
    Answer answer = Answer::No;
    each_network(wanted, now, [&](Place place) {
        answer = judge(place, question, now);
        return answer != Answer::No;
    });
    return answer;
}

std::size_t Set::looks() const {
    const bool by_name = type().has(Part::Iface);
    const auto lengths = std::count_if(wildcards_.begin(), wildcards_.end(),
                                       [](std::uint32_t names) { return names != 0; });
    const std::size_t networks = type().has(Part::Net) ? prefixes_.in_use().size() : 1;
    return std::max<std::size_t>(networks, 1) *
           (by_name ? 1 + static_cast<std::size_t>(lengths) : 1);
}

// kernel: ip_set_match_extensions
Answer Set::judge(Place place, const Question& question, Instant now) {
    std::uint32_t* row = table_.extra(place);
    if (extras_.expired(row, now)) {
        return Answer::No;
    }
    if (extras_.counts()) {
        Extras::Counters counted = extras_.counters(row);
        if (question.update_counters) {
            ++counted.packets;
            counted.bytes += question.packet_bytes;
            extras_.set_counters(row, counted);
        }
        if ((question.packets && !question.packets->holds(counted.packets)) ||
            (question.bytes && !question.bytes->holds(counted.bytes))) {
            return Answer::No;
        }
    }
    if (question.found != nullptr) {
        *question.found = extras_.skbinfo(row).value_or(*question.found);
    }
    return extras_.nomatch(row) ? Answer::Nomatch : Answer::Yes;
}

Failure Set::learn(Element element, const Extensions& given, bool exist, Instant now) {
    most_specific(element);
    return add(element, given, exist, now);
}

Failure Set::forget(Element element, Instant now) {
    most_specific(element);
    return remove(element, false, now);
}

// kernel: INIT_CIDR
void Set::most_specific(Element& element) const {
    std::uint8_t first = 0;
    std::uint8_t second = 0;
    for (const Prefixes::InUse& each : prefixes_.in_use()) {
        first = std::max(first, each.pair.first);
        second = std::max(second, each.pair.second);
    }
    element.prefix = first != 0 ? first : element.prefix;
    element.prefix2 = second != 0 ? second : element.prefix2;
}

// --- finding ------------------------------------------------------------------------------------

Place Set::find(const Element& element, Instant now) const {
    const Place place = table_.find(key_of(element).data());
    return place == kNoPlace || extras_.expired(table_.extra(place), now) ? kNoPlace : place;
}

// By the whole name, or by how it begins.
Place Set::find_iface(Element element, Instant now) const {
    Place place = find(element, now);
    element.wildcard = true;
    const std::string name = std::exchange(element.iface, {});
    for (std::size_t length = name.size(); place == kNoPlace && length > 0; --length) {
        if (wildcards_[length] != 0) {
            element.iface.assign(name, 0, length);
            place = find(element, now);
        }
    }
    return place;
}

template <class Take>
void Set::each_network(const Element& element, Instant now, Take take) const {
    Element wanted = element;
    for (const Prefixes::InUse& each : prefixes_.in_use()) {
        if (type().first_is_net()) {
            wanted.prefix = each.pair.first;
            wanted.ip = network(element.ip, wanted.prefix);
        }
        if (type().second_is_net()) {
            wanted.prefix2 = each.pair.second;
            wanted.ip2 = network(element.ip2, wanted.prefix2);
        }
        const Place place = type().has(Part::Iface) ? find_iface(wanted, now) : find(wanted, now);
        if (place != kNoPlace && take(place)) {
            return;
        }
    }
}

bool Set::is_host(const Element& element) const {
    const unsigned bits = element.ip.bits();
    return (!type().first_is_net() || element.prefix == bits) &&
           (!type().second_is_net() || element.prefix2 == bits);
}

// What does not count is zero.
Element Set::normal(Element element) const {
    element.prefix = type().first_is_net() ? element.prefix : std::uint8_t{0};
    element.prefix2 = type().second_is_net() ? element.prefix2 : std::uint8_t{0};
    if (type().storage == Storage::List || type().only_mac()) {
        return element;
    }
    if (type().first_is_net()) {
        element.ip = network(element.ip, element.prefix);
    } else if (type().parts[0] == Part::Ip && (spec_.netmask || spec_.bitmask)) {
        element.ip = element.ip & spec_.mask();
    }
    if (spec_.bitmask && type().first_is_net()) {
        element.ip = element.ip & *spec_.bitmask;
        element.ip2 = element.ip2 & *spec_.bitmask;
    }
    if (type().second_is_net()) {
        element.ip2 = network(element.ip2, element.prefix2);
    }
    element.mark &= spec_.markmask;
    return element;
}

Key Set::key_of(const Element& element) const {
    if (type().storage != Storage::Bitmap) {
        return shape_.pack(element);
    }
    const bool ports = type().has(Part::Port);
    const std::uint64_t at = ports ? element.port : element.ip.as_v4();
    return {static_cast<std::uint32_t>((at - spec_.first) / spec_.hosts())};
}

Element Set::element_at(Place place) const {
    if (type().storage != Storage::Bitmap) {
        return shape_.unpack(table_.key(place));
    }
    Element element;
    const auto at = static_cast<std::uint32_t>(spec_.first + *table_.key(place) * spec_.hosts());
    if (type().has(Part::Port)) {
        element.port = static_cast<std::uint16_t>(at);
    } else {
        element.ip = IpAddress::v4(at);
    }
    element.mac = extras_.mac(table_.extra(place));
    return element;
}

bool Set::in_range(const Element& element) const {
    const std::uint32_t at = type().has(Part::Port) ? element.port : element.ip.words[0];
    return type().storage != Storage::Bitmap || (at >= spec_.first && at <= spec_.last);
}

// --- what may be in it --------------------------------------------------------------------------

Failure Set::check(const Element& element) const {
    if (!in_range(element)) {
        return Failure::OutOfRange;
    }
    const bool alone = type().dimension() == 1 && type().parts[0] == Part::Ip;
    const bool with_port = type().dimension() == 2 && type().has(Part::Port);
    if (type().storage == Storage::Hash && type().parts[0] == Part::Ip && is_zero(element.ip) &&
        (alone || with_port)) {
        return alone ? Failure::NullElement : Failure::InvalidArgument;
    }
    const bool null_mac = element.mac && *element.mac == MacAddress{};
    if (type().storage == Storage::Hash && type().has(Part::Mac) && null_mac) {
        return Failure::NullElement;
    }
    const bool whole = (type().first_is_net() && element.prefix == 0) ||
                       (type().second_is_net() && element.prefix2 == 0);
    if (whole && !type().any_net) {
        return Failure::BadPrefix;
    }
    return type().has_protocol() && element.protocol == 0 ? Failure::BadProtocol : Failure::None;
}

// kernel: ip_set_get_extensions
Failure Set::check(const Extensions& given) const {
    if (given.timeout && !spec_.timeout) {
        return Failure::NoTimeout;
    }
    if ((given.packets || given.bytes) && !spec_.counters) {
        return Failure::NoCounters;
    }
    if (given.comment && !spec_.comment) {
        return Failure::NoComment;
    }
    return given.skbinfo && !spec_.skbinfo ? Failure::NoSkbinfo : Failure::None;
}

}  // namespace nsr::sets
