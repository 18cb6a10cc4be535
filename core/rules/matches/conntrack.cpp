// -m state and -m conntrack: what tracking knows about the packet's connection.
// kernel: conntrack_mt in xt_conntrack.c
#include <algorithm>
#include <array>
#include <optional>

#include "core/rules/code.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

using conntrack::Connection;
using conntrack::Tuple;

using BitName = ctstate::Name;

constexpr std::span<const BitName> kStates(ctstate::kNames);
constexpr std::span<const BitName> kPlainStates = kStates.first(5);

constexpr std::array kStatuses = std::to_array<BitName>({
    {"NONE", 0},
    {"EXPECTED", conntrack::status::kExpected},
    {"SEEN_REPLY", conntrack::status::kSeenReply},
    {"ASSURED", conntrack::status::kAssured},
    {"CONFIRMED", conntrack::status::kConfirmed},
});

constexpr std::array kStateOptions = std::to_array<OptionSpec>({{"state", 1, true}});
constexpr std::array kConntrackOptions = std::to_array<OptionSpec>({
    {"ctstate", 1, true},
    {"ctproto", 1, true},
    {"ctorigsrc", 1, true},
    {"ctorigdst", 1, true},
    {"ctreplsrc", 1, true},
    {"ctrepldst", 1, true},
    {"ctorigsrcport", 1, true},
    {"ctorigdstport", 1, true},
    {"ctreplsrcport", 1, true},
    {"ctrepldstport", 1, true},
    {"ctstatus", 1, true},
    {"ctexpire", 1, true},
    {"ctdir", 1, false},
});

std::string names_of(std::uint32_t bits, std::span<const BitName> names) {
    std::string text;
    for (const BitName& row : names) {
        if (row.bits != 0 && (bits & row.bits) != 0) {
            text += (text.empty() ? "" : ",") + std::string(row.name);
        }
    }
    return text;
}

const BitName* find_bits(std::string_view word, std::span<const BitName> names) {
    const auto row = std::find_if(names.begin(), names.end(), [&](const BitName& candidate) {
        return !word.empty() && lower(candidate.name).starts_with(lower(word));
    });
    return row == names.end() ? nullptr : &*row;
}

// What is wrong with a word that is none of `names`; states are easily taken for statuses.
std::string unknown_bits(std::string_view word, std::string_view option,
                         std::span<const BitName> names) {
    const bool status = option == "ctstatus";
    const std::string start = "unknown " + std::string(status ? "status " : "state ") +
                              in_quotes(word) + " for --" + std::string(option);
    if (status && find_bits(word, kStates) != nullptr) {
        return start + "; it is a state: --ctstate " + std::string(word);
    }
    if (!status && find_bits(word, kStatuses) != nullptr) {
        return start + "; it is a status: -m conntrack --ctstatus " + std::string(word);
    }
    if (!status && find_bits(word, kStates) != nullptr) {
        return start + "; -m conntrack --ctstate knows it";
    }
    std::vector<std::string_view> known;
    for (const BitName& candidate : names) {
        known.push_back(candidate.name);
    }
    return start + did_you_mean(word, known);
}

std::optional<std::uint32_t> parse_bits(const GivenOption& given, const RuleContext& context,
                                        std::span<const BitName> names) {
    std::uint32_t bits = 0;
    for (const std::string_view word : split(given.value, ',')) {
        const BitName* row = find_bits(word, names);
        if (row == nullptr) {
            context.error(given, unknown_bits(word, given.name, names));
            return std::nullopt;
        }
        bits |= row->bits;
    }
    return bits;
}

class StateMatch : public Match {
  public:
    StateMatch(std::uint32_t mask, bool invert) : Match("state"), mask_(mask), invert_(invert) {}
    std::string save() const override {
        return std::string(invert_ ? "! " : "") + "--state " + names_of(mask_, kStates);
    }
    void compile(Code& code) const override {
        code.emit({.op = Op::CtState, .invert = invert_, .mask = mask_});
    }
    bool needs_tracking() const override { return true; }

  private:
    std::uint32_t mask_;
    bool invert_;
};

struct BitTest {
    std::uint32_t bits = 0;
    bool invert = false;
};

struct AddressTest {
    MaskedAddress given;  // with its host bits
    [[nodiscard]] bool matches(const IpAddress& address) const {
        return (address & given.mask) == (given.address & given.mask);
    }
    bool invert = false;
};

struct RangeTest {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    bool invert = false;
};

class ConntrackMatch : public Match {
  public:
    ConntrackMatch() : Match("conntrack") {}
    std::string save() const override;
    void compile(Code& code) const override;
    MatchResult test(ActionParam& par) const override;
    bool needs_tracking() const override { return true; }

    std::optional<BitTest> state;
    std::optional<BitTest> status;
    std::optional<RangeTest> protocol;
    std::array<std::optional<AddressTest>, 4> addresses;  // in the order of the options
    std::array<std::optional<PortRange>, 4> ports;
    std::optional<RangeTest> expire;
    std::optional<Direction> direction;

  private:
    bool only_state() const;
    bool addresses_match(const Tuple& original, const Tuple& reply) const;
    bool ports_match(const Tuple& original, const Tuple& reply) const;
    bool expire_matches(const Connection& connection, Instant now) const;
};

constexpr std::array<std::string_view, 4> kAddressOptions = {"ctorigsrc", "ctorigdst", "ctreplsrc",
                                                             "ctrepldst"};
constexpr std::array<std::string_view, 4> kConntrackPortOptions = {
    "ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport"};

void append_option(std::string& text, bool invert, std::string_view option,
                   std::string_view value) {
    append(text,
           std::string(invert ? "! " : "") + "--" + std::string(option) + " " + std::string(value));
}

std::string host_or_prefix(const MaskedAddress& address) {
    return prefix_length(address.mask) == address.mask.bits() ? to_string(address.address)
                                                              : to_string(address);
}

std::string ConntrackMatch::save() const {
    std::string text;
    if (state) {
        append_option(text, state->invert, "ctstate", names_of(state->bits, kStates));
    }
    if (protocol) {
        append_option(text, protocol->invert, "ctproto", std::to_string(protocol->low));
    }
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        if (addresses[i]) {
            append_option(text, addresses[i]->invert, kAddressOptions[i],
                          host_or_prefix(addresses[i]->given));
        }
    }
    for (std::size_t i = 0; i < ports.size(); ++i) {
        if (ports[i]) {
            append_option(text, ports[i]->invert, kConntrackPortOptions[i], to_string(*ports[i]));
        }
    }
    if (status) {
        append_option(text, status->invert, "ctstatus",
                      status->bits == 0 ? "NONE" : names_of(status->bits, kStatuses));
    }
    if (expire) {
        append_option(text, expire->invert, "ctexpire",
                      std::to_string(expire->low) +
                          (expire->low == expire->high ? "" : ":" + std::to_string(expire->high)));
    }
    if (direction) {
        append_option(text, false, "ctdir",
                      *direction == Direction::Original ? "ORIGINAL" : "REPLY");
    }
    return text;
}

bool ConntrackMatch::only_state() const {
    const auto given = [](const auto& test) { return test.has_value(); };
    return !status && !protocol && !expire && !direction &&
           std::none_of(addresses.begin(), addresses.end(), given) &&
           std::none_of(ports.begin(), ports.end(), given);
}

void ConntrackMatch::compile(Code& code) const {
    if (state) {
        code.emit({.op = Op::CtState, .invert = state->invert, .mask = state->bits});
    }
    if (!only_state()) {
        code.emit_call(*this);
    }
}

MatchResult ConntrackMatch::test(ActionParam& par) const {
    const Meta& meta = par.packet.meta;
    if (meta.conn == ConnId::None || meta.ct_info == CtInfo::Invalid ||
        meta.ct_info == CtInfo::Untracked) {
        // kernel: conntrack_mt answers with the state alone if there is no connection
        return yes_if(state.has_value());
    }
    if (direction && direction_of(meta.ct_info) != *direction) {
        return MatchResult::No;
    }
    const auto& table = par.conntrack.table();
    const Connection& connection = table[meta.conn];
    if (protocol && (connection.protocol == protocol->low) == protocol->invert) {
        return MatchResult::No;
    }
    if (status && connection.has_any(status->bits) == status->invert) {
        return MatchResult::No;
    }
    if (expire && !expire_matches(connection, par.now)) {
        return MatchResult::No;
    }
    const Tuple original = table.tuple(meta.conn, Direction::Original);
    const Tuple reply = table.tuple(meta.conn, Direction::Reply);
    return yes_if(addresses_match(original, reply) && ports_match(original, reply));
}

bool ConntrackMatch::addresses_match(const Tuple& original, const Tuple& reply) const {
    const std::array<const IpAddress*, 4> actual = {&original.source, &original.destination,
                                                    &reply.source, &reply.destination};
    for (std::size_t i = 0; i < actual.size(); ++i) {
        if (addresses[i] && addresses[i]->matches(*actual[i]) == addresses[i]->invert) {
            return false;
        }
    }
    return true;
}

bool ConntrackMatch::ports_match(const Tuple& original, const Tuple& reply) const {
    const std::array<std::uint16_t, 4> actual = {original.source_port, original.destination_port,
                                                 reply.source_port, reply.destination_port};
    for (std::size_t i = 0; i < actual.size(); ++i) {
        if (ports[i] && !ports[i]->contains(actual[i])) {
            return false;
        }
    }
    return true;
}

// kernel: nf_ct_expires; an unconfirmed connection has no deadline yet
bool ConntrackMatch::expire_matches(const Connection& connection, Instant now) const {
    std::uint32_t left = 0;
    if (connection.has(conntrack::status::kConfirmed)) {
        const auto ticks = jiffies_until(connection.deadline, to_jiffies(now));
        left = static_cast<std::uint32_t>(std::max(ticks, 0)) / kJiffiesPerSecond;
    }
    return (left >= expire->low && left <= expire->high) != expire->invert;
}

std::shared_ptr<const Match> parse_state(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("state");
    if (given == nullptr) {
        context.error("match \"state\" needs --state");
        return nullptr;
    }
    const auto bits = parse_bits(*given, context, kPlainStates);
    return bits ? std::make_shared<StateMatch>(*bits, given->inverted) : nullptr;
}

std::optional<BitTest> read_bits(const Options& options, const RuleContext& context,
                                 std::string_view name, std::span<const BitName> names) {
    const GivenOption* given = options.find(name);
    const auto bits = given != nullptr ? parse_bits(*given, context, names) : std::nullopt;
    return bits ? std::optional(BitTest{*bits, given->inverted}) : std::nullopt;
}

void read_addresses(const Options& options, const RuleContext& context, ConntrackMatch& match) {
    for (std::size_t i = 0; i < kAddressOptions.size(); ++i) {
        const GivenOption* given = options.find(kAddressOptions[i]);
        if (given == nullptr) {
            continue;
        }
        if (const auto address = parse_host_prefix(given->value, context.family, context.names)) {
            match.addresses[i] = AddressTest{*address, given->inverted};
        } else {
            context.error(*given, in_quotes(given->value) + " is not an address or prefix");
        }
    }
}

void read_ports(const Options& options, const RuleContext& context, ConntrackMatch& match) {
    for (std::size_t i = 0; i < kConntrackPortOptions.size(); ++i) {
        const GivenOption* given = options.find(kConntrackPortOptions[i]);
        if (given == nullptr) {
            continue;
        }
        if (auto range = parse_resolved_port_range(given->value)) {
            range->invert = given->inverted;
            match.ports[i] = range;
        } else {
            context.error(*given, in_quotes(given->value) + " is not a port or range of ports");
        }
    }
}

void read_protocol(const Options& options, const RuleContext& context, ConntrackMatch& match) {
    const GivenOption* given = options.find("ctproto");
    if (given == nullptr) {
        return;
    }
    const auto protocol = parse_exact_protocol(given->value);
    if (!protocol) {
        context.error(*given, "--ctproto needs a protocol, not " + in_quotes(given->value));
        return;
    }
    match.protocol = RangeTest{*protocol, *protocol, given->inverted};
}

void read_rest(const Options& options, const RuleContext& context, ConntrackMatch& match) {
    if (const GivenOption* given = options.find("ctexpire")) {
        const auto range = parse_range(given->value, 0xffffffff);
        if (range) {
            match.expire = RangeTest{static_cast<std::uint32_t>(range->low),
                                     static_cast<std::uint32_t>(range->high), given->inverted};
        } else {
            context.error(*given, in_quotes(given->value) + " is not a number or range of seconds");
        }
    }
    if (const GivenOption* given = options.find("ctdir")) {
        const std::string value = lower(given->value);
        if (value != "original" && value != "reply") {
            context.error(*given, "--ctdir is ORIGINAL or REPLY, not " + in_quotes(given->value));
        }
        match.direction = value == "reply" ? Direction::Reply : Direction::Original;
    }
}

std::shared_ptr<const Match> parse_conntrack(const Options& options, RuleContext& context) {
    if (options.given.empty()) {
        context.error("match \"conntrack\" needs at least one option, such as --ctstate");
        return nullptr;
    }
    auto match = std::make_shared<ConntrackMatch>();
    match->state = read_bits(options, context, "ctstate", kStates);
    match->status = read_bits(options, context, "ctstatus", kStatuses);
    read_protocol(options, context, *match);
    read_addresses(options, context, *match);
    read_ports(options, context, *match);
    read_rest(options, context, *match);
    return match;
}

}  // namespace

const MatchModule kStateMatch = {"state", kBothFamilies, kStateOptions, parse_state};
const MatchModule kConntrackMatch = {"conntrack", kBothFamilies, kConntrackOptions,
                                     parse_conntrack};

}  // namespace nsr::rules
