#include "tests/rulesets/running.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "router/config/build.hpp"
#include "router/config/load.hpp"

namespace nsr::test {

namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(NSR_SOURCE_DIR) / "tests/rulesets";
constexpr std::uint64_t kMemory = std::uint64_t{2} << 30;

ConfigErrors fill(const router::Config& config, Router& router, Instant now) {
    const auto settings = router::with_sysctls(router.settings(), config, kMemory);
    if (!settings) {
        return settings.error();
    }
    router.configure(*settings);
    ConfigErrors errors = router::fill_router(router, config, now);
    if (!config.host_netns.empty()) {
        routing::Interface host;
        host.name = router::kHostInterface;
        host.host = true;
        router.add_interface(std::move(host));
    }
    return errors;
}

}  // namespace

std::vector<fs::path> ruleset_folders() {
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(kFolder)) {
        if (entry.is_directory() && entry.path().filename() != "__pycache__") {
            folders.push_back(entry.path());
        }
    }
    std::sort(folders.begin(), folders.end());
    return folders;
}

router::Config configured(std::string_view name) {
    auto config = router::load_config((kFolder / name / "router.toml").string(), kMemory);
    if (!config) {
        FAIL(router::in_lines(config.error()));
    }
    return std::move(*config);
}

World running(std::string_view name, Here here) {
    World::Setup setup;
    setup.title = "tests/rulesets/" + std::string(name);
    setup.fill = [config = configured(name)](Router& router, Instant now) {
        return fill(config, router, now);
    };
    setup.tracking = TrackingMode::Auto;
    return World(std::move(setup), here);
}

PacketBuilder onward(PacketBuilder packet) {
    return packet.ttl(63);
}

std::vector<std::uint8_t> mss(std::uint16_t value) {
    return {2, 4, static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value & 0xff)};
}

void reaches_router(World& world, std::string_view interface, const PacketBuilder& packet,
                    Here here) {
    world.when(interface, packet, here).expect_drop(DropReason::LocalNoListener, here).forget();
}

int last_number(std::string_view line, std::string_view key) {
    const std::size_t at = line.rfind(key);
    int number = -1;
    if (at != std::string_view::npos) {
        std::from_chars(line.data() + at + key.size(), line.data() + line.size(), number);
    }
    return number;
}

}  // namespace nsr::test
