// A packet as the kernel's log describes it: "IN=lan OUT=wan MAC= SRC=... DST=... PROTO=TCP ...".
// kernel: nf_log_syslog.c
#pragma once

#include <string>

#include "core/packet/hook.hpp"
#include "core/packet/packet.hpp"
#include "core/rules/network.hpp"
#include "core/rules/targets/log_detail.hpp"

namespace nsr::rules {

// The text behind the prefix. As the kernel's lines it ends with a blank.
std::string log_text(const Packet& packet, Hook hook, const Network& network,
                     const LogDetail& detail);

}  // namespace nsr::rules
