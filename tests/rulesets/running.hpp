// The routers of this folder, each with the whole rule files of some software, as a World.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "router/config/config.hpp"
#include "tests/support/world.hpp"

namespace nsr::test {

// The folders that have a ruleset, in order of their names.
std::vector<std::filesystem::path> ruleset_folders();

// tests/rulesets/NAME/router.toml; the test fails where it has errors.
router::Config configured(std::string_view name);

// A router that runs it. Rates of ICMP errors are not limited.
World running(std::string_view name, Here here = {});

// The packet, one router further.
PacketBuilder onward(PacketBuilder packet);

// TCP's option. A SYN without it gets one from TCPMSS, so that what is clamped had better have it.
std::vector<std::uint8_t> mss(std::uint16_t value);

// The rules let the packet through to the router itself, where nothing listens.
void reaches_router(World& world, std::string_view interface, const PacketBuilder& packet,
                    Here here = {});

// The number behind the last `key` in a line of the table, such as the port "dport=" that replies
// go to.
int last_number(std::string_view line, std::string_view key);

}  // namespace nsr::test
