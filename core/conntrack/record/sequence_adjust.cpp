#include "core/conntrack/record/sequence_adjust.hpp"

namespace nsr::conntrack {

namespace {

// kernel: after
constexpr bool is_after(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(b - a) < 0;
}

}  // namespace

void SequenceAdjust::change(std::uint32_t sequence, std::int32_t difference) {
    if (before == after || is_after(sequence, position)) {
        position = sequence;
        before = after;
        after += difference;
    }
}

std::uint32_t SequenceAdjust::offset_at(std::uint32_t sequence) const {
    return static_cast<std::uint32_t>(is_after(sequence, position) ? after : before);
}

std::uint32_t SequenceAdjust::offset_acknowledged(std::uint32_t acknowledged) const {
    return offset_at(acknowledged - static_cast<std::uint32_t>(before));
}

}  // namespace nsr::conntrack
