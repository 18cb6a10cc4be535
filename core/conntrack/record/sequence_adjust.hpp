// How far the sequence numbers of one direction have moved, since NAT made a payload longer or
// shorter: by one amount before a position, by another one behind it.
// kernel: struct nf_ct_seqadj, nf_conntrack_seqadj.c
#pragma once

#include <array>
#include <cstdint>

namespace nsr::conntrack {

struct SequenceAdjust {
    std::uint32_t position = 0;  // as the sender numbers it
    std::int32_t before = 0;
    std::int32_t after = 0;

    // The payload of the segment that begins at `sequence` became `difference` octets longer.
    // kernel: nf_ct_seqadj_set
    void change(std::uint32_t sequence, std::int32_t difference);
    // What to add to a number of the sender. kernel: nf_ct_seq_offset
    [[nodiscard]] std::uint32_t offset_at(std::uint32_t sequence) const;
    // What to subtract from a number that the receiver acknowledges. kernel: nf_ct_seq_adjust
    [[nodiscard]] std::uint32_t offset_acknowledged(std::uint32_t acknowledged) const;
    [[nodiscard]] bool moves() const { return before != 0 || after != 0; }
};

// By Direction.
using SequenceAdjusts = std::array<SequenceAdjust, 2>;

}  // namespace nsr::conntrack
