// Addresses in each other's way, against the definition; and how the work grows with the file.
#include <doctest/doctest.h>

#include <algorithm>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "router/config/load.hpp"
#include "router/config/sections.hpp"

namespace nsr::router {
namespace {

struct Given {
    Prefix prefix;
    std::size_t interface = 0;
    std::uint32_t line = 0;
};

// The definition: each with all before it, until one is in conflict.
std::vector<std::uint32_t> lines_in_conflict(const std::vector<Given>& all) {
    std::vector<std::uint32_t> lines;
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const Given& a = all[j];
            const Given& b = all[i];
            const bool elsewhere = a.interface != b.interface;
            const bool apart =
                a.prefix.address.is_link_local() && b.prefix.address.is_link_local() && elsewhere;
            if (!apart && (a.prefix.address == b.prefix.address ||
                           (elsewhere && a.prefix.overlaps(b.prefix)))) {
                lines.push_back(b.line * 1000 + a.line);
                break;
            }
        }
    }
    return lines;
}

std::vector<std::uint32_t> lines_reported(const Config& config) {
    ConfigErrors errors;
    check_addresses(config, errors);
    std::vector<std::uint32_t> lines;
    for (const ConfigError& error : errors) {
        const std::size_t at = error.message.rfind("line ");
        const auto first = static_cast<std::uint32_t>(std::stoul(error.message.substr(at + 5)));
        lines.push_back(error.where.line * 1000 + first);
    }
    return lines;
}

// Few enough addresses to be in conflict often, of both families and some of them link-local.
Prefix any_prefix(std::mt19937& random) {
    const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
    switch (below(4)) {
        case 0:
            return {IpAddress::v6(0xfe800000, 0, 0, below(8)),
                    static_cast<std::uint8_t>(60 + below(69))};
        case 1:
            return {IpAddress::v6(0xfc000000 | below(3), 0, 0, below(8)),
                    static_cast<std::uint8_t>(4 + below(125))};
        default:
            return {IpAddress::v4(0x0a000000 | below(4) << 16 | below(4) << 8 | below(6)),
                    static_cast<std::uint8_t>(8 + below(25))};
    }
}

std::string many_interfaces(unsigned count) {
    std::string text;
    for (unsigned i = 0; i < count; ++i) {
        text += "[[interface]]\nname=\"" + std::to_string(i) + "\"\n";
    }
    return text;
}

double cpu_seconds_for(unsigned interfaces) {
    const std::string text = many_interfaces(interfaces);
    const std::clock_t begin = std::clock();
    CHECK(parse_config(text, "many.toml").ok());
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("addresses: what is in conflict is what the definition says") {
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        Config config;
        config.interfaces.resize(4);
        std::vector<Given> all;
        std::uint32_t line = 0;
        for (std::size_t i = 0; i < config.interfaces.size(); ++i) {
            for (std::uint32_t left = random() % 4; left > 0; --left) {
                const Prefix prefix = any_prefix(random);
                all.push_back({prefix, i, ++line});
                config.interfaces[i].addresses.push_back({prefix, {"f", line, 1}});
            }
        }
        CAPTURE(round);
        CHECK(lines_reported(config) == lines_in_conflict(all));
    }
}

TEST_CASE("of very many mistakes the first are shown, and how many there are besides") {
    std::string text;
    for (int i = 0; i < 34000; ++i) {
        text += "[[interface]]\nname=\"x\"\n";
    }
    const auto config = parse_config(text, "many.toml");
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().size() == 33999);
    const std::string lines = in_lines(config.error());
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 101);
    CHECK(lines.starts_with("many.toml:4:6: interface name \"x\" is used twice"));
    CHECK(lines.ends_with("... and 33899 more\n"));
    CHECK(in_lines({{{"f", 1, 2}, "wrong"}}) == "f:1:2: wrong\n");
}

TEST_CASE("a configuration of eight times as many interfaces takes about eight times as long") {
    const double few = cpu_seconds_for(3000);
    const double many = cpu_seconds_for(24000);
    CHECK(many < 24 * few + 0.1);  // with the square it would be 64
}

}  // namespace nsr::router
