// Trackers: what each transport protocol makes of a packet of a connection. One file and one row
// of the table in protocol.cpp per protocol.
// kernel: nf_conntrack_handle_packet, nf_conntrack_l4proto
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/base/log.hpp"
#include "core/conntrack/record/connection.hpp"
#include "core/conntrack/record/event.hpp"
#include "core/conntrack/record/sequence_adjust.hpp"
#include "core/conntrack/record/settings.hpp"
#include "core/conntrack/record/tuple.hpp"
#include "core/conntrack/trackers/invalid_note.hpp"
#include "core/packet/packet.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::conntrack {

// The tail of a log line about a packet: "IN=lan OUT= SRC=... DST=...".
using DescribePacket = std::function<std::string(const Packet&)>;

// Says why packets are INVALID: in the note, and in the log where nf_conntrack_log_invalid asks
// for it.
class InvalidLog {
  public:
    // Where it writes.
    struct Places {
        LogSink& sink;
        const DescribePacket& describe;
        InvalidNote& note;  // begins anew
    };
    InvalidLog(const Places& places, const Settings& settings, Instant now)
        : places_(places), settings_(settings), now_(now) {
        places_.note.begin();
    }

    // "nf_ct_proto_6: invalid rst IN=lan OUT= SRC=...". kernel: nf_l4proto_log_invalid
    __attribute__((format(printf, 4, 5))) void write(const Packet& packet, std::uint8_t protocol,
                                                     const char* format, ...) const;

    // For the note alone: of this the kernel logs nothing.
    void note(const char* why) const { places_.note.say(why); }

  private:
    [[nodiscard]] bool wants(std::uint8_t protocol) const;

    Places places_;
    const Settings& settings_;
    Instant now_;
};

enum class TrackerVerdict : std::uint8_t {
    Accept,
    Invalid,  // the packet is not part of the connection
    Reopen,   // the connection is over and the packet begins the next one on the same tuple
};

// One packet of one connection, as its tracker sees it. The tracker changes the record only.
struct Flow {
    const Packet& packet;
    Connection& record;
    CtInfo info;
    Jiffies now;
    bool verify_checksum;  // kernel: PREROUTING and nf_conntrack_checksum
    const Settings& settings;
    const Timeouts& timeouts;
    const InvalidLog& log;
    const SequenceAdjusts* adjusts = nullptr;  // of the payloads that helpers changed, if any

    // What the tracker decided beside its verdict.
    bool counted = false;      // the packet counts in the connection's accounting
    bool killed = false;       // the connection is over once this packet has passed
    std::uint32_t events = 0;  // event::k* that the packet caused

    [[nodiscard]] Direction direction() const { return direction_of(info); }
    [[nodiscard]] bool confirmed() const { return record.has(status::kConfirmed); }
    [[nodiscard]] wire::ConstBytes l4() const { return packet.l4(); }

    // Sets ASSURED, and tells so if it was not.
    void assure();
    // The connection lives `seconds` from now on. kernel: nf_ct_refresh_acct
    void refresh(std::uint32_t seconds);
    // kernel: nf_ct_kill_acct
    void kill();
};

constexpr Jiffies jiffies_of(std::uint32_t seconds) {
    return seconds * kJiffiesPerSecond;
}

// One per protocol; an unconfirmed record asks whether a connection may begin with this packet.
TrackerVerdict judge_tcp(Flow& flow);
TrackerVerdict judge_udp(Flow& flow);
TrackerVerdict judge_udplite(Flow& flow);
TrackerVerdict judge_icmp(Flow& flow);
TrackerVerdict judge_icmpv6(Flow& flow);
TrackerVerdict judge_sctp(Flow& flow);
TrackerVerdict judge_gre(Flow& flow);
TrackerVerdict judge_generic(Flow& flow);

TrackerVerdict judge(Flow& flow);

}  // namespace nsr::conntrack
