// The tail of a log line about a packet, as xt_LOG writes it.
#pragma once

#include <string>

#include "core/packet/packet.hpp"

namespace nsr::conntrack {

// Appends "IN= OUT= SRC=... DST=... LEN=... PROTO=TCP SPT=..." of `packet`. kernel:
// nf_log_ip_packet, nf_log_ip6_packet
void append_packet(std::string& line, const Packet& packet);

}  // namespace nsr::conntrack
