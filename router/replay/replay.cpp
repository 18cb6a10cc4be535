#include "router/replay/replay.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <span>

#include "core/base/printable.hpp"
#include "core/base/words.hpp"
#include "core/observe/watcher.hpp"
#include "router/config/build.hpp"
#include "router/config/load.hpp"
#include "router/observe/render.hpp"
#include "router/replay/event_changes.hpp"
#include "router/replay/events.hpp"
#include "router/replay/schedule.hpp"
#include "router/replay/stats.hpp"

namespace nsr::router {
namespace {

// What few packets need is in the cache when their turn comes; more would push it out again.
constexpr std::size_t kPreparedTogether = 32;
constexpr std::size_t kInterfacesInMind = 4;

using CauseRoom = std::array<char, 16>;
std::string_view text_of(std::uint32_t cause, CauseRoom& room);

class Replay {
  public:
    Replay(const Config& config, Router::Options router_options, const ReplayOptions& options,
           ReplayOutput& output);

    ReplayResult run(Capture& capture);

  private:
    bool admit(const Frame& frame);
    static void complete(Packet& packet, const Frame& frame);
    IfIndex interface_of(const Frame& frame);
    [[nodiscard]] IfIndex find_interface(const Frame& frame, std::string& why) const;
    Instant instant_of(const Frame& frame);
    void flush();
    void receive_together();
    void receive_each();
    void run_scheduled_before(Instant limit);
    void run_timers(Instant until);
    void carry_out(const Scheduled& item);
    void write_out();
    void trace(std::span<const observe::Observation> seen);

    const Config& config_;
    const ReplayOptions& options_;
    ReplayOutput& output_;
    BufferPool pool_;  // outlives the router: fragments wait there
    Router router_;
    observe::Watcher watcher_;
    std::optional<EventWriter> events_;
    std::map<std::string, IfIndex, std::less<>> interfaces_;
    // What the capture called those that were looked up last.
    std::vector<std::pair<std::string, IfIndex>> last_interfaces_;
    std::vector<Scheduled> schedule_;
    std::size_t next_scheduled_ = 0;
    std::optional<std::int64_t> epoch_ns_;  // the capture's time at Instant 0
    Instant clock_{};
    Instant last_timer_ = Instant::min();
    std::vector<Packet> batch_;
    std::vector<Instant> arrivals_;  // of those of the batch
    EgressQueue egress_;
    ReplayResult result_;
    EventChanges changes_;
};

}  // namespace

Beginning begin_with(SavedTable table) {
    return [table = std::move(table)](Router& router, Instant now) {
        Begun begun;
        if (const auto added = add_connections(router, table, now); !added) {
            begun.refused = in_lines(added.error());
        }
        return begun;
    };
}

ReplayResult run_replay(const Config& config, Capture& capture, const ReplayOptions& options,
                        ReplayOutput& output) {
    Result<Router::Options, ConfigErrors> router_options =
        nsr::router::router_options(config, kReplayMemoryBytes);
    if (!router_options) {
        ReplayResult failed;
        for (const ConfigError& error : router_options.error()) {
            failed.error += (failed.error.empty() ? "" : "\n") + to_string(error);
        }
        return failed;
    }
    router_options->seed = options.seed;
    return Replay(config, std::move(*router_options), options, output).run(capture);
}

namespace {

Replay::Replay(const Config& config, Router::Options router_options, const ReplayOptions& options,
               ReplayOutput& output)
    : config_(config),
      options_(options),
      output_(output),
      router_(std::move(router_options)),
      watcher_(router_),
      schedule_(schedule_of(config.replay)),
      epoch_ns_(options.start_ns),
      changes_(router_, config, kReplayMemoryBytes, result_.complaints) {
    for (const ConfigError& error : fill_router(router_, config, clock_)) {
        result_.complaints.push_back(to_string(error));
    }
    Begun begun = options.begin ? options.begin(router_, clock_) : Begun{};
    result_.refused = std::move(begun.refused);
    for (const ConfigError& error : begun.told) {
        result_.complaints.push_back(to_string(error));
    }
    for (const routing::Interface& interface : router_.interfaces().all()) {
        interfaces_[interface.name] = interface.index;
    }
    if (options.trace) {
        watcher_.depth.every_rule = true;
        watcher_.done = [this](std::span<const observe::Observation> seen) { trace(seen); };
        router_.observe(&watcher_);
    }
    if (options.events) {
        events_.emplace(router_, [&output](std::string_view line) { output.event(line); });
    }
}

ReplayResult Replay::run(Capture& capture) {
    if (!result_.refused.empty()) {
        return std::move(result_);
    }
    Frame frame;
    while (result_.error.empty() && output_.good() && capture.next(frame)) {
        if (!admit(frame)) {
            break;
        }
    }
    flush();
    run_scheduled_before(Instant::max());
    const Instant end = clock_ + config_.replay.settle;
    run_timers(end);
    if (config_.replay.checkpoints.empty()) {
        output_.connections(checkpoint_text(router_, end));
    }
    result_.stats =
        stats_text(router_, changes_.tables(Family::Ipv4), changes_.tables(Family::Ipv6));
    if (options_.end) {
        options_.end(router_);
    }
    if (result_.error.empty()) {
        result_.error = capture.error();
    }
    result_.error = printable_message(result_.error);  // it may quote the capture
    result_.skipped = capture.skipped();
    return std::move(result_);
}

// False: the frame cannot be placed, and the replay ends here.
bool Replay::admit(const Frame& frame) {
    const IfIndex interface = interface_of(frame);
    if (interface == IfIndex::None) {
        return false;
    }
    const Instant at = instant_of(frame);
    if (next_scheduled_ < schedule_.size() && schedule_[next_scheduled_].at < at) {
        flush();
        run_scheduled_before(at);
    }
    Packet& packet = batch_.emplace_back(pool_, frame.bytes);
    if (options_.cut_packets) {
        complete(packet, frame);
    }
    if (options_.offload) {
        packet.offload = options_.offload(frame);
    }
    packet.meta.in = interface;
    packet.meta.cause = frame.index;
    arrivals_.push_back(at);
    ++result_.packets_in;
    if (batch_.size() >= (options_.batch == 1 ? kPreparedTogether : options_.batch)) {
        flush();
    }
    return true;
}

// The capture has the beginning of it; see ReplayOptions::cut_packets.
void Replay::complete(Packet& packet, const Frame& frame) {
    const std::size_t length = std::min<std::size_t>(frame.original_length, kMaxPacketBytes);
    const std::size_t known = packet.size();
    if (length > known) {
        packet.resize(length);
        std::fill(packet.data() + known, packet.data() + length, std::uint8_t{0});
    }
    packet.offload.checksum = ChecksumState::Verified;
}

IfIndex Replay::interface_of(const Frame& frame) {
    for (const auto& [name, index] : last_interfaces_) {
        if (name == frame.interface) {
            return index;
        }
    }
    const IfIndex found = find_interface(frame, result_.error);
    if (last_interfaces_.size() == kInterfacesInMind) {
        last_interfaces_.erase(last_interfaces_.begin());
    }
    last_interfaces_.emplace_back(frame.interface, found);
    return found;
}

IfIndex Replay::find_interface(const Frame& frame, std::string& why) const {
    const auto renamed = options_.interface_names.find(frame.interface);
    auto found = interfaces_.find(
        renamed == options_.interface_names.end() ? frame.interface : renamed->second);
    if (found == interfaces_.end()) {
        found = interfaces_.find(options_.interface);
    }
    if (found != interfaces_.end()) {
        return found->second;
    }
    why = "packet " + std::to_string(frame.index) + ": " +
          (frame.interface.empty()
               ? "the capture does not say on which interface it arrived"
               : "the configuration has no interface \"" + std::string(frame.interface) + "\"") +
          "; --map NAME=INTERFACE and --interface take one of " + join(config_.interface_names());
    return IfIndex::None;
}

// Never before the time of what was done last.
Instant Replay::instant_of(const Frame& frame) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (!epoch_ns_) {
        const std::int64_t rest = frame.time_ns % kSecond;
        epoch_ns_ = frame.time_ns - (rest < 0 ? rest + kSecond : rest);
    }
    const Instant at{Duration(frame.time_ns - *epoch_ns_)};
    result_.packets_before_start += frame.time_ns < *epoch_ns_ ? 1 : 0;
    return std::max({at, clock_, arrivals_.empty() ? clock_ : arrivals_.back()});
}

void Replay::flush() {
    if (batch_.empty()) {
        return;
    }
    if (options_.batch == 1) {
        receive_each();
    } else {
        receive_together();
    }
    batch_.clear();
    arrivals_.clear();
}

void Replay::receive_each() {
    router_.prepare(batch_);
    for (std::size_t i = 0; i < batch_.size(); ++i) {
        output_.arrives(batch_[i].meta.cause);
        run_timers(arrivals_[i]);
        router_.receive_prepared({&batch_[i], 1}, clock_, egress_);
        write_out();
    }
}

void Replay::receive_together() {
    output_.arrives(batch_.front().meta.cause);
    run_timers(arrivals_.front());
    if (options_.one_by_one) {
        for (Packet& packet : batch_) {
            router_.receive({&packet, 1}, clock_, egress_);
        }
    } else {
        router_.receive(batch_, clock_, egress_);
    }
    write_out();
}

void Replay::run_scheduled_before(Instant limit) {
    for (; next_scheduled_ < schedule_.size() && schedule_[next_scheduled_].at < limit;
         ++next_scheduled_) {
        const Scheduled& item = schedule_[next_scheduled_];
        run_timers(std::max(item.at, clock_));
        carry_out(item);
        write_out();
    }
}

// Deadline by deadline, so that what a timer sends leaves at its own time. The core may ask for the
// same instant again when it was only looking; time still goes on.
void Replay::run_timers(Instant until) {
    while (true) {
        const std::optional<Instant> deadline = router_.next_deadline();
        if (!deadline || *deadline > until) {
            break;
        }
        Instant at = std::max(*deadline, clock_);
        if (at <= last_timer_) {
            at = last_timer_ + kJiffy;
        }
        if (at > until) {
            break;
        }
        last_timer_ = at;
        clock_ = at;
        while (!router_.expire(at, egress_)) {
        }
        write_out();
    }
    clock_ = until;
}

void Replay::carry_out(const Scheduled& item) {
    if (item.kind == Scheduled::Kind::Checkpoint) {
        output_.connections(checkpoint_text(router_, item.at));
    } else {
        changes_.carry_out(*item.event, clock_);
    }
}

void Replay::write_out() {
    const std::int64_t time_ns = epoch_ns_.value_or(0) + clock_.time_since_epoch().count();
    CauseRoom room;
    for (const Packet& packet : egress_) {
        output_.packet(time_ns, static_cast<std::uint32_t>(raw(packet.meta.out) - 1), packet,
                       text_of(packet.meta.cause, room));
        ++result_.packets_out;
    }
    egress_.clear();
}

// Which packet led to it, by its place in the capture.
std::string_view text_of(std::uint32_t cause, CauseRoom& room) {
    if (cause == kTimerCause) {
        return "timer";
    }
    char* digits = std::copy_n("in=", 3, room.data());
    return {room.data(), std::to_chars(digits, room.data() + room.size(), cause).ptr};
}

void Replay::trace(std::span<const observe::Observation> seen) {
    std::string text;
    for (const observe::Observation& each : seen) {
        append_text(text, each, {.cause = true});
    }
    text.pop_back();
    for (const std::string_view line : split(text, '\n')) {
        output_.trace(line);
    }
}

}  // namespace
}  // namespace nsr::router
