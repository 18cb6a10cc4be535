// What a rule asks for exactly, before anything that has an effect.
#pragma once

#include <optional>
#include <span>

#include "core/rules/program/key.hpp"

namespace nsr::rules {

struct KeyRange {
    std::uint16_t low = 0;
    std::uint16_t high = 0;
};

struct Conditions {
    Shape shape;
    KeyFields fields;  // those of `shape`
    std::optional<KeyRange> source_ports;
    std::optional<KeyRange> destination_ports;
};

Conditions conditions_of(const Code& code, std::span<const Instruction> rule);

}  // namespace nsr::rules
