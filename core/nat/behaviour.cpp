#include "core/nat/behaviour.hpp"

#include <array>

namespace nsr::nat {

namespace {

constexpr std::array<std::string_view, 3> kDependences = {
    "endpoint-independent", "address-dependent", "address-and-port-dependent"};
constexpr std::array<std::string_view, 7> kPortChoices = {
    "preserve", "preserve-or-parity", "contiguous", "sequential", "random",
    "blocks",   "deterministic"};
constexpr std::array<std::string_view, 3> kHairpins = {"no", "external", "internal"};
constexpr std::array<std::string_view, 3> kRefreshes = {"outbound", "inbound", "both"};
constexpr std::array<std::string_view, 2> kIcmpErrors = {"translate", "drop"};
constexpr std::array<std::string_view, 2> kPoolings = {"paired", "arbitrary"};

template <class Enum, std::size_t N>
constexpr bool names_all_to(Enum last, const std::array<std::string_view, N>&) {
    return static_cast<std::size_t>(last) + 1 == N;
}
static_assert(names_all_to(Dependence::AddressAndPort, kDependences));
static_assert(names_all_to(PortChoice::Deterministic, kPortChoices));
static_assert(names_all_to(Hairpin::Internal, kHairpins));
static_assert(names_all_to(Refresh::Both, kRefreshes));
static_assert(names_all_to(IcmpErrors::Drop, kIcmpErrors));
static_assert(names_all_to(Pooling::Arbitrary, kPoolings));

using enum Dependence;
using enum PortChoice;

constexpr std::array kProfiles = std::to_array<Profile>({
    {"full-cone", {.mapping = Endpoint, .filtering = Endpoint, .hairpin = Hairpin::External}},
    {"restricted-cone", {.mapping = Endpoint, .filtering = Address, .hairpin = Hairpin::External}},
    {"port-restricted-cone",
     {.mapping = Endpoint, .filtering = AddressAndPort, .hairpin = Hairpin::External}},
    {"symmetric", {.mapping = AddressAndPort, .filtering = AddressAndPort, .ports = Random}},
    {"symmetric-sequential",
     {.mapping = AddressAndPort, .filtering = AddressAndPort, .ports = Sequential}},
    {"cgnat",
     {.mapping = Endpoint,
      .filtering = Endpoint,
      .ports = Blocks,
      .hairpin = Hairpin::External,
      .block_ports = 1024,
      .session_limit = 1024}},
    {"udp-blocked", {.mapping = AddressAndPort, .filtering = AddressAndPort, .no_udp = true}},
    {"home-router",
     {.mapping = Endpoint,
      .filtering = AddressAndPort,
      .ports = Parity,
      .hairpin = Hairpin::External}},
    {"phone-network",
     {.mapping = AddressAndPort,
      .filtering = AddressAndPort,
      .ports = Blocks,
      .block_ports = 256,
      .session_limit = 512}},
    {"hotel",
     {.mapping = Address, .filtering = AddressAndPort, .ports = Random, .session_limit = 128}},
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
