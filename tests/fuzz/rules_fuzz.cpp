// Any text as an iptables-save file: refused with errors that have a place, or accepted and then
// stable through save and parse.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/save.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const nsr::Family family = (data[0] & 1) != 0 ? nsr::Family::Ipv6 : nsr::Family::Ipv4;
    std::string text(size - 1, '\0');
    std::copy(data + 1, data + size, text.begin());
    nsr::rules::Ruleset ruleset;
    const nsr::ConfigErrors errors = nsr::rules::parse_save(text, "fuzz", family, ruleset);
    for (const nsr::ConfigError& error : errors) {
        NSR_CHECK(!error.message.empty());
    }
    if (!errors.empty()) {
        return 0;
    }
    const std::string saved = nsr::rules::save(ruleset, family, true);
    nsr::rules::Ruleset again;
    NSR_CHECK(nsr::rules::parse_save(saved, "saved", family, again).empty());
    NSR_CHECK(nsr::rules::save(again, family, true) == saved);
    const nsr::rules::Program program(std::move(ruleset),
                                      {{"lan", nsr::IfIndex{1}}, {"wan", nsr::IfIndex{2}}});
    return 0;
}
