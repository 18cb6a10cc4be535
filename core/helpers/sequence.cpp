#include "core/helpers/sequence.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "core/base/check.hpp"
#include "core/packet/rewrite.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/tcp_options.hpp"

namespace nsr::helpers {

namespace {

namespace tcp = wire::tcp;
using conntrack::SequenceAdjust;

constexpr std::size_t kKindAndLength = 2;
constexpr std::size_t kSackBlockBytes = 8;

void acknowledge(Packet& packet, std::size_t offset, const SequenceAdjust& other) {
    const std::uint32_t number = wire::load32(packet.data() + offset);
    rewrite::set_l4_u32(packet, offset, number - other.offset_acknowledged(number));
}

// kernel: nf_ct_sack_adjust
void adjust_sacks(Packet& packet, std::size_t options_offset, std::size_t options_length,
                  const SequenceAdjust& other) {
    // The walk reads a copy: what it reads does not change under it.
    std::array<std::uint8_t, 40> options{};
    std::copy_n(packet.data() + options_offset, options_length, options.begin());
    wire::TcpOptionWalk walk(wire::ConstBytes(options).first(options_length),
                             wire::TcpOptionReading::Strict);
    while (const auto option = walk.next()) {
        const std::size_t blocks = option->length - kKindAndLength;
        if (option->kind != tcp::kOptionSack || option->length < kKindAndLength + kSackBlockBytes ||
            blocks % kSackBlockBytes != 0) {
            continue;
        }
        const std::size_t first = options_offset + option->offset + kKindAndLength;
        for (std::size_t at = first; at < first + blocks; at += sizeof(std::uint32_t)) {
            acknowledge(packet, at, other);
        }
    }
}

}  // namespace

void adjust_sequence(Packet& packet, Direction direction,
                     const conntrack::SequenceAdjusts& adjusts) {
    const auto header = wire::TcpView::parse(packet.l4());
    NSR_CHECK(header && header->data_offset_valid());
    const std::size_t l4 = packet.layout.l4_offset;
    const std::size_t options_length = header->data_offset_bytes() - tcp::kHeaderBytes;
    const bool acknowledges = (header->flags() & tcp::kAck) != 0;
    const std::uint32_t sequence = header->sequence_number();
    const SequenceAdjust& own = adjusts[index_of(direction)];
    const SequenceAdjust& other = adjusts[index_of(opposite(direction))];
    packet.gather(l4 + header->data_offset_bytes());
    rewrite::set_l4_u32(packet, l4 + tcp::kSequenceOffset, sequence + own.offset_at(sequence));
    if (acknowledges) {
        acknowledge(packet, l4 + tcp::kAcknowledgmentOffset, other);
    }
    adjust_sacks(packet, l4 + tcp::kOptionsOffset, options_length, other);
}

}  // namespace nsr::helpers
