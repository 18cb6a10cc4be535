// What the matches of all protocols with ports have in common.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/rules/options.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

class Code;

struct TransportPorts {
    PortRange source;
    PortRange destination;

    using Reader = std::optional<PortRange> (*)(std::string_view);
    void read(const Options& options, const RuleContext& context, Reader reader);
    [[nodiscard]] std::string save() const;
    // Precondition: a TransportHeader instruction went before.
    void compile(Code& code) const;
};

}  // namespace nsr::rules
