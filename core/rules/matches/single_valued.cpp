// -m cpu, realm, devgroup, nfacct, osf, ipvs: what has one value here. There is one CPU; routes
// have no realms and interfaces no groups, which makes them 0; there are no fingerprints and no
// virtual servers; an accounting object counts what its rule counts.
// kernel: xt_cpu.c, xt_realm.c, xt_devgroup.c, xt_nfacct.c, xt_osf.c, xt_ipvs.c
#include <array>
#include <initializer_list>

#include "core/rules/matches/constant.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/recite.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::uint8_t kIncoming = bit(Hook::Prerouting) | bit(Hook::Input) | bit(Hook::Forward);
constexpr std::uint8_t kOutgoing = bit(Hook::Forward) | bit(Hook::Output) | bit(Hook::Postrouting);

constexpr std::array kCpuOptions = std::to_array<OptionSpec>({{"cpu", 1, true}});
constexpr std::array kRealmOptions = std::to_array<OptionSpec>({{"realm", 1, true}});
constexpr std::array kDevgroupOptions =
    std::to_array<OptionSpec>({{"src-group", 1, true}, {"dst-group", 1, true}});
constexpr std::array kNfacctOptions = std::to_array<OptionSpec>({{"nfacct-name"}});
constexpr std::array kOsfOptions =
    std::to_array<OptionSpec>({{"genre", 1, true}, {"ttl"}, {"log"}});
constexpr std::array kIpvsOptions = std::to_array<OptionSpec>({{"ipvs", 0, true},
                                                               {"vproto", 1, true},
                                                               {"vaddr", 1, true},
                                                               {"vport", 1, true},
                                                               {"vdir"},
                                                               {"vmethod", 1, true},
                                                               {"vportctl", 1, true}});

// --- cpu ----------------------------------------------------------------------------------------

std::shared_ptr<const Match> parse_cpu(const Options& options, RuleContext& context) {
    if (!has_one_of(options, context, {"cpu"})) {
        return nullptr;
    }
    const auto cpu = read_number(options, context, "cpu", 0, 0xffffffff);
    const bool inverted = options.find("cpu")->inverted;
    return cpu ? std::make_shared<ConstantMatch>(
                     options.module, std::string(bang(inverted)) + "--cpu " + std::to_string(*cpu),
                     (*cpu == 0) != inverted)
               : nullptr;
}

// --- realm, devgroup: 0, which has a name -------------------------------------------------------

// "5", "0x5/0xf", or the name of 0.
std::optional<MarkMask> parse_class(std::string_view text, std::string_view name_of_zero) {
    return text == name_of_zero ? MarkMask{} : parse_mark(text);
}

std::string class_text(const GivenOption& given, const MarkMask& value, std::string_view zero) {
    const bool named = value.value == 0 && value.mask == 0xffffffff;
    return std::string(bang(given.inverted)) + "--" + std::string(given.name) + " " +
           (named ? std::string(zero) : to_string(value));
}

void complain(const RuleContext& context, const GivenOption& given, std::string_view zero) {
    context.error(given, "--" + std::string(given.name) +
                             " needs a number, with a mask if need be"
                             " (5, 0x5/0xf), or " +
                             in_quotes(zero) + ", not " + in_quotes(given.value));
}

// kernel: realm_mt of a route whose tclassid is 0
std::shared_ptr<const Match> parse_realm(const Options& options, RuleContext& context) {
    constexpr std::string_view kZero = "cosmos";
    if (!has_one_of(options, context, {"realm"})) {
        return nullptr;
    }
    const GivenOption& given = *options.find("realm");
    const auto realm = parse_class(given.value, kZero);
    if (!realm) {
        complain(context, given, kZero);
        return nullptr;
    }
    return std::make_shared<ConstantMatch>(options.module, class_text(given, *realm, kZero),
                                           (realm->value == 0) != given.inverted,
                                           kOutgoing | bit(Hook::Input));
}

// kernel: devgroup_mt, devgroup_mt_checkentry
std::shared_ptr<const Match> parse_devgroup(const Options& options, RuleContext& context) {
    constexpr std::string_view kZero = "default";
    if (!has_one_of(options, context, {"src-group", "dst-group"})) {
        return nullptr;
    }
    std::string text;
    bool answer = true;
    std::uint8_t hooks = kAllHooks;
    for (const std::string_view name : {"src-group", "dst-group"}) {
        const GivenOption* given = options.find(name);
        if (given == nullptr) {
            continue;
        }
        const auto group = parse_class(given->value, kZero);
        if (!group) {
            complain(context, *given, kZero);
            return nullptr;
        }
        append(text, class_text(*given, *group, kZero));
        answer = answer && ((group->value & group->mask) == 0) != given->inverted;
        hooks &= name == "src-group" ? kIncoming : kOutgoing;
    }
    return std::make_shared<ConstantMatch>(options.module, text, answer, hooks);
}

// --- nfacct -------------------------------------------------------------------------------------

// With one blank more, as iptables-save has it. libxt_nfacct.c: nfacct_print_name
std::optional<std::string> object_name(std::string_view value, Family) {
    constexpr std::size_t kMost = 31;  // kernel: NFACCT_NAME_MAX, without its end
    return value.empty() ? std::nullopt : std::optional(" " + quoted(value.substr(0, kMost)));
}
constexpr std::array kNfacctForms =
    std::to_array<OptionForm>({{"nfacct-name", object_name, "the name of an accounting object"}});

std::shared_ptr<const Match> parse_nfacct(const Options& options, RuleContext& context) {
    const auto text = recite(options, context, kNfacctForms);
    if (!text || !has_one_of(options, context, {"nfacct-name"})) {
        return nullptr;
    }
    return std::make_shared<ConstantMatch>(options.module, *text, true);
}

// --- osf ----------------------------------------------------------------------------------------

constexpr std::string_view kUpToTwo = "a number from 0 to 2";
constexpr std::array kOsfForms =
    std::to_array<OptionForm>({{"genre", form::text<31>},
                               {"ttl", form::decimal<0, 2>, kUpToTwo},
                               {"log", form::decimal<0, 2>, kUpToTwo}});

// kernel: nf_osf_match with no fingerprints loaded
std::shared_ptr<const Match> parse_osf(const Options& options, RuleContext& context) {
    const auto text = recite(options, context, kOsfForms);
    if (!text || !has_one_of(options, context, {"genre"})) {
        return nullptr;
    }
    if (!context.only(proto::kTcp)) {
        context.refuse("match \"osf\" needs \"-p tcp\" in the same rule");
        return nullptr;
    }
    return std::make_shared<ConstantMatch>(options.module, *text, false, kIncoming);
}

// --- ipvs ---------------------------------------------------------------------------------------

std::optional<std::string> protocol_number(std::string_view value, Family) {
    const auto protocol = parse_exact_protocol(value);
    return protocol ? std::optional(std::to_string(*protocol)) : std::nullopt;
}
std::optional<std::string> port_number(std::string_view value, Family) {
    const auto port = parse_port(value);
    return port ? std::optional(std::to_string(*port)) : std::nullopt;
}
// In capital letters, as it is saved.
std::optional<std::string> one_of(std::string_view value,
                                  std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        if (lower(name) == lower(value)) {
            return std::string(name);
        }
    }
    return std::nullopt;
}
std::optional<std::string> direction(std::string_view value, Family) {
    return one_of(value, {"ORIGINAL", "REPLY"});
}
std::optional<std::string> method(std::string_view value, Family) {
    return one_of(value, {"GATE", "IPIP", "MASQ"});
}

constexpr std::array kIpvsForms =
    std::to_array<OptionForm>({{"ipvs"},
                               {"vproto", protocol_number, "a protocol"},
                               {"vaddr", form::address, "an address or prefix"},
                               {"vport", port_number, "a port"},
                               {"vdir", direction, "ORIGINAL or REPLY"},
                               {"vmethod", method, "GATE, IPIP or MASQ"},
                               {"vportctl", port_number, "a port"}});

// kernel: ipvs_mt of a packet that no virtual server has
std::shared_ptr<const Match> parse_ipvs(const Options& options, RuleContext& context) {
    const auto text = recite(options, context, kIpvsForms);
    if (!text || !has_one_of(options, context,
                             {"ipvs", "vproto", "vaddr", "vport", "vdir", "vmethod", "vportctl"})) {
        return nullptr;
    }
    const GivenOption* plain = options.find("ipvs");
    const bool inverted = plain != nullptr && plain->inverted;
    if (inverted && options.given.size() > 1) {
        context.error(*plain, "\"! --ipvs\" stands alone: what is no virtual server's has no more");
        return nullptr;
    }
    return std::make_shared<ConstantMatch>(options.module, *text, inverted);
}

}  // namespace

const MatchModule kCpuMatch = {"cpu", kBothFamilies, kCpuOptions, parse_cpu};
const MatchModule kRealmMatch = {"realm", kIpv4Only, kRealmOptions, parse_realm};
const MatchModule kDevgroupMatch = {"devgroup", kBothFamilies, kDevgroupOptions, parse_devgroup};
const MatchModule kNfacctMatch = {"nfacct", kBothFamilies, kNfacctOptions, parse_nfacct};
const MatchModule kOsfMatch = {"osf", kIpv4Only, kOsfOptions, parse_osf};
const MatchModule kIpvsMatch = {"ipvs", kBothFamilies, kIpvsOptions, parse_ipvs};

}  // namespace nsr::rules
