// Recorder: the last packets that went wrong, kept always, for whoever asks why afterwards.
//
// Theory of operation
//   A ring of records of one size: packets that were dropped; packets that tracking found INVALID,
//   whether or not a rule let them through; the first packet that is let through of a connection
//   whose packets were dropped before; and connections that a full table gave up for another one.
//   A packet both dropped and INVALID has one record. Other accepted packets cost nothing. A record
//   holds values alone: names of interfaces and rules are looked up when it is read (rule_names.hpp
//   keeps those of rules that have gone meanwhile).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/base/instant.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/packet/packet.hpp"
#include "core/pipeline/drop_places.hpp"

namespace nsr::pipeline {

struct Record {
    static constexpr std::size_t kHeadBytes = 96;

    std::uint64_t number = 0;  // counts from 1
    Instant at{};
    bool dropped = false;  // else it went on: INVALID, or let through again
    // Of the connection that it belongs to, what is not as it was before.
    enum class Change : std::uint8_t {
        None,
        NowDropped,   // its packets were let through
        NowAccepted,  // its packets were dropped
        Evicted       // it is no more, and this is the packet that it had begun with, as known
    };
    Change change = Change::None;
    DropPlace place;  // valid iff dropped, but for its `in` and `family`
    IfIndex out = IfIndex::None;
    CtInfo info = CtInfo::Invalid;
    bool tracked = false;  // tracking had seen it: `info` says something
    bool locally_generated = false;
    Zone zone = 0;
    Mark mark = 0;
    ConnId conn = ConnId::None;
    std::string_view state;       // of its connection, as /proc names it; empty: none
    std::uint32_t status = 0;     // of its connection, conntrack::status::k*
    conntrack::InvalidNote note;  // valid iff tracked and `info` is Invalid
    std::uint32_t length = 0;     // of the packet
    std::uint8_t head_bytes = 0;
    std::array<std::uint8_t, kHeadBytes> head{};  // its first bytes, as it was when it ended

    [[nodiscard]] bool invalid() const { return tracked && info == CtInfo::Invalid; }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {head.data(), head_bytes}; }
};

class Recorder {
  public:
    explicit Recorder(std::size_t capacity) : capacity_(capacity) {}

    // A packet that tracking found INVALID, and went on.
    void invalid(const Packet& packet, const conntrack::InvalidNote& note, Instant now);
    // `change`: None or NowDropped.
    void dropped(const Packet& packet, const DropPlace& place, const conntrack::Conntrack& tracking,
                 Record::Change change, Instant now);
    // NowAccepted, or Evicted: `packet` belongs to the connection `id`.
    void changed(const Packet& packet, ConnId id, const conntrack::Conntrack& tracking,
                 Record::Change change, Instant now);

    [[nodiscard]] std::size_t capacity() const { return capacity_; }
    // Another size keeps the latest records that fit.
    void resize(std::size_t capacity);
    // All that were ever made; the latest has this number.
    [[nodiscard]] std::uint64_t made() const { return made_; }
    [[nodiscard]] std::size_t size() const { return ring_.size(); }
    // The oldest first.
    [[nodiscard]] const Record& operator[](std::size_t at) const {
        return ring_[(oldest_ + at) % ring_.size()];
    }
    // Null: it has been overwritten, or never was.
    [[nodiscard]] const Record* find(std::uint64_t number) const;

  private:
    Record& next();
    static void connect(Record& record, ConnId id, const conntrack::Conntrack& tracking);
    void describe(Record& record, const Packet& packet, Instant now) const;

    std::size_t capacity_;
    std::vector<Record> ring_;  // grows to capacity_
    std::size_t oldest_ = 0;
    std::uint64_t made_ = 0;
    // Of the packet at hand, while nothing else was recorded: so that its end makes no second one.
    const Packet* invalid_packet_ = nullptr;
};

}  // namespace nsr::pipeline
