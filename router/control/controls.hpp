// What the control port has of a running instance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/tree.hpp"
#include "router/base/clock.hpp"
#include "router/config/config.hpp"
#include "router/control/other_shards.hpp"
#include "router/control/pressure.hpp"
#include "router/log/log.hpp"
#include "router/observe/hub.hpp"
#include "router/ports/engine.hpp"
#include "router/tools/ip/command.hpp"

namespace nsr::router {

// What is asked of a reload.
struct ReloadRequest {
    // With connections that the new rules would treat differently. Recheck: they have to be
    // accepted again, see Router::recheck_connection().
    enum class Existing : std::uint8_t { Keep, Recheck, Kill };
    Existing existing = Existing::Keep;
    bool dry_run = false;  // says which they are, and changes nothing
};

// What came of reading the configuration again, in lines.
struct ReloadAnswer {
    bool refused = false;
    std::string text;
};

// What a change of rules makes of those that there are, or why it does not (empty: it was not meant
// to change any). It runs beside the loop, on values: it may refer to nothing that anybody else
// changes.
using MakeRules = std::function<Result<rules::Ruleset, std::string>(const rules::Counted&)>;
inline Result<rules::Ruleset, std::string> rules_unchanged() {
    return std::string();
}
// On the loop, once the rules are at work or were refused.
using RulesChanged = std::function<void(const Result<Done, std::string>&)>;
using Reloaded = std::function<void(const ReloadAnswer&)>;

// The parts of a running instance that a request may look at or change.
struct Controls {
    Router& router;
    procfs::Tree& tree;
    KernelLog& log;
    const SystemClock& clock;
    Engine& engine;
    Hub& hub;
    const Config& config;
    Instant started;
    std::uint64_t memory_limit_bytes = 0;
    // Both answer later, on the loop; changes happen one after the other, in the order of the
    // calls.
    std::function<void(ReloadRequest, Reloaded)> reload;
    std::function<void(MakeRules, RulesChanged)> change_rules;
    // Has `work` done beside the packets, on values, and then calls `done` on the loop, with what
    // was thrown, if anything.
    std::function<void(std::function<void()> work,
                       std::function<void(const std::string& failure)> done)>
        beside;
    // Has `work` done in a copy of all that the router has, which then is gone, and calls `done` on
    // the loop with the text that it returned, or with why there is none.
    std::function<void(std::function<std::string()> work,
                       std::function<void(const std::string& failure, std::string text)> done)>
        in_copy;
    std::function<void()> stop;
    // What stays behind of a stopped instance, in lines; nothing: it has not ended yet.
    std::function<std::optional<std::string>()> farewell;
    // Gives the device of an interface the MTU and the carrier asked for. Throws SystemError.
    ChangeLink change_link;
    // After addresses, routes or links have changed. Throws SystemError.
    std::function<void()> links_changed;
    // Streams that had nothing to say may have something now.
    std::function<void()> wake;
    // Open connections of the control port; may be empty.
    std::function<std::size_t()> clients = {};
    Pressure pressure = {};
    OtherShards* others = nullptr;  // null: there is one shard
};

}  // namespace nsr::router
