// Reload: the configuration read again and put into force as a whole, or not at all.
//
// Theory of operation
//   Prepare, in the worker: read the file, check it, compile its rules, ask whatever can be asked
//   on values, and make the new links on the machine (link_changes.hpp); what fails there takes
//   back what was done, and nothing else has changed. Then, on the loop, between two batches of
//   packets: interfaces, routes, rules and sysctls are exchanged; nothing of that can fail, for it
//   was tried on copies first. Clean up, in the worker: links that are no longer wanted go.
//   If the router has changed meanwhile (somebody set a sysctl, a device was deleted) so that the
//   exchange would fail, the worker takes back the new links instead. Last, if that was asked for,
//   connections are judged by the new rules (existing.hpp). A dry run does nothing but prepare the
//   rules, and judge.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/pipeline/prepared_rules.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/tree.hpp"
#include "router/base/clock.hpp"
#include "router/changes/existing.hpp"
#include "router/changes/sets_reload.hpp"
#include "router/changes/tasks.hpp"
#include "router/config/config.hpp"
#include "router/control/controls.hpp"
#include "router/ports/engine.hpp"
#include "router/topology/interface_changes.hpp"
#include "router/topology/topology.hpp"

namespace nsr::router {

class Reload : public Task {
  public:
    struct Parts {
        Config& config;
        Router& router;
        procfs::Tree& tree;
        Engine& engine;
        Topology& topology;
        const SystemClock& clock;
        LogSink& log;
        Worker& worker;
        std::uint64_t memory_limit_bytes = 0;
        std::function<void()> follow_host;  // throws SystemError
    };
    Reload(Parts parts, ReloadRequest request, Reloaded done)
        : parts_(std::move(parts)),
          request_(request),
          done_(std::move(done)),
          existing_(std::make_unique<ExistingConnections>(request)) {}

    bool begin() override;
    void work() override;
    Next finish(const std::string& failure) override;

  private:
    enum class Phase : std::uint8_t { Prepare, CleanUp, TakeBack, Judge };

    // in the worker
    void prepare();
    void prepare_rules(Config& next, const routing::InterfaceTable& table,
                       const pipeline::Settings& settings);
    void change_links(const Config& next);
    void refuse(std::string why);
    // on the loop
    [[nodiscard]] bool judges() const;
    Next exchange_or_take_back();
    Next go_on();
    Next judge_next();
    [[nodiscard]] ConfigErrors ask_again() const;
    void exchange();
    void exchange_links();
    void set_states();
    void set_tracking();
    void configure();
    void follow_host();
    void end();

    Parts parts_;
    ReloadRequest request_;
    Reloaded done_;
    Phase phase_ = Phase::Prepare;
    ReloadAnswer answer_;

    // as they were at the beginning
    rules::CountersReading reading_;
    std::optional<RulesBasis> basis_;
    routing::InterfaceTable interfaces_;
    std::vector<LostLink> lost_;
    pipeline::Settings settings_;

    std::optional<Result<Config, ConfigErrors>> loaded_;
    std::optional<PreparedRules> prepared_;
    InterfaceChanges interface_changes_;
    std::vector<LinkChange> link_changes_;
    std::vector<std::unique_ptr<Port>> unused_;
    std::unique_ptr<ExistingConnections> existing_;
    std::unique_ptr<SetsReload> sets_;
};

}  // namespace nsr::router
