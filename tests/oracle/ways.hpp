// The ways of production through which a case must come as it was recorded: packets that devices
// hand over merged or with their checksums left to be finished, and packets that are written
// merged.
//
// Theory of operation
//   Each case is run as it was recorded, and once more (*split*) with every packet that has data
//   cut in two to four, since few recorded packets could have come as one.
//   Coalescing: what left is merged before it is written, in the batches of an event loop that
//   comes late: up to 64 packets of one port, nothing scheduled at a time between. Cut again, each
//   flow must be what it was, byte for byte.
//   Offload: neighbours of such a batch that come at most 10 ms apart (split: at the same time)
//   come as one super-packet at the time of the last, all right checksums are left to be finished,
//   and every link takes both. What leaves, cut and finished, must be what was recorded; or, of
//   split packets, what leaves where they come one by one. So must be tables and events.
//   A super-packet is one skb in Linux, too. It counts as one, so counters are compared only where
//   nothing was merged; it is answered once; and it has one fate. So packets do not come as one
//   where that would be another input (fates.hpp): those that went different ways (one was too
//   large, or out of the window), each of which changed its connection, whose answer IPv4 rations
//   (ip_error), or that meet rules which count or measure packets.
#pragma once

#include "tests/oracle/case_run.hpp"

namespace oracle {

// Precondition: `plain`, the case as it was recorded, does not differ.
void check_ways(const Case& one, const Run& plain);

std::size_t number_of_cases();

// Differences, as far as they are shown.
std::string in_lines(const std::vector<Difference>& differences);

}  // namespace oracle
