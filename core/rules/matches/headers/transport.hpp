// What the matches of all protocols with ports have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/rules/options.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

class Code;

// What is saved of a range that holds every port: nothing, or what was given.
enum class WholeRange : std::uint8_t { LeftOut, AsGiven };

struct TransportPorts {
    PortRange source;
    PortRange destination;
    bool source_given = false;
    bool destination_given = false;

    using Reader = std::optional<PortRange> (*)(std::string_view);
    void read(const Options& options, const RuleContext& context, Reader reader);
    [[nodiscard]] std::string save(WholeRange whole = WholeRange::LeftOut) const;
    // Precondition: a TransportHeader instruction went before.
    void compile(Code& code) const;
};

}  // namespace nsr::rules
