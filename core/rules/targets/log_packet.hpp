// A packet as the kernel's log describes it: "IN=lan OUT=wan MAC= SRC=... DST=... PROTO=TCP ...".
// kernel: nf_log_syslog.c
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/rules/match.hpp"

namespace nsr::rules {

struct LogDetail {
    bool tcp_sequence = false;
    bool tcp_options = false;
    bool ip_options = false;
};
// kernel: default_loginfo, for what the kernel itself has to say
inline constexpr LogDetail kAllDetail{true, true, true};

// The text behind the prefix. As the kernel's lines it ends with a blank.
std::string log_text(const Packet& packet, Hook hook, const Network& network,
                     const LogDetail& detail);

}  // namespace nsr::rules
