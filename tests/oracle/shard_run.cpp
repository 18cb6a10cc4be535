#include "tests/oracle/shard_run.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "core/rules/counters.hpp"
#include "router/config/build.hpp"
#include "router/replay/event_changes.hpp"
#include "router/replay/events.hpp"
#include "router/replay/schedule.hpp"
#include "router/replay/stats.hpp"
#include "router/shards/mailbox.hpp"
#include "tests/oracle/steered.hpp"

namespace oracle {
namespace {

namespace app = nsr::router;
using nsr::Duration;
using nsr::Instant;

class Shards {
  public:
    Shards(const Case& one, std::uint32_t key, Reader reader);

    RunInShards run();

  private:
    struct One final : nsr::conntrack::Neighbours {
        One(Shards& all, unsigned index) : crew(all), number(index) {}
        bool hand_over(unsigned shard, const nsr::Packet& packet) override;
        void claim(unsigned shard, const nsr::conntrack::Tuple& tuple, bool holds) override;

        Shards& crew;
        unsigned number;
        nsr::BufferPool pool;  // outlives the router
        app::Mailbox mailbox;  // of the other one
        std::unique_ptr<nsr::Router> router;
        std::optional<app::EventWriter> events;
        std::vector<std::string> complaints;
        std::optional<app::EventChanges> changes;
        Instant last_timer = Instant::min();
    };
    struct Due {
        One* shard = nullptr;
        Instant at{};
    };

    void make(One& shard, const nsr::Router::Options& options);
    void take_in(const nsr::test::KeptFrame& frame);
    void receive(unsigned at, nsr::Packet packet);
    void settle();
    void run_scheduled_before(Instant limit);
    void carry_out(const app::Scheduled& item);
    void write_checkpoint(Instant at);
    void run_timers(Instant until);
    [[nodiscard]] Due next_due();
    void write_out(nsr::EgressQueue& egress);
    void finish();
    [[nodiscard]] std::string stats();
    void complain();

    const Case& case_;
    nsr::conntrack::HomeHash hash_;
    Reader reader_;
    std::vector<std::string> interface_names_;
    std::array<std::unique_ptr<One>, kShards> shards_;
    std::deque<std::function<void()>> mail_;
    std::vector<app::Scheduled> schedule_;
    std::size_t next_scheduled_ = 0;
    std::int64_t epoch_ns_ = 0;
    Instant clock_{};
    std::uint32_t cause_ = 0;
    RunInShards result_;
};

Shards::Shards(const Case& one, std::uint32_t key, Reader reader)
    : case_(one),
      hash_{key, kShards},
      reader_(reader),
      interface_names_(one.config.interface_names()),
      schedule_(app::schedule_of(one.config.replay)) {
    const auto options = app::router_options(one.config, app::kReplayMemoryBytes);
    if (!options) {
        result_.run.error = to_string(options.error()[0]);
        return;
    }
    for (unsigned index = 0; index < kShards; ++index) {
        shards_[index] = std::make_unique<One>(*this, index);
        make(*shards_[index], *options);
    }
}

// Counters that rules begin with are the first shard's.
void Shards::make(One& shard, const nsr::Router::Options& options) {
    nsr::Router::Options own;
    own.settings = options.settings;
    own.tracking = options.tracking;
    own.records = options.records;
    own.seed = shard.number + 1;
    own.shard = {shard.number, kShards, hash_.key, &shard};
    shard.router = std::make_unique<nsr::Router>(std::move(own));
    app::Config config = case_.config;
    if (shard.number != 0) {
        config.ruleset = nsr::rules::from_zero(std::move(config.ruleset));
    }
    for (const nsr::ConfigError& error : app::fill_router(*shard.router, config, clock_)) {
        shard.complaints.push_back(to_string(error));
    }
    shard.events.emplace(*shard.router,
                         [this](std::string_view line) { (result_.run.events += line) += '\n'; });
    shard.changes.emplace(*shard.router, case_.config, app::kReplayMemoryBytes, shard.complaints);
}

RunInShards Shards::run() {
    constexpr std::int64_t kSecond = 1'000'000'000;
    if (!result_.run.error.empty()) {
        return std::move(result_);
    }
    if (!case_.frames.empty()) {
        epoch_ns_ = case_.frames[0].time_ns / kSecond * kSecond;
    }
    for (const nsr::test::KeptFrame& frame : case_.frames) {
        take_in(frame);
    }
    finish();
    return std::move(result_);
}

void Shards::take_in(const nsr::test::KeptFrame& frame) {
    const Instant at = std::max(Instant(Duration(frame.time_ns - epoch_ns_)), clock_);
    run_scheduled_before(at);
    run_timers(at);
    const unsigned steered = steered_to(hash_, frame.bytes);
    const unsigned reads = reader_ == Reader::Steered ? steered : (steered + 1) % kShards;
    const nsr::routing::InterfaceTable& interfaces = shards_[reads]->router->interfaces();
    nsr::Packet packet(shards_[reads]->pool, frame.bytes);
    packet.meta.in = interfaces.find(frame.interface)->index;
    cause_ = frame.index;
    receive(reads, std::move(packet));
    settle();
}

void Shards::receive(unsigned at, nsr::Packet packet) {
    nsr::EgressQueue egress;
    packet.meta.cause = cause_;
    shards_[at]->router->receive({&packet, 1}, clock_, egress);
    write_out(egress);
}

void Shards::settle() {
    while (!mail_.empty()) {
        const auto next = std::move(mail_.front());
        mail_.pop_front();
        next();
    }
}

bool Shards::One::hand_over(unsigned shard, const nsr::Packet& packet) {
    ++crew.result_.handed_over;
    if (!mailbox.put(packet)) {
        return false;
    }
    crew.mail_.emplace_back([this, shard] {
        nsr::Packet handed;
        mailbox.take(crew.shards_[shard]->pool, handed);
        crew.receive(shard, std::move(handed));
    });
    return true;
}

void Shards::One::claim(unsigned shard, const nsr::conntrack::Tuple& tuple, bool holds) {
    crew.result_.claims += holds ? 1 : 0;
    crew.mail_.emplace_back([this, shard, tuple, holds] {
        crew.shards_[shard]->router->shard_duties().claimed(number, tuple, holds, crew.clock_);
    });
}

// --- what is to be done at its time -------------------------------------------------------------

void Shards::run_scheduled_before(Instant limit) {
    for (; next_scheduled_ < schedule_.size() && schedule_[next_scheduled_].at < limit;
         ++next_scheduled_) {
        const app::Scheduled& item = schedule_[next_scheduled_];
        run_timers(std::max(item.at, clock_));
        carry_out(item);
        settle();
    }
}

void Shards::carry_out(const app::Scheduled& item) {
    if (item.kind == app::Scheduled::Kind::Checkpoint) {
        return write_checkpoint(item.at);
    }
    for (const auto& shard : shards_) {
        shard->changes->carry_out(*item.event, clock_);
    }
}

// With one heading for all of them.
void Shards::write_checkpoint(Instant at) {
    for (const auto& shard : shards_) {
        const std::string text = app::checkpoint_text(*shard->router, at);
        result_.run.conntrack += shard->number == 0 ? text : text.substr(text.find('\n') + 1);
    }
}

void Shards::run_timers(Instant until) {
    cause_ = nsr::kTimerCause;
    for (Due due = next_due(); due.shard != nullptr && due.at <= until; due = next_due()) {
        clock_ = due.at;
        due.shard->last_timer = due.at;
        nsr::EgressQueue egress;
        while (!due.shard->router->expire(due.at, egress)) {
        }
        write_out(egress);
        settle();
    }
    clock_ = until;
}

// The core may ask for the same instant again when it was only looking; time still goes on.
Shards::Due Shards::next_due() {
    Due due;
    for (const auto& shard : shards_) {
        if (const std::optional<Instant> deadline = shard->router->next_deadline()) {
            Instant at = std::max(*deadline, clock_);
            at = at <= shard->last_timer ? shard->last_timer + nsr::kJiffy : at;
            if (due.shard == nullptr || at < due.at) {
                due = {shard.get(), at};
            }
        }
    }
    return due;
}

void Shards::write_out(nsr::EgressQueue& egress) {
    const double time = static_cast<double>(epoch_ns_ + clock_.time_since_epoch().count()) * 1e-9;
    for (const nsr::Packet& packet : egress) {
        const std::uint32_t cause = packet.meta.cause;
        result_.run.left.push_back(
            {{time, interface_names_.at(raw(packet.meta.out) - 1),
              Bytes(packet.bytes().begin(), packet.bytes().end()),
              cause == nsr::kTimerCause ? "timer" : "in=" + std::to_string(cause)},
             packet.layout,
             packet.meta,
             packet.offload});
    }
    egress.clear();
}

// --- the end ------------------------------------------------------------------------------------

void Shards::finish() {
    run_scheduled_before(Instant::max());
    const Instant end = clock_ + case_.config.replay.settle;
    run_timers(end);
    if (case_.config.replay.checkpoints.empty()) {
        write_checkpoint(end);
    }
    result_.run.stats = stats();
    result_.run.tally = shards_[0]->router->shard_duties().take_tally();
    complain();
}

std::string Shards::stats() {
    One& first = *shards_[0];
    nsr::rules::Counted counted = first.router->counted();
    std::vector<nsr::Tally> tallies;
    for (unsigned index = 1; index < kShards; ++index) {
        nsr::rules::add_counters(counted, shards_[index]->router->counted());
        tallies.push_back(shards_[index]->router->shard_duties().take_tally());
    }
    first.router->shard_duties().add(tallies);
    return app::stats_text(*first.router, counted, first.changes->tables(nsr::Family::Ipv4),
                           first.changes->tables(nsr::Family::Ipv6));
}

// What any shard could not do.
void Shards::complain() {
    for (const auto& shard : shards_) {
        for (const std::string& complaint : shard->complaints) {
            result_.run.error += "shard " + std::to_string(shard->number) + ": " + complaint + "\n";
        }
    }
}

}  // namespace

RunInShards run_in_shards(const Case& one, std::uint32_t key, Reader reader) {
    return Shards(one, key, reader).run();
}

}  // namespace oracle
