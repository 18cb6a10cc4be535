// Where the kernel puts a packet, written once more from the words of netlink/steering.hpp.
#pragma once

#include "core/conntrack/record/home.hpp"
#include "tests/oracle/recorded_packet.hpp"

namespace oracle {

unsigned steered_to(const nsr::conntrack::HomeHash& hash, const Bytes& packet);

}  // namespace oracle
