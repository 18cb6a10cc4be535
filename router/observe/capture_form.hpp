// Observations as a capture: each packet as it came and as it left, with what became of it as its
// comment. What belongs together has one epb_packetid, the number of the observation.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "core/pipeline/router.hpp"
#include "router/observe/hub.hpp"

namespace nsr::router {

// What stands for an interface where a packet begins or ends in the router itself.
inline constexpr const char* kOwnPackets = "router";

struct CaptureWish {
    std::string interface;  // only what comes or leaves there; empty: everywhere
    bool drops = false;     // only packets that were dropped
    // Is added to the numbers of observations, where others came before them.
    std::uint64_t numbered_from = 0;
};

// pcapng of raw IP packets; an interface for each that the router has, and "router" for packets
// that begin or end in it.
std::unique_ptr<Form> capture_form(const Router& router, CaptureWish wish);

// "dropped: policy_drop at FORWARD filter; state NEW; ...", "left by wan; state ...; rule ..."
std::string comment_of(const observe::Observation& seen);

}  // namespace nsr::router
