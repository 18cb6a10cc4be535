// History: the last packets, whatever became of them, for whoever asks afterwards what went by.
//
// Theory of operation
//   A ring of records of one size, off unless it is given memory. A packet that is received, or
//   that the router makes, begins a record with its first bytes as it came; leaving, delivery or
//   its end completes it. What a packet causes (an error, an answer) is recorded while its cause is
//   at hand, and says which one that is. Of a packet that leaves in pieces the first one is kept.
//   Records hold values alone: names are looked up when they are read. Memory is taken block by
//   block as packets come, and nothing moves.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/instant.hpp"
#include "core/packet/packet.hpp"
#include "core/pipeline/drop_places.hpp"

namespace nsr::pipeline {

struct PastPacket {
    static constexpr std::size_t kHeadBytes = 128;
    static constexpr std::size_t kLeftBytes = 64;  // its headers, as NAT has written them
    enum class End : std::uint8_t { Nothing, Left, Delivered, Kept, Dropped };

    std::uint64_t number = 0;  // counts from 1
    std::uint64_t caused_by = 0;
    Instant at{};
    DropPlace place;  // valid iff Dropped
    End end = End::Nothing;
    CtInfo info = CtInfo::Invalid;
    bool tracked = false;  // tracking had seen it: `info` says something
    IfIndex in = IfIndex::None;
    IfIndex out = IfIndex::None;
    Zone zone = 0;
    Mark mark = 0;
    ConnId conn = ConnId::None;
    std::uint32_t length = 0;       // of the packet as it came
    std::uint32_t left_length = 0;  // as it left; valid iff Left
    std::uint8_t head_bytes = 0;
    std::uint8_t left_bytes = 0;
    std::array<std::uint8_t, kHeadBytes> head;
    std::array<std::uint8_t, kLeftBytes> left;

    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {head.data(), head_bytes}; }
    [[nodiscard]] std::span<const std::uint8_t> bytes_as_left() const {
        return {left.data(), left_bytes};
    }
};
static_assert(sizeof(PastPacket) <= 288);

class History {
  public:
    // At most so much memory; 0: off. Less than a record's is off, too.
    explicit History(std::size_t bytes) { resize(bytes); }
    // Another size: what is kept goes.
    void resize(std::size_t bytes);

    [[nodiscard]] bool on() const { return capacity_ != 0; }
    [[nodiscard]] std::size_t capacity() const { return capacity_; }  // in packets
    // All that were ever recorded; the latest has this number.
    [[nodiscard]] std::uint64_t made() const { return made_; }
    // The number of the oldest one that is kept; made() + 1: there is none.
    [[nodiscard]] std::uint64_t first() const { return made_ - kept_ + 1; }
    // Null: it has been overwritten, or never was.
    [[nodiscard]] const PastPacket* find(std::uint64_t number) const;

    // Precondition of begin: it is on. The answer is the number of the packet at hand before.
    std::uint64_t begin(const Packet& packet, Instant now);
    void back_to(std::uint64_t number) { current_ = number; }

    // What became of the packet at hand.
    void left(const Packet& packet) {
        if (current_ != 0) {
            keep_left(packet);
        }
    }
    void delivered(const Packet& packet) {
        if (current_ != 0) {
            keep_end(packet, PastPacket::End::Delivered);
        }
    }
    void kept(const Packet& packet) {
        if (current_ != 0) {
            keep_end(packet, PastPacket::End::Kept);
        }
    }
    void dropped(const Packet& packet, const DropPlace& place) {
        if (current_ != 0) {
            keep_drop(packet, place);
        }
    }

  private:
    [[gnu::cold]] void keep_left(const Packet& packet);
    [[gnu::cold]] PastPacket* keep_end(const Packet& packet, PastPacket::End end);
    [[gnu::cold]] void keep_drop(const Packet& packet, const DropPlace& place);
    // Precondition: its block is there.
    [[nodiscard]] PastPacket& slot(std::uint64_t number) const {
        const auto at = static_cast<std::size_t>((number - base_ - 1) % capacity_);
        return blocks_[at / kBlock][at % kBlock];
    }
    PastPacket* at_hand();

    static constexpr std::size_t kBlock = 64;  // packets
    std::size_t capacity_ = 0;
    std::vector<std::unique_ptr<PastPacket[]>> blocks_;
    std::uint64_t made_ = 0;
    std::uint64_t base_ = 0;     // made_ when this ring began
    std::uint64_t kept_ = 0;     // at most capacity_
    std::uint64_t current_ = 0;  // 0: none
};

// A packet is at hand from here to the end of the block.
class Remembered {
  public:
    Remembered(History& history, const Packet& packet, Instant now)
        : history_(history.on() ? &history : nullptr) {
        if (history_ != nullptr) {
            before_ = history_->begin(packet, now);
        }
    }
    ~Remembered() {
        if (history_ != nullptr) {
            history_->back_to(before_);
        }
    }
    Remembered(const Remembered&) = delete;
    Remembered& operator=(const Remembered&) = delete;

  private:
    History* history_;
    std::uint64_t before_ = 0;
};

}  // namespace nsr::pipeline
