#include "router/tools/ipset/elements.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace nsr::router {

Elements::Elements(Parts parts, const sets::SetSpec& spec) : parts_(std::move(parts)) {
    const sets::SetType& type = *spec.type;
    first_ = {.span = parts_.first, .step = spec.hosts(), .networks = type.first_is_net()};
    second_ = {.span = parts_.second, .networks = type.second_is_net()};
    ports_ = {.span = parts_.ports};
    if (parts_.first && !type.first_is_net()) {
        first_.span->first -= static_cast<std::uint32_t>(first_.span->first % first_.step);
    }
}

// Three of at most kMost + 1 each do not overflow.
bool Elements::too_many() const {
    const auto some = [](const Walk& walk) { return std::min(walk.count(), kMost + 1); };
    return some(first_) * some(ports_) * some(second_) > kMost;
}

bool Elements::next(sets::Element& element) {
    if (begun_ && !step()) {
        return false;
    }
    if (!std::exchange(begun_, true)) {
        first_.begin();
        ports_.begin();
        second_.begin();
    }
    element = parts_.base;
    put(element);
    return true;
}

// Addresses outside, ports inside, the second address innermost, as the kernel goes.
bool Elements::step() {
    if (second_.advance()) {
        return true;
    }
    second_.begin();
    if (ports_.advance()) {
        return true;
    }
    ports_.begin();
    return first_.advance();
}

void Elements::put(sets::Element& element) const {
    if (first_.span) {
        element.ip = IpAddress::v4(static_cast<std::uint32_t>(first_.at));
        element.prefix = static_cast<std::uint8_t>(first_.prefix());
    }
    if (second_.span) {
        element.ip2 = IpAddress::v4(static_cast<std::uint32_t>(second_.at));
        element.prefix2 = static_cast<std::uint8_t>(second_.prefix());
    }
    if (ports_.span) {
        element.port = static_cast<std::uint16_t>(ports_.at);
    }
}

void Elements::Walk::begin() {
    at = span ? span->first : 0;
}

bool Elements::Walk::advance() {
    if (!span) {
        return false;
    }
    at += networks ? std::uint64_t{1} << (32 - prefix()) : step;
    return at <= span->last;
}

std::uint64_t Elements::Walk::count() const {
    if (!span) {
        return 1;
    }
    if (!networks) {
        return (span->last - span->first) / step + 1;
    }
    Walk walk = *this;
    walk.begin();
    std::uint64_t found = 1;
    while (walk.advance()) {
        ++found;
    }
    return found;
}

unsigned Elements::Walk::prefix() const {
    if (!networks) {
        return 32;
    }
    const unsigned aligned = at == 0 ? 32 : static_cast<unsigned>(std::countr_zero(at));
    const auto left = static_cast<unsigned>(std::bit_width(span->last - at + 1)) - 1;
    return 32 - std::min(std::min(aligned, 32u), left);
}

}  // namespace nsr::router
