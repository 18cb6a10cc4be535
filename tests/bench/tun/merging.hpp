// Small UDP datagrams of one flow and size, within a batch, become one super-packet (USO): what the
// router's Coalescer does, without its care for what the datagrams are. Only for a load of IPv4
// datagrams without options whose checksums the device completes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tests/bench/tun/frames.hpp"

namespace bench::tun {

using Lengths = std::array<std::size_t, kBatch>;

class Merger {
  public:
    // Frames 0 to `count` - 1 become fewer, from the beginning on; how many.
    std::size_t merge(Frames& frames, Lengths& lengths, std::size_t count) {
        std::size_t kept = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (!join(frames, lengths, kept, i)) {
                if (kept != i) {
                    std::memcpy(frames.slot(kept), frames.slot(i), lengths[i]);
                }
                lengths[kept] = lengths[i];
                sizes_[kept] = mergeable(frames.slot(kept), lengths[i]) ? lengths[i] : 0;
                ++kept;
            }
        }
        return kept;
    }

  private:
    static constexpr std::size_t kIp = kVnetHeaderBytes;
    static constexpr std::size_t kUdp = kIp + 20;
    static constexpr std::size_t kData = kUdp + 8;
    static constexpr std::size_t kMost = 60000;
    static constexpr std::uint8_t kNeedsChecksum = 1;
    static constexpr std::uint8_t kGsoUdp = 5;

    // Onto one of the frames before `kept`.
    bool join(Frames& frames, Lengths& lengths, std::size_t kept, std::size_t i) {
        const std::uint8_t* frame = frames.slot(i);
        if (!mergeable(frame, lengths[i])) {
            return false;
        }
        for (std::size_t k = 0; k < kept; ++k) {
            std::uint8_t* into = frames.slot(k);
            if (sizes_[k] == lengths[i] && lengths[k] < kMost && same_flow(into, frame)) {
                std::memcpy(into + lengths[k], frame + kData, lengths[i] - kData);
                lengths[k] += lengths[i] - kData;
                write_headers(into, lengths[k], sizes_[k]);
                return true;
            }
        }
        return false;
    }

    static bool mergeable(const std::uint8_t* frame, std::size_t length) {
        return length > kData && length < kLargeBytes && frame[0] == kNeedsChecksum &&
               frame[kIp] == 0x45 && frame[kIp + 9] == 17;
    }

    // Addresses and ports.
    static bool same_flow(const std::uint8_t* a, const std::uint8_t* b) {
        return std::memcmp(a + kIp + 12, b + kIp + 12, 12) == 0;
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

    Lengths sizes_{};  // of the frames that each kept one is made of; 0: of none other
};

}  // namespace bench::tun
