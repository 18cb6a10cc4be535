// -m owner, cgroup, socket: whose socket a packet comes from or goes to. Packets that pass have
// none; what the router itself sends comes from a socket of its kernel, which belongs to no
// process; a process of the [host] namespace has its socket in another kernel's tables.
// kernel: xt_owner.c, xt_cgroup.c, xt_socket.c
#include <array>
#include <utility>

#include "core/rules/matches/constant.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/recite.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kOwnerOptions = std::to_array<OptionSpec>({{"uid-owner", 1, true},
                                                                {"gid-owner", 1, true},
                                                                {"socket-exists", 0, true},
                                                                {"suppl-groups", 0}});
constexpr std::array kCgroupOptions =
    std::to_array<OptionSpec>({{"path", 1, true}, {"cgroup", 1, true}});
constexpr std::array kSocketOptions =
    std::to_array<OptionSpec>({{"transparent", 0}, {"nowildcard", 0}, {"restore-skmark", 0}});

// Debian gives these out itself (base-passwd), the same number to the user and to its group.
constexpr auto kAccounts = std::to_array<std::pair<std::string_view, std::uint32_t>>({
    {"root", 0},
    {"daemon", 1},
    {"bin", 2},
    {"sys", 3},
    {"mail", 8},
    {"news", 9},
    {"uucp", 10},
    {"proxy", 13},
    {"www-data", 33},
    {"backup", 34},
    {"list", 38},
    {"irc", 39},
});

std::optional<std::uint32_t> account(std::string_view word) {
    constexpr std::uint64_t kMost = 0xfffffffe;
    for (const auto& [name, id] : kAccounts) {
        if (name == word) {
            return id;
        }
    }
    const auto id = parse_number(word, kMost);
    return id ? std::optional(static_cast<std::uint32_t>(*id)) : std::nullopt;
}

// "1000", "1000-2000", "root"
std::optional<std::string> accounts(std::string_view value, Family) {
    if (const auto one = account(value)) {
        return std::to_string(*one);
    }
    const std::size_t dash = value.find('-');
    if (dash == std::string_view::npos) {
        return std::nullopt;
    }
    const auto low = account(value.substr(0, dash));
    const auto high = account(value.substr(dash + 1));
    if (!low || !high || *low > *high) {
        return std::nullopt;
    }
    return std::to_string(*low) + (*low == *high ? "" : "-" + std::to_string(*high));
}

constexpr std::string_view kAccount = "a number, a range of them, or a name every system knows";
constexpr std::array kOwnerForms = std::to_array<OptionForm>({{"socket-exists"},
                                                              {"uid-owner", accounts, kAccount},
                                                              {"gid-owner", accounts, kAccount},
                                                              {"suppl-groups"}});
constexpr std::size_t kMostPath = 511;  // kernel: XT_CGROUP_PATH_LEN
constexpr std::array kCgroupForms = std::to_array<OptionForm>(
    {{"path", form::saved_string<kMostPath>},
     {"cgroup", form::decimal<0, 0xffffffff>, "a number from 0 to 4294967295"}});
constexpr std::array kSocketForms =
    std::to_array<OptionForm>({{"transparent"}, {"nowildcard"}, {"restore-skmark"}});

class OwnerMatch : public Match {
  public:
    explicit OwnerMatch(std::string text) : Match("owner"), text_(std::move(text)) {}
    std::string save() const override { return text_; }
    MatchResult test(ActionParam& par) const override;
    std::uint8_t hooks() const override { return bit(Hook::Output) | bit(Hook::Postrouting); }

    bool without_socket = false;  // what is said of a packet that has none
    bool of_the_router = false;   // of one whose socket no process has

  private:
    std::string text_;
};

// Resets that REJECT makes have no socket; they belong to the connection they reset.
bool has_socket(const Meta& meta, const Layout& layout) {
    const bool reset = layout.protocol == proto::kTcp && is_related(meta.ct_info);
    return meta.locally_generated && meta.host_interface == IfIndex::None && !reset;
}

// kernel: owner_mt
MatchResult OwnerMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    return yes_if(has_socket(packet.meta, packet.layout) ? of_the_router : without_socket);
}

std::shared_ptr<const Match> parse_owner(const Options& options, RuleContext& context) {
    const auto text = recite(options, context, kOwnerForms);
    if (!text || !has_one_of(options, context, {"uid-owner", "gid-owner", "socket-exists"})) {
        return nullptr;
    }
    if (options.has("suppl-groups") && !options.has("gid-owner")) {
        context.error("--suppl-groups needs --gid-owner");
        return nullptr;
    }
    const auto excludes = [&](std::string_view name) {
        const GivenOption* given = options.find(name);
        return given != nullptr && !given->inverted;
    };
    const GivenOption* socket = options.find("socket-exists");
    auto match = std::make_shared<OwnerMatch>(*text);
    match->without_socket = all_inverted(options);
    match->of_the_router = !(socket != nullptr && socket->inverted) && !excludes("uid-owner") &&
                           !excludes("gid-owner");
    return match;
}

// kernel: cgroup_mt_v0, cgroup_mt_v2
std::shared_ptr<const Match> parse_cgroup(const Options& options, RuleContext& context) {
    const auto text = recite(options, context, kCgroupForms);
    if (!text || !has_one_of(options, context, {"path", "cgroup"})) {
        return nullptr;
    }
    if (options.has("path") && options.has("cgroup")) {
        context.error("--path and --cgroup exclude each other");
        return nullptr;
    }
    return std::make_shared<ConstantMatch>(
        options.module, *text, false,
        bit(Hook::Input) | bit(Hook::Output) | bit(Hook::Postrouting));
}

std::shared_ptr<const Match> parse_socket(const Options& options, RuleContext& context) {
    const auto text = recite(options, context, kSocketForms);
    return std::make_shared<ConstantMatch>(options.module, text.value_or(""), false,
                                           bit(Hook::Prerouting) | bit(Hook::Input));
}

}  // namespace

const MatchModule kOwnerMatch = {"owner", kBothFamilies, kOwnerOptions, parse_owner};
const MatchModule kCgroupMatch = {"cgroup", kBothFamilies, kCgroupOptions, parse_cgroup};
const MatchModule kSocketMatch = {"socket", kBothFamilies, kSocketOptions, parse_socket};

}  // namespace nsr::rules
