// Copies of packets that rules ask for; the pipeline sends them once the table has judged, before
// the packet itself goes on.
// kernel: nf_dup_ipv4, nf_dup_ipv6
#pragma once

#include <string_view>
#include <vector>

#include "core/packet/packet.hpp"

namespace nsr::rules {

struct Copy {
    Packet packet;
    IpAddress gateway;           // it goes the way that leads there
    std::string_view interface;  // by this one; empty: by any. Of the rule, which outlives it
};
using Copies = std::vector<Copy>;

}  // namespace nsr::rules
