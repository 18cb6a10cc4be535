// What a rule asks for exactly, before anything that has an effect.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/rules/program/key.hpp"

namespace nsr::rules {

struct KeyRange {
    std::uint16_t low = 0;
    std::uint16_t high = 0;
};

struct Conditions {
    Shape shape;
    KeyFields fields;  // those of `shape`
    // Its port is in one of these; empty: in any.
    std::vector<KeyRange> source_ports;
    std::vector<KeyRange> destination_ports;
    bool either_port = false;  // it is enough if one of the two ports is
    // A set that may hold the source, or the destination.
    struct Set {
        std::uint32_t name = 0;  // its hash
        bool of_sources = false;
    };
    std::optional<Set> set;
};

Conditions conditions_of(const Code& code, std::span<const Instruction> rule);

}  // namespace nsr::rules
