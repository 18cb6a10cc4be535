// What a router in several shards cannot do: whatever is one for all flows, and hangs on packets.
#include "core/rules/needs.hpp"
#include "router/config/sections.hpp"

namespace nsr::router {

void check_shards(const Config& config, ConfigErrors& errors) {
    if (config.shards == 1) {
        return;
    }
    const auto refuse = [&](const std::string& what) {
        errors.push_back({config.shards_where, "shards = " + std::to_string(config.shards) + ": " +
                                                   what + " needs shards = 1"});
    };
    if (auto rule = rules::needs_one_shard(config.ruleset)) {
        errors.push_back(std::move(*rule));
    }
    if (config.conntrack.helpers != 0) {
        refuse("following connections with helpers");
    }
    if (config.sets.file || !config.sets.commands.empty()) {
        refuse("an address set");
    }
    if (!config.timeouts.empty()) {
        refuse("a timeout policy");
    }
    if (!config.host_netns.empty()) {
        refuse("[host]");
    }
    if (config.capture_ring_bytes != 0) {
        refuse("capture_ring");
    }
}

}  // namespace nsr::router
