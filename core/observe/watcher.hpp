// Watcher: makes an Observation of every packet that somebody wants to know about.
//
// Theory of operation
//   Router::observe() it. When a packet comes, wanted() says who wants it; nobody: nothing is kept
//   of it. What a packet causes is wanted by whoever wants the packet. When a packet that nothing
//   caused is done, done() gets its observation and those of all that it caused, in the order in
//   which they began; they are gone when it returns. The number of steps is bounded.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/observe/observation.hpp"
#include "core/pipeline/router.hpp"

namespace nsr::observe {

class Watcher : public Observer {
  public:
    static constexpr std::size_t kMostSteps = 1000;  // of one packet
    static constexpr std::size_t kMostCaused = 100;  // with the packet that caused them

    // What is observed.
    struct Depth {
        bool every_rule = false;  // else those that match
        bool bytes = false;       // of packets that come and leave
    };
    explicit Watcher(const Router& router) : router_(router) {}

    // A bit for each who wants the packet. Unset: one does.
    std::function<std::uint64_t(const Packet&)> wanted;
    std::function<void(std::span<const Observation>)> done;
    Depth depth;

    void time_is(Instant now) override { now_ = now; }
    [[nodiscard]] Instant time() const { return now_; }
    void packet_received(const Packet& packet) override;
    void packet_done() override;
    void stage_begins(Hook hook, pipeline::StageId stage, const Packet& packet) override;
    void stage_done(Hook hook, pipeline::StageId stage, const Packet& packet,
                    Verdict verdict) override;
    void routed(const Packet& packet, const routing::Decision& decision) override;
    void dropped(const Packet& packet, DropReason reason) override;
    void delivered(const Packet& packet) override;
    void left(const Packet& packet) override;
    void rule_tried(const rules::RuleTried& tried) override;
    void policy_applied(rules::TableId table, std::string_view chain,
                        rules::Policy policy) override;
    [[nodiscard]] bool wants_every_rule() const override { return depth.every_rule; }

  private:
    struct Ends {
        IpAddress source;
        IpAddress destination;
        std::uint16_t source_port = 0;
        std::uint16_t destination_port = 0;
    };
    // A packet that is not done.
    struct Open {
        std::size_t index = 0;  // in observations_; kNone: nobody wants it
        Place place;            // of the stage at work
        bool refused = false;   // by that stage
        bool confirmed = false;
        std::uint32_t length = 0;  // as rules count it
        Ends ends;
        std::optional<ConnectionState> before;
    };
    static constexpr std::size_t kNone = ~std::size_t{0};

    [[nodiscard]] Observation* current();
    void add(Step step);
    [[nodiscard]] std::string interface_name(IfIndex index) const;
    [[nodiscard]] static Ends ends_of(const Packet& packet);
    [[nodiscard]] ConnectionState snapshot(ConnId id) const;
    [[nodiscard]] std::optional<ConnectionState> find_connection(const Packet& packet) const;
    void tracked(const Packet& packet);
    void translated(const Packet& packet);
    [[nodiscard]] std::string hint(const Packet& packet, DropReason reason) const;

    const Router& router_;
    Instant now_{};
    std::uint64_t made_ = 0;
    std::vector<Open> open_;
    std::vector<Observation> observations_;
};

}  // namespace nsr::observe
