#include "router/daemon/core.hpp"

#include <sys/random.h>

#include <cerrno>
#include <utility>

#include "netlink/error.hpp"
#include "router/config/build.hpp"
#include "router/config/load.hpp"

namespace nsr::router {

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    netlink::check_call("ask the kernel for randomness",
                        static_cast<int>(::getrandom(&seed, sizeof seed, 0)));
    return seed;
}

Core make_core(const Config& config, std::uint64_t memory_limit_bytes, Instant now, LogSink& log,
               const conntrack::ShardPlace& place) {
    const auto require_none = [&config](const ConfigErrors& errors) {
        if (!errors.empty()) {
            throw SystemError("start router '" + config.name + "'", EINVAL,
                              "\n" + in_lines(errors));
        }
    };
    auto options = router_options(config, memory_limit_bytes);
    require_none(options ? ConfigErrors{} : options.error());
    options->seed = random_seed();
    options->key_seed = random_seed();
    options->log = &log;
    options->shard = place;
    auto memory = std::make_unique<HugeMemory>();
    Core core;
    core.memory = memory.get();
    options->memory = std::move(memory);
    core.router = std::make_unique<Router>(std::move(*options));
    require_none(fill_router(*core.router, config, now));
    if (!config.host_netns.empty()) {
        core.router->add_interface(host_interface());
    }
    return core;
}

}  // namespace nsr::router
