#include "core/pipeline/history.hpp"

#include <algorithm>
#include <utility>

namespace nsr::pipeline {

void History::resize(std::size_t bytes) {
    const std::size_t capacity = bytes / sizeof(PastPacket);
    if (capacity == capacity_) {
        return;
    }
    capacity_ = capacity;
    blocks_.clear();
    blocks_.reserve((capacity + kBlock - 1) / kBlock);
    base_ = made_;
    kept_ = 0;
    current_ = 0;
}

const PastPacket* History::find(std::uint64_t number) const {
    return number >= first() && number <= made_ ? &slot(number) : nullptr;
}

std::uint64_t History::begin(const Packet& packet, Instant now) {
    ++made_;
    kept_ = std::min<std::uint64_t>(kept_ + 1, capacity_);
    if ((made_ - base_ - 1) % capacity_ / kBlock == blocks_.size()) {
        blocks_.push_back(std::make_unique_for_overwrite<PastPacket[]>(kBlock));
    }
    PastPacket& past = slot(made_);
    past.number = made_;
    past.caused_by = current_;
    past.at = now;
    past.end = PastPacket::End::Nothing;
    past.in = packet.meta.in != IfIndex::None ? packet.meta.in : packet.meta.host_interface;
    past.out = IfIndex::None;
    past.info = CtInfo::Invalid;
    past.tracked = false;
    past.zone = 0;
    past.mark = 0;
    past.conn = ConnId::None;
    past.length = static_cast<std::uint32_t>(packet.size());
    past.left_bytes = 0;
    past.head_bytes = static_cast<std::uint8_t>(std::min(packet.size(), PastPacket::kHeadBytes));
    std::copy_n(packet.data(), past.head_bytes, past.head.begin());
    return std::exchange(current_, made_);
}

// Null: what it caused has taken the whole ring.
PastPacket* History::at_hand() {
    return current_ >= first() ? &slot(current_) : nullptr;
}

PastPacket* History::keep_end(const Packet& packet, PastPacket::End end) {
    PastPacket* past = at_hand();
    if (past == nullptr) {
        return nullptr;
    }
    const Meta& meta = packet.meta;
    past->end = end;
    past->out = meta.out;
    past->info = meta.ct_info;
    past->tracked = meta.ct_seen;
    past->zone = meta.zone;
    past->mark = meta.mark;
    past->conn = meta.conn;
    return past;
}

void History::keep_left(const Packet& packet) {
    PastPacket* past = at_hand();
    if (past == nullptr || past->left_bytes != 0) {
        return;  // another piece of it
    }
    keep_end(packet, PastPacket::End::Left);
    past->left_length = static_cast<std::uint32_t>(packet.size());
    past->left_bytes = static_cast<std::uint8_t>(std::min(packet.size(), PastPacket::kLeftBytes));
    std::copy_n(packet.data(), past->left_bytes, past->left.begin());
}

void History::keep_drop(const Packet& packet, const DropPlace& place) {
    if (PastPacket* past = keep_end(packet, PastPacket::End::Dropped)) {
        past->place = place;
    }
}

}  // namespace nsr::pipeline
