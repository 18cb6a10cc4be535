// Reload: the configuration read again and put into force as a whole, or not at all.
//
// Theory of operation
//   The worker reads the file, checks it and compiles its rules. On the loop everything that can be
//   refused is asked first; then rules, routes and sysctls are swapped in between two batches.
//   Whatever is wrong with the new configuration, or impossible by now, the old state stays whole.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/pipeline/prepared_rules.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/tree.hpp"
#include "router/base/clock.hpp"
#include "router/config/config.hpp"
#include "router/control/controls.hpp"
#include "router/daemon/tasks.hpp"
#include "router/daemon/topology.hpp"
#include "router/ports/engine.hpp"

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
    Reload(Parts parts, Reloaded done) : parts_(std::move(parts)), done_(std::move(done)) {}

    void begin() override;
    void work() override;
    Next finish(const std::string& failure) override;

  private:
    [[nodiscard]] ReloadAnswer apply();
    [[nodiscard]] ConfigErrors apply_config();
    [[nodiscard]] std::string refuse(const Config& next) const;
    [[nodiscard]] ConfigErrors configure();

    Parts parts_;
    Reloaded done_;
    std::string path_;
    std::optional<RulesBasis> basis_;
    std::optional<Result<Config, ConfigErrors>> loaded_;
    std::optional<PreparedRules> prepared_;
};

}  // namespace nsr::router
