// Operation: one thing that a configuration asks of the machine, as a value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/wire/address.hpp"

namespace nsr::router {

struct Operation {
    enum class Kind : std::uint8_t {
        Namespace,
        LoopbackUp,
        Setting,
        Tun,
        Mtu,
        Address,
        Up,
        Route,
    };
    Kind kind = Kind::Namespace;
    std::string netns;   // where it happens, as configured; empty: the current one
    std::string device;  // of Tun, Mtu, Address, Up, Route
    std::uint32_t mtu = 0;
    bool offload = false;
    unsigned queues = 1;           // of Tun
    Prefix prefix;                 // Address, Route
    std::optional<IpAddress> via;  // Route
    std::string setting;           // a path below /proc/sys
    std::string value;             // of the setting
    friend bool operator==(const Operation&, const Operation&) = default;
};

std::string in_words(const Operation& operation);

}  // namespace nsr::router
