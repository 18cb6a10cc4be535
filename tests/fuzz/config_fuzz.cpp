// Any text as a configuration: refused with errors that have a text, or accepted, and then a router
// can be made of it.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.hpp"
#include "router/config/build.hpp"
#include "router/config/load.hpp"

namespace {

void check_errors(const nsr::ConfigErrors& errors) {
    NSR_CHECK(!errors.empty());
    for (const nsr::ConfigError& error : errors) {
        NSR_CHECK(!error.message.empty());
    }
}

void build(const nsr::router::Config& config) {
    constexpr std::uint64_t kMemory = std::uint64_t{64} << 20;
    auto options = nsr::router::router_options(config, kMemory);
    if (!options.ok()) {
        check_errors(options.error());
        return;
    }
    nsr::Router router(std::move(*options));
    static_cast<void>(nsr::router::fill_router(router, config, nsr::Instant{}));
    NSR_CHECK(router.interfaces().all().size() >= config.interfaces.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    const auto config = nsr::router::parse_config(text, "/nonexistent/fuzz.toml");
    if (!config) {
        check_errors(config.error());
        return 0;
    }
    NSR_CHECK(!config->interfaces.empty());
    build(*config);
    return 0;
}
