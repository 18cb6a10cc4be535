// Any text as a configuration: refused with errors that have a text, or accepted; never a crash.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.hpp"
#include "router/config/load.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    const auto config = nsr::router::parse_config(text, "/nonexistent/fuzz.toml");
    if (config) {
        NSR_CHECK(!config->interfaces.empty());
        return 0;
    }
    NSR_CHECK(!config.error().empty());
    for (const nsr::ConfigError& error : config.error()) {
        NSR_CHECK(!error.message.empty());
    }
    return 0;
}
