#include "core/rules/language/foreign.hpp"

#include <algorithm>
#include <array>

#include "core/base/words.hpp"

namespace nsr::rules {

namespace {

enum class Why : std::uint8_t { Gone, Elsewhere, Answers };

struct Foreign {
    std::string_view name;
    Why why;
};
constexpr auto kForeign = std::to_array<Foreign>({
    {"SYNPROXY", Why::Answers},
    {"CLUSTERIP", Why::Gone},
    {"ULOG", Why::Gone},
    {"MIRROR", Why::Gone},
    {"SAME", Why::Gone},
    {"unclean", Why::Gone},
    {"ACCOUNT", Why::Elsewhere},
    {"CHAOS", Why::Elsewhere},
    {"DELUDE", Why::Elsewhere},
    {"DHCPMAC", Why::Elsewhere},
    {"DNETMAP", Why::Elsewhere},
    {"ECHO", Why::Elsewhere},
    {"FLOWOFFLOAD", Why::Elsewhere},
    {"FULLCONENAT", Why::Elsewhere},
    {"IMQ", Why::Elsewhere},
    {"IPMARK", Why::Elsewhere},
    {"LOGMARK", Why::Elsewhere},
    {"NDPI", Why::Elsewhere},
    {"PROTO", Why::Elsewhere},
    {"RAWDNAT", Why::Elsewhere},
    {"RAWSNAT", Why::Elsewhere},
    {"ROUTE", Why::Elsewhere},
    {"STEAL", Why::Elsewhere},
    {"SYSRQ", Why::Elsewhere},
    {"TARPIT", Why::Elsewhere},
    {"account", Why::Elsewhere},
    {"asn", Why::Elsewhere},
    {"bandwidth", Why::Elsewhere},
    {"condition", Why::Elsewhere},
    {"dhcpmac", Why::Elsewhere},
    {"fuzzy", Why::Elsewhere},
    {"geoip", Why::Elsewhere},
    {"gradm", Why::Elsewhere},
    {"iface", Why::Elsewhere},
    {"ipp2p", Why::Elsewhere},
    {"ipv4options", Why::Elsewhere},
    {"l2tp", Why::Elsewhere},
    {"layer7", Why::Elsewhere},
    {"length2", Why::Elsewhere},
    {"lscan", Why::Elsewhere},
    {"ndpi", Why::Elsewhere},
    {"pknock", Why::Elsewhere},
    {"psd", Why::Elsewhere},
    {"quota2", Why::Elsewhere},
    {"webmon", Why::Elsewhere},
    {"webstr", Why::Elsewhere},
});

std::string_view text_of(Why why) {
    switch (why) {
        case Why::Gone:
            return "Linux has it no more";
        case Why::Elsewhere:
            return "it is an extension of other kernels";
        case Why::Answers:
            return "it would answer connections in the name of others";
    }
    return {};
}

const Foreign* find_foreign(std::string_view name) {
    const auto* found = std::find_if(kForeign.begin(), kForeign.end(),
                                     [&](const Foreign& row) { return row.name == name; });
    return found == kForeign.end() ? nullptr : found;
}

}  // namespace

bool is_foreign(std::string_view name) {
    return find_foreign(name) != nullptr;
}

std::string not_supported(const std::string& what, std::string_view name,
                          const std::vector<std::string_view>& known) {
    const Foreign* foreign = find_foreign(name);
    const std::string why = foreign != nullptr
                                ? std::string(text_of(foreign->why))
                                : "there is no such extension" + did_you_mean(name, known);
    return what + " is not supported: " + why;
}

bool tolerates_match(const Tolerance& tolerance, std::string_view name) {
    return tolerance.all || tolerance.names.contains(name);
}

bool tolerates_target(const Tolerance& tolerance, std::string_view name) {
    return tolerance.names.contains(name) || (tolerance.all && is_foreign(name));
}

}  // namespace nsr::rules
