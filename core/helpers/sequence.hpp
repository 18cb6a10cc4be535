// Moves the numbers of a segment whose connection had payloads made longer or shorter.
#pragma once

#include "core/conntrack/record/sequence_adjust.hpp"
#include "core/packet/packet.hpp"

namespace nsr::helpers {

// Precondition: a TCP packet going in `direction`, whose header is one that tracking accepts.
// kernel: nf_ct_seq_adjust
void adjust_sequence(Packet& packet, Direction direction,
                     const conntrack::SequenceAdjusts& adjusts);

}  // namespace nsr::helpers
