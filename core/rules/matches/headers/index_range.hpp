// What ah, esp, frag, rt and ipcomp take for an SPI, a length or an identification: a number or a
// range, not to be met with "!".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/rules/options.hpp"

namespace nsr::rules {

struct IndexRange {
    std::uint32_t low = 0;
    std::uint32_t high = 0xffffffff;
    bool invert = false;
    [[nodiscard]] bool contains(std::uint32_t value) const {
        return (value >= low && value <= high) != invert;
    }
    [[nodiscard]] bool trivial() const { return low == 0 && high == 0xffffffff && !invert; }
};

// False after an error. Without the option the range stays as it is.
bool read_index_range(const Options& options, const RuleContext& context, std::string_view name,
                      IndexRange& range);
// The same of an option that takes a number only.
bool read_index(const Options& options, const RuleContext& context, std::string_view name,
                IndexRange& range);
// "--ahspi 1:5" to `text`, if the range says anything.
void append_index_range(std::string_view option, const IndexRange& range, std::string& text);

}  // namespace nsr::rules
