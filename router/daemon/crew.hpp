// Crew: the shards beside the first one, all of them, as the first one deals with them.
//
// Theory of operation
//   `[router] shards = N`: the Service is the first shard as it is the only one otherwise; a Crew
//   is the N - 1 others, each a SideShard. All cores are made of the same configuration and
//   afterwards follow the first one: what has changed there is taken over as a value. A change of
//   rules begins when the one before it has reached all, and settings follow behind rules.
//   Whoever waits for what they do (`done`) is the first shard's and stays there, under a number:
//   not even his end may come in another thread.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "router/base/worker.hpp"
#include "router/control/controls.hpp"
#include "router/control/other_shards.hpp"
#include "router/daemon/side_shard.hpp"
#include "router/topology/other_queues.hpp"

namespace nsr::router {

class Crew final : public OtherShards, public OtherQueues {
  public:
    struct Parts {
        const Config& config;
        ShardLinks& links;
        Router& router;  // of the first shard, as are the next two
        Engine& engine;
        LogSink& log;
        const SystemClock& clock;
        std::uint64_t memory_limit_bytes;
    };
    explicit Crew(const Parts& parts);  // throws SystemError
    ~Crew() override;

    void start(Worker& worker);
    void stop();

    // As Controls::change_rules; `first` does so in the first shard.
    using ChangeRules = std::function<void(MakeRules, RulesChanged)>;
    void change_rules(const ChangeRules& first, MakeRules make, RulesChanged done);

    // The rules of the first one, and then calls `done`.
    void follow_rules(std::function<void()> done);
    // What the configuration says beside rules and sysctls.
    void follow_config(const Config& config);
    // In between the others get no new queue: packets may not come before the rules about them.
    void hold_ports();
    void release_ports();

    [[nodiscard]] std::size_t size() const override { return shards_.size(); }
    void ask(std::size_t index, std::function<void(const Asked&)> work,
             std::function<void()> done) override;
    void gather(std::function<void()> done) override;
    void follow_settings(std::function<void()> done) override;
    void follow_network() override;
    [[nodiscard]] Port::Counters port_counters(IfIndex interface) const override;
    [[nodiscard]] std::vector<Report> reports() const override { return reports_; }

    void steer(const netlink::Tun& device) override;
    void attach(std::vector<std::unique_ptr<Port>> ports) override;
    void detach(IfIndex interface) override;

  private:
    // What one of them says of itself.
    struct Said {
        Tally tally;
        std::vector<std::pair<IfIndex, Port::Counters>> ports;
        ShardLink::Counters link;
    };

    // What is to be done when so many answers have come.
    struct Awaited {
        std::size_t answers = 0;
        std::function<void()> done;
    };
    using AwaitedId = std::uint64_t;

    class Answer;
    // What their rules have counted, one each, as of the rules at work in them.
    using RuleCounts = std::vector<std::shared_ptr<const rules::Counted>>;
    void gather_rules(std::function<void(RuleCounts)> done);
    AwaitedId await(std::size_t answers, std::function<void()> done);
    void answer(AwaitedId id);  // in any thread
    void take_answer(AwaitedId id);
    void ask_all(const std::function<void(SideShard&, std::size_t index)>& work,
                 std::function<void()> done);
    static Said said_by(SideShard& shard, const ShardLink& link);
    void take_in(const std::vector<Said>& said);
    // Each makes its own change of rules, or only looks at them.
    void change_all(const std::function<MakeRules(std::size_t index)>& make,
                    std::function<void()> done);
    void tell_apart(const std::string& refusal);  // in any thread
    void begin_next_change();

    Parts parts_;
    netlink::Descriptor steering_;
    std::vector<std::unique_ptr<SideShard>> shards_;
    bool holds_ports_ = false;
    std::vector<std::vector<std::unique_ptr<Port>>> held_ports_;
    std::map<AwaitedId, Awaited> awaited_;
    AwaitedId next_awaited_ = 0;
    std::deque<std::function<void()>> changes_;  // of rules; the first one is at work
    std::vector<std::vector<std::pair<IfIndex, Port::Counters>>> ports_;
    std::vector<Report> reports_;
    pipeline::Settings followed_;
    TrackingMode mode_;
};

}  // namespace nsr::router
