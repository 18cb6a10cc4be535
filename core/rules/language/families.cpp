#include "core/rules/language/families.hpp"

#include <algorithm>
#include <array>

#include "core/rules/matches/matches.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

// Options whose value is an address, a prefix, or begins with one.
constexpr auto kAddressOptions = std::to_array<std::string_view>(
    {"-s",          "--source",    "--src",        "-d",           "--destination",
     "--dst",       "--ctorigsrc", "--ctorigdst",  "--ctreplsrc",  "--ctrepldst",
     "--src-range", "--dst-range", "--to",         "--to-source",  "--to-destination",
     "--gateway",   "--on-ip",     "--tunnel-src", "--tunnel-dst", "--inside"});

// Options whose value is the name of a set.
constexpr auto kSetOptions =
    std::to_array<std::string_view>({"--match-set", "--add-set", "--del-set", "--map-set"});

bool is_address_option(std::string_view word) {
    return std::find(kAddressOptions.begin(), kAddressOptions.end(), word) != kAddressOptions.end();
}

// Addresses, networks, ranges, lists, with or without a port: "10.0.0.1-10.0.0.9:80",
// "[fd00::1]:80"; ":80" is any.
FamilySupport families_of_address(std::string_view text) {
    if (text.find('[') != std::string_view::npos || std::count(text.begin(), text.end(), ':') > 1) {
        return {false, true};
    }
    return {true, text.find('.') == std::string_view::npos};
}

// What is not there is for a check to say.
FamilySupport families_of_set(const std::string& name, const sets::Catalogue& sets) {
    const auto found = sets.find(name);
    const Family family = found == sets.end() ? Family::None : found->second.family;
    return {family != Family::Ipv6, family != Family::Ipv4};
}

// Of CT; the options of that name of other targets name no policy.
FamilySupport families_of_timeout(const std::string& name, bool of_ct,
                                  const conntrack::TimeoutCatalogue& timeouts) {
    const auto found = of_ct ? timeouts.find(name) : timeouts.end();
    const Family family = found == timeouts.end() ? Family::None : found->second.family;
    return {family != Family::Ipv6, family != Family::Ipv4};
}

}  // namespace

FamilySupport families_of(const std::vector<std::string>& words, const sets::Catalogue& sets,
                          const conntrack::TimeoutCatalogue& timeouts) {
    FamilySupport support{true, true};
    const bool of_ct = std::find(words.begin(), words.end(), "CT") != words.end();
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const std::string next = i + 1 < words.size() ? words[i + 1] : "";
        const auto restrict_to = [&](bool v4, bool v6) {
            support.ipv4 = support.ipv4 && v4;
            support.ipv6 = support.ipv6 && v6;
        };
        if (word == "-4" || word == "--ipv4" || word == "-f" || word == "--fragments") {
            restrict_to(true, false);
        } else if (word == "-6" || word == "--ipv6") {
            restrict_to(false, true);
        } else if (word == "-p" || word == "--protocol" || word == "--proto") {
            const auto protocol = parse_protocol(next);
            restrict_to(protocol != proto::kIcmpv6, protocol != proto::kIcmp);
        } else if (word == "-m" || word == "--match") {
            if (const MatchModule* module = find_match(next)) {
                restrict_to(module->families.ipv4, module->families.ipv6);
            }
        } else if (word == "-j" || word == "--jump") {
            if (const TargetModule* module = find_target(next)) {
                restrict_to(module->families.ipv4, module->families.ipv6);
            }
        } else if (is_address_option(word)) {
            const FamilySupport address = families_of_address(next);
            restrict_to(address.ipv4, address.ipv6);
        } else if (std::find(kSetOptions.begin(), kSetOptions.end(), word) != kSetOptions.end()) {
            const FamilySupport set = families_of_set(next, sets);
            restrict_to(set.ipv4, set.ipv6);
        } else if (word == "--timeout") {
            const FamilySupport timeout = families_of_timeout(next, of_ct, timeouts);
            restrict_to(timeout.ipv4, timeout.ipv6);
        }
    }
    return support;
}

}  // namespace nsr::rules
