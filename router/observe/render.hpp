// An observation as text and as JSON, made from the same rows.
//
// Text: a line for each thing that happened, as `nft monitor trace` prints them, each beginning
// with the number of the packet, so that `grep 'trace id 7 '` follows one:
//     trace id 7 at 12.005000 in lan: IPv4 10.0.0.2 > 198.51.100.7 ttl=64 ... TCP 4000>80 S ...
//     trace id 7 PREROUTING conntrack: NEW, no connection before, SYN_SENT now
//     trace id 7 FORWARD filter: rule 3 of FORWARD matches: -A FORWARD -i lan -j ACCEPT (...)
// JSON: one object in one line, the things that happened in "steps".
#pragma once

#include <string>

#include "core/observe/observation.hpp"

namespace nsr::router {

struct RenderOptions {
    // Of a replay: which packet of the capture led to it ("#3", "timer").
    bool cause = false;
    bool every_rule = true;  // else those that match
};

// Lines with their ends.
void append_text(std::string& out, const observe::Observation& seen,
                 const RenderOptions& options = {});
void append_json(std::string& out, const observe::Observation& seen,
                 const RenderOptions& options = {});

// "10.000001"
std::string in_seconds(Instant at);
// "tcp SYN_SENT 10.0.0.2:4000 > 198.51.100.7:80, answers 198.51.100.7:80 > 192.0.2.1:4000"
std::string connection_text(const observe::ConnectionState& connection);
std::string tuple_text(const conntrack::Tuple& tuple);

}  // namespace nsr::router
