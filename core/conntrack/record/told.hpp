// What a rule lets a connection tell, in the ten bits that Meta and Extra have for it; 0:
// everything.
#pragma once

#include <cstdint>

#include "core/conntrack/record/event.hpp"

namespace nsr::conntrack {

// No connection of ours has a security mark, so its bit says whether expectations are told of.
inline constexpr std::uint32_t kTellsExpectations = event::kSecMark;

// `named`: event::k* of CT --ctevents, with kExpectNew of --expevents. Whoever names secmark alone
// gets what hardly happens instead, for nothing would mean everything. differs: ct-secmark
constexpr std::uint32_t told(std::uint32_t named) {
    const std::uint32_t events = named & event::kNameable & ~event::kSecMark;
    const std::uint32_t all = events | ((named & event::kExpectNew) != 0 ? kTellsExpectations : 0);
    return all == 0 && named != 0 ? event::kNatSeqAdj : all;
}

}  // namespace nsr::conntrack
