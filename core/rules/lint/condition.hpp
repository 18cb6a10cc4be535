// What a rule asks of a packet, as values that can be compared.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rules/ruleset.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules::lint {

enum class Field : std::uint8_t {
    Source,
    Destination,
    InInterface,
    OutInterface,
    Protocol,
    SourcePort,
    DestinationPort,
    State,
    Header,  // the transport header is there, of the protocol `text`, or of any
    Other,
};

struct Condition {
    Field field = Field::Other;
    bool inverted = false;
    // Asked twice of a packet on its way through a chain, it answers the same.
    bool steady = true;
    std::string text;                   // the value; of Other all words, with those of the module
    std::vector<PortRange> ports = {};  // SourcePort, DestinationPort
    MaskedAddress address = {};         // Source, Destination
    std::uint32_t states = 0;           // State: ctstate::k*
};
using Conditions = std::vector<Condition>;

// All of them have to hold. Comments are none.
Conditions conditions_of(const Rule& rule);

// Every packet that fits `narrow` fits `wide`, as far as can be told.
bool implies(const Condition& narrow, const Condition& wide);
// The same of whole rules; and whatever `wide` answered of a packet before it answers still.
bool covers(const Conditions& wide, const Conditions& narrow);
// No packet fits it.
bool is_impossible(const Condition& condition);

// The first condition about this field; null: none.
const Condition* find(const Conditions& conditions, Field field);
// Some name may fit both: "lan" and "la+", not "lan" and "wan".
bool interfaces_meet(std::string_view one, std::string_view other);

}  // namespace nsr::rules::lint
