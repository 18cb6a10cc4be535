#include "core/pipeline/recorder.hpp"

#include <algorithm>
#include <utility>

namespace nsr::pipeline {

void Recorder::invalid(const Packet& packet, const conntrack::InvalidNote& note, Instant now) {
    if (capacity_ == 0) {
        return;
    }
    Record& record = next();
    record.dropped = false;
    record.change = Record::Change::None;
    record.place = {.family = packet.layout.family, .in = packet.meta.in};
    record.conn = ConnId::None;
    record.state = {};
    record.status = 0;
    record.note = note;
    describe(record, packet, now);
    invalid_packet_ = &packet;
}

void Recorder::dropped(const Packet& packet, const DropPlace& place,
                       const conntrack::Conntrack& tracking, Record::Change change, Instant now) {
    if (capacity_ == 0) {
        return;
    }
    const bool same = std::exchange(invalid_packet_, nullptr) == &packet && !ring_.empty() &&
                      packet.meta.ct_info == CtInfo::Invalid;
    Record& record = same ? ring_[(oldest_ + ring_.size() - 1) % ring_.size()] : next();
    record.dropped = true;
    record.change = change;
    record.place = place;
    connect(record, packet.meta.conn, tracking);
    if (!same) {
        record.note.begin();
    }
    describe(record, packet, now);
}

void Recorder::changed(const Packet& packet, ConnId id, const conntrack::Conntrack& tracking,
                       Record::Change change, Instant now) {
    if (capacity_ == 0) {
        return;
    }
    Record& record = next();
    record.dropped = false;
    record.change = change;
    record.place = {.family = packet.layout.family, .in = packet.meta.in};
    connect(record, id, tracking);
    record.note.begin();
    describe(record, packet, now);
}

void Recorder::resize(std::size_t capacity) {
    std::vector<Record> kept;
    const std::size_t count = std::min(capacity, ring_.size());
    for (std::size_t i = ring_.size() - count; i < ring_.size(); ++i) {
        kept.push_back((*this)[i]);
    }
    ring_ = std::move(kept);
    oldest_ = 0;
    capacity_ = capacity;
    invalid_packet_ = nullptr;
}

const Record* Recorder::find(std::uint64_t number) const {
    const std::uint64_t first = made_ - ring_.size() + 1;
    return number >= first && number <= made_ ? &(*this)[number - first] : nullptr;
}

Record& Recorder::next() {
    invalid_packet_ = nullptr;
    ++made_;
    if (ring_.size() < capacity_) {
        ring_.emplace_back();
        ring_.back().number = made_;
        return ring_.back();
    }
    Record& record = ring_[oldest_];
    oldest_ = (oldest_ + 1) % ring_.size();
    record.number = made_;
    return record;
}

void Recorder::connect(Record& record, ConnId id, const conntrack::Conntrack& tracking) {
    record.conn = id;
    record.state = {};
    record.status = 0;
    if (id != ConnId::None) {
        const conntrack::Connection& connection = tracking.table()[id];
        record.state = conntrack::state_name(connection);
        record.status = connection.status;
    }
}

void Recorder::describe(Record& record, const Packet& packet, Instant now) const {
    const Meta& meta = packet.meta;
    record.at = now;
    record.out = meta.out;
    record.info = meta.ct_info;
    record.tracked = meta.ct_seen;
    record.locally_generated = meta.locally_generated;
    record.zone = meta.zone;
    record.mark = meta.mark;
    record.length = static_cast<std::uint32_t>(packet.size());
    record.head_bytes = static_cast<std::uint8_t>(std::min(packet.size(), Record::kHeadBytes));
    std::copy_n(packet.data(), record.head_bytes, record.head.begin());
}

}  // namespace nsr::pipeline
