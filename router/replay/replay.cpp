#include "router/replay/replay.hpp"

#include <algorithm>
#include <map>
#include <span>

#include "core/base/printable.hpp"
#include "core/base/words.hpp"
#include "core/observe/watcher.hpp"
#include "core/procfs/sysctl.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/set_use.hpp"
#include "core/rules/timeout_use.hpp"
#include "router/config/build.hpp"
#include "router/config/load.hpp"
#include "router/config/section.hpp"
#include "router/config/sections.hpp"
#include "router/observe/render.hpp"
#include "router/replay/events.hpp"
#include "router/replay/schedule.hpp"
#include "router/replay/stats.hpp"
#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "router/tools/ip/command.hpp"
#include "router/tools/ipset/command.hpp"
#include "router/tools/nfct/command.hpp"

namespace nsr::router {
namespace {

class Replay {
  public:
    Replay(const Config& config, Router::Options router_options, const ReplayOptions& options,
           ReplayOutput& output);

    ReplayResult run(Capture& capture);

  private:
    bool admit(const Frame& frame);
    Packet packet_of(const Frame& frame);
    [[nodiscard]] IfIndex interface_of(const Frame& frame, std::string& why) const;
    Instant instant_of(const Frame& frame);
    void flush();
    void run_scheduled_before(Instant limit);
    void run_timers(Instant until);
    void carry_out(const Scheduled& item);
    void load_rules(const RuleFile& file);
    void change_sets(const ReplayEvent& event);
    void change_timeouts(const ReplayEvent& event);
    void write_sysctls(const ReplayEvent& event);
    void write_out();
    void trace(std::span<const observe::Observation> seen);
    void set_clock(Instant now);
    void complain(const SourceLocation& where, const std::string& what);

    const Config& config_;
    const ReplayOptions& options_;
    ReplayOutput& output_;
    BufferPool pool_;  // outlives the router: fragments wait there
    Router router_;
    observe::Watcher watcher_;
    std::optional<EventWriter> events_;
    std::map<std::string, IfIndex, std::less<>> interfaces_;
    std::vector<Scheduled> schedule_;
    std::size_t next_scheduled_ = 0;
    std::vector<std::string> tables4_;
    std::vector<std::string> tables6_;
    std::optional<std::int64_t> epoch_ns_;  // the capture's time at Instant 0
    Instant clock_{};
    Instant last_timer_ = Instant::min();
    std::vector<Packet> batch_;
    Instant batch_time_{};
    EgressQueue egress_;
    ReplayResult result_;
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
      tables4_(config.rule_tables4),
      tables6_(config.rule_tables6),
      epoch_ns_(options.start_ns) {
    for (const ConfigError& error : fill_router(router_, config, clock_)) {
        complain(error.where, error.message);
    }
    Begun begun = options.begin ? options.begin(router_, clock_) : Begun{};
    result_.refused = std::move(begun.refused);
    for (const ConfigError& error : begun.told) {
        complain(error.where, error.message);
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
    result_.stats = stats_text(router_, tables4_, tables6_);
    if (result_.error.empty()) {
        result_.error = capture.error();
    }
    result_.error = printable_message(result_.error);  // it may quote the capture
    result_.skipped = capture.skipped();
    return std::move(result_);
}

// False: the frame cannot be placed, and the replay ends here.
bool Replay::admit(const Frame& frame) {
    const IfIndex interface = interface_of(frame, result_.error);
    if (interface == IfIndex::None) {
        return false;
    }
    const Instant at = instant_of(frame);
    if (next_scheduled_ < schedule_.size() && schedule_[next_scheduled_].at < at) {
        flush();
        run_scheduled_before(at);
    }
    if (batch_.empty()) {
        batch_time_ = at;
    }
    Packet& packet = batch_.emplace_back(packet_of(frame));
    packet.meta.in = interface;
    packet.meta.cause = frame.index;
    ++result_.packets_in;
    if (batch_.size() >= options_.batch) {
        flush();
    }
    return true;
}

Packet Replay::packet_of(const Frame& frame) {
    Packet packet(pool_, frame.bytes);
    const std::size_t length = std::min<std::size_t>(frame.original_length, kMaxPacketBytes);
    if (options_.cut_packets && length > packet.size()) {
        const std::size_t known = packet.size();
        packet.resize(length);
        std::fill(packet.data() + known, packet.data() + length, std::uint8_t{0});
    }
    if (options_.cut_packets) {
        packet.offload.checksum = ChecksumState::Verified;
    }
    if (options_.offload) {
        packet.offload = options_.offload(frame);
    }
    return packet;
}

IfIndex Replay::interface_of(const Frame& frame, std::string& why) const {
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
               : "the configuration has no interface \"" + frame.interface + "\"") +
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
    return std::max({at, clock_, batch_.empty() ? clock_ : batch_time_});
}

void Replay::flush() {
    if (batch_.empty()) {
        return;
    }
    run_timers(batch_time_);
    if (options_.one_by_one) {
        for (Packet& packet : batch_) {
            router_.receive({&packet, 1}, clock_, egress_);
        }
    } else {
        router_.receive(batch_, clock_, egress_);
    }
    batch_.clear();
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
        set_clock(at);
        while (!router_.expire(at, egress_)) {
        }
        write_out();
    }
    set_clock(until);
}

void Replay::carry_out(const Scheduled& item) {
    if (item.kind == Scheduled::Kind::Checkpoint) {
        output_.connections(checkpoint_text(router_, item.at));
        return;
    }
    const ReplayEvent& event = *item.event;
    change_sets(event);
    change_timeouts(event);
    for (const RuleFile& file : event.rules) {
        load_rules(file);
    }
    write_sysctls(event);
    for (const Located<std::string>& line : event.conntrack) {
        const auto args = parse_conntrack_args(line.value);
        if (const auto answer = run_conntrack(*args, router_, clock_); !answer.error.empty()) {
            complain(line.where, "conntrack " + line.value + ": " + answer.error);
        }
    }
    for (const Located<std::string>& line : event.ip) {
        const IpAnswer answer = run_ip(*parse_ip_args(line.value), router_, clock_, {});
        if (!answer.error.empty()) {
            complain(line.where, "ip " + line.value + ": " + answer.error);
        }
    }
}

void Replay::change_sets(const ReplayEvent& event) {
    const IpsetContext context{router_.sets(), [this] { return router_.set_references(); }, clock_};
    for (const Located<std::string>& line : event.ipset) {
        const auto args = parse_ipset_line(line.value);
        if (const IpsetAnswer answer = run_ipset(**args, context); answer.exit_code != 0) {
            complain(line.where, "ipset " + line.value + ": " + answer.errors);
        }
    }
}

void Replay::change_timeouts(const ReplayEvent& event) {
    for (const Located<NfctArgs>& args : event.nfct) {
        if (const NfctAnswer answer = run_nfct(args.value, router_); !answer.errors.empty()) {
            complain(args.where, answer.errors.substr(0, answer.errors.find('\n')));
        }
    }
}

// As iptables-restore: all of the file or nothing.
void Replay::load_rules(const RuleFile& file) {
    rules::Ruleset ruleset = router_.ruleset();
    ConfigErrors errors =
        rules::parse_save(file.text, file.path, file.family, ruleset, config_.host_names);
    if (errors.empty()) {
        errors = rules::check_sets(ruleset, router_.sets().catalogue());
        const ConfigErrors misfits =
            rules::check_timeouts(ruleset, router_.timeout_policies().catalogue());
        errors.insert(errors.end(), misfits.begin(), misfits.end());
    }
    for (const ConfigError& error : errors) {
        complain(error.where, error.message);
    }
    if (!errors.empty()) {
        return;
    }
    router_.apply(std::move(ruleset), clock_);
    (file.family == Family::Ipv4 ? tables4_ : tables6_) = tables_in(file.text);
}

void Replay::write_sysctls(const ReplayEvent& event) {
    procfs::Context context{router_, config_.line_format, {}, kReplayMemoryBytes};
    for (const SysctlConfig& setting : event.sysctls) {
        if (const auto done = procfs::write_sysctl(context, setting.name, setting.value); !done) {
            complain(setting.where, setting.name + ": " +
                                        std::string(procfs::text_of(done.error().code)) + " " +
                                        done.error().detail);
        }
    }
}

void Replay::write_out() {
    const std::int64_t time_ns = epoch_ns_.value_or(0) + clock_.time_since_epoch().count();
    for (const Packet& packet : egress_) {
        const std::uint32_t cause = packet.meta.cause;
        output_.packet(time_ns, static_cast<std::uint32_t>(raw(packet.meta.out) - 1), packet,
                       cause == kTimerCause ? "timer" : "in=" + std::to_string(cause));
        ++result_.packets_out;
    }
    egress_.clear();
}

void Replay::set_clock(Instant now) {
    clock_ = now;
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

void Replay::complain(const SourceLocation& where, const std::string& what) {
    result_.complaints.push_back(to_string(ConfigError{where, what}));
}

}  // namespace
}  // namespace nsr::router
