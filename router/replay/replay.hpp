// Replay: a capture through the whole router on a virtual clock, without a namespace or root.
//
// Theory of operation
//   Time 0 of the router is the second in which the capture begins (or ReplayOptions::start). The
//   clock jumps from one thing to the next: packets at their time stamps, then events, then
//   checkpoints of the same instant; before each, every deadline of the core that has come is run
//   at its own instant, so that what timers send carries the right time. After the last thing the
//   clock runs on for `settle`. A packet that is older than the one before it is processed at the
//   time of that one. Same input and seed, same output, byte for byte. Nothing is kept: packets go
//   in as they are read and out as they leave, to a ReplayOutput.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/packet/packet.hpp"
#include "router/capture/capture.hpp"
#include "router/config/config.hpp"
#include "router/tools/conntrack/saved_table.hpp"

namespace nsr::router {

inline constexpr std::uint64_t kReplayMemoryBytes = std::uint64_t{2} << 30;

// What a router was given beside its configuration, before its first packet.
struct Begun {
    ConfigErrors told;    // complaints about it
    std::string refused;  // not empty: it does not begin with that; a line for each reason
};
using Beginning = std::function<Begun(Router&, Instant)>;
// With these connections.
Beginning begin_with(SavedTable table);

struct ReplayOptions {
    std::uint64_t seed = 1;
    std::optional<std::int64_t> start_ns;  // of time 0 since 1970
    // What the capture calls an interface, and what the configuration calls it.
    std::map<std::string, std::string, std::less<>> interface_names;
    std::string interface;  // for packets whose file does not name one of the configuration's
    Beginning begin;        // empty: it begins with its configuration alone
    std::function<void(Router&)> end;  // sees the router when all is over; empty: nobody does
    // The capture has the beginnings of packets that a router had: zeros stand for the rest, and
    // the checksums of all of them count as right.
    bool cut_packets = false;
    // What a device left to be done in a packet; empty: nothing.
    std::function<Offload(const Frame&)> offload;
    bool trace = false;
    bool events = false;
    // Packets that come one after the other with nothing scheduled between them may share a batch
    // and the time of its first; `one_by_one` keeps that time but hands them over singly. Both must
    // give the same.
    std::size_t batch = 1;
    bool one_by_one = false;
};

// Where the results go. Times are those of the capture.
class ReplayOutput {
  public:
    virtual ~ReplayOutput() = default;
    // The packet with this index in the capture is next; of those received together, the first one.
    // What timers do until its time comes behind this.
    virtual void arrives(std::uint32_t /*index*/) {}
    virtual void packet(std::int64_t time_ns, std::uint32_t interface, const Packet& packet,
                        std::string_view comment) = 0;
    // One checkpoint: "# t=SECONDS", then the table, then the expectations.
    virtual void connections(std::string_view text) = 0;
    // An event of a connection, as conntrack -E prints it, without its line break.
    virtual void event(std::string_view line) = 0;
    // One line of the trace, without its line break.
    virtual void trace(std::string_view line) = 0;
    // False ends the replay: the output failed.
    [[nodiscard]] virtual bool good() const = 0;
};

struct ReplayResult {
    std::string error;  // empty: it ran to its end. Otherwise what came before was processed.
    // Empty: it began. Otherwise a line for each reason why not, and nothing was processed.
    std::string refused;
    std::string stats;  // counters and rules at the end
    std::uint64_t packets_in = 0;
    std::uint64_t packets_out = 0;
    std::uint64_t packets_before_start = 0;  // they entered at time 0
    std::string skipped;                     // frames without IP, in a sentence; empty: none
    std::vector<std::string> complaints;     // events that could not be carried out
};

ReplayResult run_replay(const Config& config, Capture& capture, const ReplayOptions& options,
                        ReplayOutput& output);

}  // namespace nsr::router
