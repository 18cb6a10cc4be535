// Conntrack: gives every packet its connection and its state, and keeps the connections.
//
// Theory of operation
//   track() runs in PREROUTING and OUTPUT: it finds or makes (unconfirmed) the connection of a
//   packet, lets the protocol's tracker judge the packet, and leaves `meta.conn` and
//   `meta.ct_info`. A packet that no tracker can place is INVALID: that is a value for rules to
//   judge, not a drop. confirm() runs last, in INPUT and POSTROUTING: it makes a new connection
//   findable. A packet that dies in between takes its unconfirmed connection along: release() it.
//   ICMP errors carry the connection whose header they quote (RELATED); they never refresh it.
//   Time comes in as an Instant; nothing here reads a clock.
// kernel: nf_conntrack_in, __nf_conntrack_confirm, nf_conntrack_icmp*.c, nf_conntrack_proto_*.c
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/result.hpp"
#include "core/base/siphash.hpp"
#include "core/base/verdict.hpp"
#include "core/conntrack/rate_limit.hpp"
#include "core/conntrack/record/settings.hpp"
#include "core/conntrack/table/table.hpp"
#include "core/conntrack/trackers/protocol.hpp"
#include "core/packet/packet.hpp"

namespace nsr::conntrack {

// kernel: the columns of /proc/net/stat/nf_conntrack
struct Stats {
    std::uint64_t found = 0;
    std::uint64_t invalid = 0;
    std::uint64_t insert = 0;
    std::uint64_t insert_failed = 0;
    std::uint64_t drop = 0;
    std::uint64_t early_drop = 0;
    std::uint64_t icmp_error = 0;
    std::uint64_t expect_new = 0;
    std::uint64_t expect_create = 0;
    std::uint64_t expect_delete = 0;
    std::uint64_t search_restart = 0;
    std::uint64_t clashres = 0;
    std::uint64_t chaintoolong = 0;
};

// kernel: enum ip_conntrack_events, the same bits
namespace event {
inline constexpr std::uint32_t kNew = 1u << 0;
inline constexpr std::uint32_t kRelated = 1u << 1;
inline constexpr std::uint32_t kDestroy = 1u << 2;
inline constexpr std::uint32_t kReply = 1u << 3;
inline constexpr std::uint32_t kAssured = 1u << 4;
inline constexpr std::uint32_t kProtoInfo = 1u << 5;
}  // namespace event

class Conntrack {
  public:
    struct Environment {
        SipKey key;
        LogSink& log;
        std::unique_ptr<Memory> memory;  // null: anonymous
    };
    Conntrack(const Settings& settings, Environment environment);
    ~Conntrack();

    // Off: packets pass untracked and the table is empty (the module is not loaded).
    void set_active(Family family, bool active, Instant now);
    [[nodiscard]] bool active(Family family) const;

    // PREROUTING, or OUTPUT when the packet is locally generated (no checksum is verified then, as
    // in the kernel). Drops only where the kernel does: table full, tracker refusal.
    Verdict track(Packet& packet, Instant now);
    void prefetch(const Packet& packet) const;
    // Last in INPUT and POSTROUTING. kernel: nf_conntrack_confirm
    Verdict confirm(Packet& packet, Instant now);
    // The packet dies here: drop its connection if it is unconfirmed and nobody else's. Safe to
    // call for any packet.
    void release(Packet& packet);
    // An error or reset the router itself makes about `cause` belongs to cause's connection.
    // kernel: nf_ct_attach
    void attach(Packet& generated, const Packet& cause) const;
    // REJECT answered this packet of a TCP connection with a reset: the connection is closing.
    // kernel: nf_ct_set_closing
    void set_closing(const Packet& packet, Instant now);

    [[nodiscard]] Table& table() { return table_; }
    [[nodiscard]] const Table& table() const { return table_; }
    [[nodiscard]] Settings& settings() { return settings_; }
    [[nodiscard]] const Settings& settings() const { return settings_; }
    [[nodiscard]] const Stats& stats() const { return stats_; }
    [[nodiscard]] Stats& stats() { return stats_; }

    // The zone in which a packet going in `direction` of a record is looked up.
    [[nodiscard]] Zone zone_of(ConnId id, Direction direction) const;
    [[nodiscard]] std::optional<Instant> next_deadline() const;
    // Erases what is over, a few thousand at most. False: call again, next_deadline() is not later.
    bool expire(Instant now);
    // Removes a confirmed connection now (flush, delete, address gone). Events and masters are
    // told.
    void destroy(ConnId id, Instant now);
    // conntrack -F
    void flush(Instant now);
    // Removes all that `doomed` says; returns how many.
    std::size_t destroy_if(const std::function<bool(ConnId)>& doomed, Instant now);

    // What connections go through, for who asks (nf_conntrack_events). It may read the table and
    // the record; it must not make, change or destroy connections, nor track packets: it is called
    // in the middle of that. kernel: nf_conntrack_event
    std::function<void(ConnId, std::uint32_t events, Instant)> on_event;  // events: event::k*
    // How the log describes an INVALID packet; unset: describe().
    std::function<std::string(const Packet&)> describe_packet;
    // The NAT layer must forget its references when a record goes. One observer, called before the
    // record is erased; the same holds for it.
    std::function<void(ConnId)> on_erase;

  private:
    bool track_icmp(Packet& packet, Instant now);
    bool track_error(Packet& packet, const Tuple& quoted, Instant now);
    Verdict track_flow(Packet& packet, Instant now);
    bool judge_packet(Packet& packet, const Hit& hit, Instant now);
    [[nodiscard]] bool verifies_checksum(const Packet& packet) const;
    [[nodiscard]] std::optional<Hit> find(const Tuple& tuple, const Meta& meta, Jiffies now) const;
    [[nodiscard]] const Timeouts& timeouts_of(const Connection& record) const;
    Result<ConnId, DropReason> create(const Packet& packet, const Tuple& tuple, const Tuple& reply,
                                      Instant now);
    bool add_extra(ConnId id, const Meta& meta);
    bool make_room(Instant now);
    bool expire_batch(Instant now);
    [[nodiscard]] InvalidLog invalid_log(Instant now) const;
    void note(ConnId id, std::uint32_t events);
    void tell(Instant now);
    void account(ConnId id, Direction direction, std::uint32_t bytes);
    void end_after_packet(ConnId id, Jiffies now);
    void reap();
    void erase(ConnId id);

    Settings settings_;
    Stats stats_;
    LogSink& log_;
    Table table_;
    std::array<bool, 2> active_{};
    RateLimit full_log_;
    ConnId ending_ = ConnId::None;  // over, but the packet that ended it is still on its way
    Instant now_{};                 // of the last call; what next_deadline() is relative to
    std::vector<ConnId> expired_;
    ConnId noted_ = ConnId::None;     // whom noted_events_ are about
    std::uint32_t noted_events_ = 0;  // told when the packet that caused them is through
};

// "SYN_SENT", "ESTABLISHED", ...; empty for protocols without states. As /proc prints it.
std::string_view state_name(const Connection& connection);
std::string_view protocol_name(std::uint8_t protocol);  // "tcp", "unknown"
bool is_state_name(std::string_view name);              // of any protocol

}  // namespace nsr::conntrack
