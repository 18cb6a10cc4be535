#include "core/conntrack/expect/gre_keys.hpp"

#include <algorithm>

namespace nsr::conntrack {

namespace {

// Two of each call; a walk over them is quick.
constexpr std::size_t kMost = 4096;

// kernel: gre_key_cmpfn
bool same_receiver(const Tuple& a, const Tuple& b) {
    return a.source == b.source && a.destination == b.destination && a.protocol == b.protocol &&
           a.destination_port == b.destination_port;
}

}  // namespace

std::uint16_t GreKeys::source_key(const Tuple& tuple) const {
    const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) {
        return same_receiver(key.tuple, tuple);
    });
    return found == keys_.end() ? std::uint16_t{0} : found->tuple.source_port;
}

bool GreKeys::add(ConnId master, Direction direction, const Tuple& tuple) {
    const auto known = std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) {
        return key.master == master && key.direction == direction;
    });
    if (known != keys_.end()) {
        return same_receiver(known->tuple, tuple);
    }
    if (keys_.size() == kMost) {
        return false;
    }
    keys_.push_back({master, direction, tuple});
    return true;
}

void GreKeys::remove(ConnId master) {
    std::erase_if(keys_, [master](const Key& key) { return key.master == master; });
}

}  // namespace nsr::conntrack
