// One recorded case: what was done to the kernel's router, what it did, and what may differ.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/oracle/recorded_packet.hpp"

namespace oracle {

// A packet that left, as recorded or as a replay gave it.
struct Departure {
    double time = 0;  // seconds
    std::string interface;
    Bytes bytes;
    std::string comment;  // "in=3", "timer"
};

// The kernel chose this port (or ICMP id) at random within a range.
struct PortAgnostic {
    unsigned protocol = 0;
    nsr::IpAddress address;
    unsigned min = 1;
    unsigned max = 65535;
    bool keep = true;      // ports that were preserved must be equal
    bool per_peer = true;  // the renaming is one per peer
};

struct Hints {
    std::set<nsr::IpAddress> router_addresses;
    double timeout_tolerance = 1;
    double timer_tolerance = 0.6;
    std::string conntrack = "full";
    std::size_t count_tolerance = 0;
    std::set<std::string> ignored_stats;
    bool unordered = false;
    bool ignore_error_src = false;
    bool ignore_ip_id = false;
    std::vector<PortAgnostic> port_agnostic;
};

struct RecordedCase {
    std::string description;
    std::vector<std::string> interfaces;
    Hints hints;
    std::vector<Departure> departures;
    std::vector<Bytes> arrivals;
    std::string conntrack;
    std::string stats;
    std::optional<std::string> events;  // nothing: not recorded, its victims are random
    bool late_ends = false;             // the kernel had not yet collected all that was over
};

// What a replay gave.
struct Actual {
    std::vector<Departure> departures;
    std::string conntrack;
    std::string stats;
    std::string events;
};

// Throws std::runtime_error if the folder is not a case.
RecordedCase load_case(const std::string& folder);

struct Difference {
    std::string text;
    std::string cause;  // comment of the packet concerned: "in=3"; empty: no packet
};

// Every respect in which `actual` is not what was recorded, leaving out what a case allows to
// differ: identifications that the router itself chose, random ports, whole-second rounding.
std::vector<Difference> compare(const RecordedCase& recorded, const Actual& actual);

}  // namespace oracle
