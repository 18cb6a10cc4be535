// Small UDP datagrams of one flow and size, within a batch, become one super-packet (USO): what the
// router's Coalescer does, without its care for what the datagrams are. Only for a load of IPv4
// datagrams without options whose checksums the device completes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "tests/bench/tun/frames.hpp"

namespace bench::tun {

struct Piece {
    std::uint8_t* at = nullptr;
    std::size_t bytes = 0;
    std::size_t slot = 0;
};

class Merger {
  public:
    // Frames of a batch: those that are part of an earlier one are empty then.
    static void merge(std::span<Piece> pieces) {
        std::array<Group, kBatch> groups;
        std::size_t count = 0;
        for (Piece& piece : pieces) {
            if (!mergeable(piece)) {
                continue;
            }
            Group* group = std::find_if(groups.data(), groups.data() + count,
                                        [&](const Group& known) { return takes(known, piece); });
            if (group == groups.data() + count) {
                groups[count++] = {&piece, piece.bytes};
            } else {
                append(*group->head, piece, group->each);
            }
        }
    }

  private:
    static constexpr std::size_t kIp = kVnetHeaderBytes;
    static constexpr std::size_t kAddresses = kIp + 12;  // and ports
    static constexpr std::size_t kUdp = kIp + 20;
    static constexpr std::size_t kData = kUdp + 8;
    static constexpr std::size_t kMost = 60000;
    static constexpr std::uint8_t kNeedsChecksum = 1;
    static constexpr std::uint8_t kGsoUdp = 5;

    struct Group {
        Piece* head = nullptr;
        std::size_t each = 0;  // bytes of a frame
    };

    static bool mergeable(const Piece& piece) {
        const std::uint8_t* frame = piece.at;
        return piece.bytes > kData && piece.bytes < kLargeBytes && frame[0] == kNeedsChecksum &&
               frame[kIp] == 0x45 && frame[kIp + 9] == 17;
    }

    static bool takes(const Group& group, const Piece& piece) {
        return group.each == piece.bytes && group.head->bytes < kMost &&
               std::memcmp(group.head->at + kAddresses, piece.at + kAddresses, 12) == 0;
    }

    static void append(Piece& head, Piece& piece, std::size_t each) {
        std::memcpy(head.at + head.bytes, piece.at + kData, each - kData);
        head.bytes += each - kData;
        piece.bytes = 0;
        write_headers(head.at, head.bytes, each);
    }

    static void write_headers(std::uint8_t* frame, std::size_t length, std::size_t each) {
        frame[1] = kGsoUdp;
        store_little(frame + 2, kData - kIp);
        store_little(frame + 4, each - kData);
        const std::size_t old_total = load(frame + kIp + 2);
        const std::size_t total = length - kIp;
        store(frame + kIp + 2, total);
        replace(frame + kIp + 10, old_total, total, true);
        replace(frame + kUdp + 6, old_total - 20, total - 20, false);
        store(frame + kUdp + 4, total - 20);
    }

    // RFC 1624, equation 3, of a checksum or of the sum of a pseudo header.
    static void replace(std::uint8_t* at, std::size_t before, std::size_t after, bool inverted) {
        const std::size_t flip = inverted ? 0xffff : 0;
        std::size_t sum = (load(at) ^ flip) + (before ^ 0xffff) + after;
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        store(at, sum ^ flip);
    }

    static std::size_t load(const std::uint8_t* at) {
        return static_cast<std::size_t>(at[0]) << 8 | at[1];
    }
    static void store(std::uint8_t* at, std::size_t value) {
        at[0] = static_cast<std::uint8_t>(value >> 8);
        at[1] = static_cast<std::uint8_t>(value);
    }
    static void store_little(std::uint8_t* at, std::size_t value) {
        at[0] = static_cast<std::uint8_t>(value);
        at[1] = static_cast<std::uint8_t>(value >> 8);
    }
};

}  // namespace bench::tun
