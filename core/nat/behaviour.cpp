#include "core/nat/behaviour.hpp"

#include <array>

namespace nsr::nat {

namespace {

using enum Dependence;

constexpr std::array<std::string_view, 3> kDependences = {
    "endpoint-independent", "address-dependent", "address-and-port-dependent"};
constexpr std::array<std::string_view, 7> kPortChoices = {
    "preserve", "preserve-or-parity", "contiguous", "sequential", "random",
    "blocks",   "deterministic"};
constexpr std::array<std::string_view, 3> kHairpins = {"no", "external", "internal"};
constexpr std::array<std::string_view, 3> kRefreshes = {"outbound", "inbound", "both"};
constexpr std::array<std::string_view, 2> kIcmpErrors = {"translate", "drop"};
constexpr std::array<std::string_view, 2> kPoolings = {"paired", "arbitrary"};

constexpr std::array kProfiles = std::to_array<Profile>({
    {"full-cone", {Endpoint, Endpoint, PortChoice::Preserve, Hairpin::External}},
    {"restricted-cone", {Endpoint, Address, PortChoice::Preserve, Hairpin::External}},
    {"port-restricted-cone", {Endpoint, AddressAndPort, PortChoice::Preserve, Hairpin::External}},
    {"symmetric", {AddressAndPort, AddressAndPort, PortChoice::Random, Hairpin::No}},
    {"symmetric-sequential", {AddressAndPort, AddressAndPort, PortChoice::Sequential, Hairpin::No}},
    {"cgnat", {Endpoint, Endpoint, PortChoice::Blocks, Hairpin::External, false, 1024, 1024}},
    {"udp-blocked", {AddressAndPort, AddressAndPort, PortChoice::Preserve, Hairpin::No, true}},
    {"home-router", {Endpoint, AddressAndPort, PortChoice::Parity, Hairpin::External}},
    {"phone-network",
     {AddressAndPort, AddressAndPort, PortChoice::Blocks, Hairpin::No, false, 256, 512}},
    {"hotel", {Address, AddressAndPort, PortChoice::Random, Hairpin::No, false, 512, 128}},
});

}  // namespace

std::span<const Profile> profiles() {
    return kProfiles;
}

std::string_view name_of(Dependence dependence) {
    return kDependences[static_cast<std::size_t>(dependence)];
}

std::string_view name_of(PortChoice choice) {
    return kPortChoices[static_cast<std::size_t>(choice)];
}

std::string_view name_of(Hairpin hairpin) {
    return kHairpins[static_cast<std::size_t>(hairpin)];
}

std::span<const std::string_view> dependence_names() {
    return kDependences;
}

std::span<const std::string_view> port_choice_names() {
    return kPortChoices;
}

std::span<const std::string_view> hairpin_names() {
    return kHairpins;
}

std::span<const std::string_view> refresh_names() {
    return kRefreshes;
}

std::span<const std::string_view> icmp_error_names() {
    return kIcmpErrors;
}

std::span<const std::string_view> pooling_names() {
    return kPoolings;
}

}  // namespace nsr::nat
