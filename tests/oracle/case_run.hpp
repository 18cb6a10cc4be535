// A recorded case in process: what it begins with, and the router run on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "core/packet/packet.hpp"
#include "core/pipeline/shard_duties.hpp"
#include "router/config/config.hpp"
#include "router/replay/replay.hpp"
#include "tests/oracle/recorded_case.hpp"
#include "tests/support/kept_frames.hpp"

namespace oracle {

using Frames = std::vector<nsr::test::KeptFrame>;

struct Case {
    std::string folder;
    RecordedCase recorded;
    nsr::router::Config config;
    Frames frames;      // what arrives, each at the place that its index says
    std::string error;  // empty: it can be run
};

Case open_case(const std::string& name);

// What left, before its link has done what it was left to do.
struct Left {
    Departure departure;
    nsr::Layout layout;
    nsr::Meta meta;
    nsr::Offload offload;
};

struct Run {
    std::vector<Left> left;
    std::string conntrack;
    std::string stats;
    std::string events;
    std::set<std::uint32_t> eventful;  // the arrivals with which connections changed
    std::vector<std::string> trace;
    nsr::Tally tally;   // what was counted
    std::string error;  // empty: nothing went wrong
};

Run run(const Case& one, const Frames& frames, nsr::router::ReplayOptions options);

}  // namespace oracle
