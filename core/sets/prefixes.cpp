#include "core/sets/prefixes.hpp"

#include <algorithm>

namespace nsr::sets {

namespace {

unsigned rank(PrefixPair pair) {
    return pair.first * 256u + pair.second;
}

}  // namespace

void Prefixes::add(PrefixPair pair) {
    const auto at = std::find_if(in_use_.begin(), in_use_.end(),
                                 [&](const InUse& each) { return rank(each.pair) <= rank(pair); });
    if (at != in_use_.end() && rank(at->pair) == rank(pair)) {
        ++at->elements;
    } else {
        in_use_.insert(at, {pair, 1});
    }
}

void Prefixes::remove(PrefixPair pair) {
    const auto at = std::find_if(in_use_.begin(), in_use_.end(),
                                 [&](const InUse& each) { return rank(each.pair) == rank(pair); });
    if (at != in_use_.end() && --at->elements == 0) {
        in_use_.erase(at);
    }
}

}  // namespace nsr::sets
