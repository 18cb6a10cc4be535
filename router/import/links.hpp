// Interfaces and their addresses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/result.hpp"
#include "core/wire/address.hpp"
#include "router/import/draft.hpp"
#include "router/import/dumps.hpp"

namespace nsr::router {

struct SeenAddress {
    Prefix prefix;  // with host bits; of a peer: the address alone
    SourceLocation from;
};

struct SeenLink {
    std::string name;
    std::string kind;    // "veth", "bridge", ...; empty: hardware, or not known
    std::string master;  // that it is a port of; empty: none
    std::uint32_t mtu = 1500;
    bool up = true;
    std::vector<SeenAddress> addresses;
    SourceLocation from;
};

// Of the JSON where it is there, else of the lines of `ip -o`; the error says where it is wrong.
Result<std::vector<SeenLink>, ConfigErrors> read_links(const Dumps& dumps);

// The network of an address that a route of its own leads to, so that [[interface]] implies it.
struct Connected {
    std::string interface;
    Prefix network;
    friend bool operator==(const Connected&, const Connected&) = default;
};

// An address whose network has no route becomes one without a network.
void add_links(const std::vector<SeenLink>& links, const std::vector<Connected>& routed,
               Draft& draft);

}  // namespace nsr::router
