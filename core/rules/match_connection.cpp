// -m connbytes, connlimit, helper: more about connections.
// kernel: xt_connbytes.c, xt_connlimit.c with nf_conncount.c, xt_helper.c
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "core/rules/modules.hpp"
#include "core/rules/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kConnbytesOptions =
    std::to_array<OptionSpec>({{"connbytes", 1, true}, {"connbytes-dir"}, {"connbytes-mode"}});
constexpr std::array<std::string_view, 3> kDirections = {"original", "reply", "both"};
constexpr std::array<std::string_view, 3> kModes = {"packets", "bytes", "avgpkt"};

class ConnbytesMatch : public Match {
  public:
    ConnbytesMatch() : Match("connbytes") {}
    std::string save() const override;
    MatchResult test(Subject& subject, MatchState* state) const override;
    bool needs_tracking() const override { return true; }
    bool needs_accounting() const override { return true; }

    NumberRange range;
    bool invert = false;
    std::size_t direction = 0;
    std::size_t mode = 0;

  private:
    std::uint64_t measure(const conntrack::Extra& extra) const;
};

std::string ConnbytesMatch::save() const {
    std::string text = std::string(bang(invert)) + "--connbytes " + std::to_string(range.low);
    if (range.high != ~std::uint64_t{0}) {
        text += ":" + std::to_string(range.high);
    }
    return text + " --connbytes-mode " + std::string(kModes[mode]) + " --connbytes-dir " +
           std::string(kDirections[direction]);
}

std::uint64_t ConnbytesMatch::measure(const conntrack::Extra& extra) const {
    const auto& [original, reply] = extra.counters;
    const std::uint64_t packets =
        (direction != 1 ? original.packets : 0) + (direction != 0 ? reply.packets : 0);
    const std::uint64_t bytes =
        (direction != 1 ? original.bytes : 0) + (direction != 0 ? reply.bytes : 0);
    switch (mode) {
        case 0:
            return packets;
        case 1:
            return bytes;
        default:
            return packets == 0 ? 0 : bytes / packets;
    }
}

// kernel: connbytes_mt; a connection without counters never matches, negated or not
MatchResult ConnbytesMatch::test(Subject& subject, MatchState*) const {
    const ConnId conn = subject.packet.meta.conn;
    if (conn == ConnId::None) {
        return MatchResult::No;
    }
    const auto& table = subject.environment.conntrack.table();
    const conntrack::Extra* extra = std::as_const(table).extra(conn);
    if (extra == nullptr || !extra->counting) {
        return MatchResult::No;
    }
    const std::uint64_t value = measure(*extra);
    return yes_if((value >= range.low && value <= range.high) != invert);
}

std::shared_ptr<const Match> parse_connbytes(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("connbytes");
    const GivenOption* direction = options.find("connbytes-dir");
    const GivenOption* mode = options.find("connbytes-mode");
    if (given == nullptr || direction == nullptr || mode == nullptr) {
        context.error("match \"connbytes\" needs --connbytes, --connbytes-dir, --connbytes-mode");
        return nullptr;
    }
    auto match = std::make_shared<ConnbytesMatch>();
    // "3" means from 3 on, as "3:" does
    const bool open = given->value.find(':') == std::string::npos;
    const auto range = parse_range(given->value + (open ? ":" : ""), ~std::uint64_t{0});
    const auto* way = std::find(kDirections.begin(), kDirections.end(), direction->value);
    const auto* what = std::find(kModes.begin(), kModes.end(), mode->value);
    if (!range) {
        context.error(*given, in_quotes(given->value) + " is not a range from:to");
    } else if (way == kDirections.end()) {
        context.error(*direction, "--connbytes-dir is original, reply or both");
    } else if (what == kModes.end()) {
        context.error(*mode, "--connbytes-mode is packets, bytes or avgpkt");
    } else {
        match->range = *range;
        match->invert = given->inverted;
        match->direction = static_cast<std::size_t>(way - kDirections.begin());
        match->mode = static_cast<std::size_t>(what - kModes.begin());
        return match;
    }
    return nullptr;
}

constexpr std::size_t kEvictions = 8;  // kernel: CONNCOUNT_GC_MAX_NODES
constexpr std::size_t kGroupsPerPacket = 2;

constexpr std::array kConnlimitOptions = std::to_array<OptionSpec>({{"connlimit-upto"},
                                                                    {"connlimit-above", 1, true},
                                                                    {"connlimit-mask"},
                                                                    {"connlimit-saddr", 0},
                                                                    {"connlimit-daddr", 0}});

using CountedConnection = std::pair<conntrack::Tuple, Zone>;
struct CountedLess {
    bool operator()(const CountedConnection& a, const CountedConnection& b) const {
        const auto key = [](const CountedConnection& c) {
            const conntrack::Tuple& t = c.first;
            return std::tie(t.source, t.destination, t.source_port, t.destination_port, t.protocol,
                            c.second);
        };
        return key(a) < key(b);
    }
};

// Who has which connections, by masked address and zone. kernel: struct nf_conncount_data
struct ConnlimitState : MatchState {
    struct Group {
        std::set<CountedConnection, CountedLess> members;
        std::optional<Jiffies> swept;  // kernel: last_gc
    };
    using Key = std::pair<IpAddress, Zone>;

    std::unique_ptr<MatchState> clone() const override {
        return std::make_unique<ConnlimitState>(*this);
    }

    std::size_t remembered() const override { return groups.size(); }

    std::map<Key, Group> groups;
    Key visited;  // the group that was looked at last for being over
};

class ConnlimitMatch : public Match {
  public:
    ConnlimitMatch() : Match("connlimit") {}
    std::string save() const override;
    std::unique_ptr<MatchState> make_state() const override {
        return std::make_unique<ConnlimitState>();
    }
    MatchResult test(Subject& subject, MatchState* state) const override;
    bool needs_tracking() const override { return true; }

    std::uint32_t limit = 0;
    bool upto = false;
    IpAddress mask;
    bool by_destination = false;

  private:
    static bool gone(const Subject& subject, const CountedConnection& counted);
    static void sweep(const Subject& subject, ConnlimitState::Group& group,
                      const CountedConnection& own);
    static void forget_groups(const Subject& subject, ConnlimitState& state);
};

std::string ConnlimitMatch::save() const {
    return std::string(upto ? "--connlimit-upto " : "--connlimit-above ") + std::to_string(limit) +
           " --connlimit-mask " + std::to_string(prefix_length(mask).value_or(0)) +
           (by_destination ? " --connlimit-daddr" : " --connlimit-saddr");
}

// Neither tracked any more, nor closed. kernel: find_or_evict, already_closed in nf_conncount.c
bool ConnlimitMatch::gone(const Subject& subject, const CountedConnection& counted) {
    const auto& table = subject.environment.conntrack.table();
    const auto hit = table.find(counted.first, counted.second, to_jiffies(subject.now));
    if (!hit) {
        return true;
    }
    const conntrack::Connection& connection = table[hit->id];
    using conntrack::TcpConntrack;
    return connection.protocol == proto::kTcp &&
           (connection.state.tcp.state == static_cast<std::uint8_t>(TcpConntrack::TimeWait) ||
            connection.state.tcp.state == static_cast<std::uint8_t>(TcpConntrack::Close));
}

// A large group once per jiffy, and not all that is over at once: each packet adds one at most.
// kernel: __nf_conncount_add
void ConnlimitMatch::sweep(const Subject& subject, ConnlimitState::Group& group,
                           const CountedConnection& own) {
    const Jiffies now = to_jiffies(subject.now);
    if (std::exchange(group.swept, now) == now && group.members.size() > kEvictions) {
        return;
    }
    std::size_t evicted = 0;
    for (auto it = group.members.begin(); it != group.members.end() && evicted <= kEvictions;) {
        const bool over = *it != own && gone(subject, *it);
        evicted += over ? 1 : 0;
        it = over ? group.members.erase(it) : std::next(it);
    }
}

// Groups of whom nobody comes any more: a few are looked at with each packet, in turn. kernel:
// tree_gc_worker
void ConnlimitMatch::forget_groups(const Subject& subject, ConnlimitState& state) {
    for (std::size_t i = 0; i < kGroupsPerPacket && !state.groups.empty(); ++i) {
        auto it = state.groups.upper_bound(state.visited);
        it = it == state.groups.end() ? state.groups.begin() : it;
        state.visited = it->first;
        auto& members = it->second.members;
        for (std::size_t looks = 0; looks < kEvictions && !members.empty(); ++looks) {
            if (!gone(subject, *members.begin())) {
                break;
            }
            members.erase(members.begin());
        }
        if (members.empty()) {
            state.groups.erase(it);
        }
    }
}

// kernel: connlimit_mt, count_tree
MatchResult ConnlimitMatch::test(Subject& subject, MatchState* state) const {
    const Packet& packet = subject.packet;
    const auto& table = subject.environment.conntrack.table();
    const ConnId conn = packet.meta.conn;
    const auto tuple = conn != ConnId::None ? std::optional(table.tuple(conn, Direction::Original))
                                            : conntrack::tuple_of(packet);
    if (!tuple) {
        return MatchResult::HotDrop;
    }
    const CountedConnection own{*tuple, conn != ConnId::None ? table[conn].zone : Zone{0}};
    const IpAddress& address = by_destination ? packet.layout.destination : packet.layout.source;
    auto& counted = static_cast<ConnlimitState&>(*state);
    forget_groups(subject, counted);
    auto& group = counted.groups[{address & mask, own.second}];
    sweep(subject, group, own);
    group.members.insert(own);
    return yes_if((group.members.size() > limit) != upto);
}

std::shared_ptr<const Match> parse_connlimit(const Options& options, RuleContext& context) {
    const GivenOption* above = options.find("connlimit-above");
    const GivenOption* upto = options.find("connlimit-upto");
    if ((above == nullptr) == (upto == nullptr)) {
        context.error("match \"connlimit\" needs one of --connlimit-above and --connlimit-upto");
        return nullptr;
    }
    const GivenOption& given = above != nullptr ? *above : *upto;
    const auto limit = read_number(options, context, given.name, 0, 0xffffffff);
    if (!limit) {
        return nullptr;
    }
    auto match = std::make_shared<ConnlimitMatch>();
    match->limit = static_cast<std::uint32_t>(*limit);
    match->upto = upto != nullptr || given.inverted;
    match->by_destination = options.has("connlimit-daddr");
    const unsigned bits = context.v6() ? 128 : 32;
    const auto length = read_number(options, context, "connlimit-mask", 0, bits).value_or(bits);
    match->mask = mask_of(context.family, static_cast<unsigned>(length));
    return match;
}

constexpr std::array kHelperOptions = std::to_array<OptionSpec>({{"helper", 1, true}});

// The connection was expected by a helper of its master. kernel: helper_mt
class HelperMatch : public Match {
  public:
    HelperMatch(std::string_view helper, bool invert)
        : Match("helper"), helper_(helper), invert_(invert) {}
    std::string save() const override {
        return std::string(bang(invert_)) + "--helper " + quoted(helper_);
    }
    MatchResult test(Subject&, MatchState*) const override { return yes_if(invert_); }
    bool needs_tracking() const override { return true; }

  private:
    std::string helper_;
    bool invert_;
};

std::shared_ptr<const Match> parse_helper(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("helper");
    if (given == nullptr) {
        context.error("match \"helper\" needs --helper");
        return nullptr;
    }
    return std::make_shared<HelperMatch>(given->value, given->inverted);
}

}  // namespace

const MatchModule kConnbytesModule = {"connbytes", kBothFamilies, kConnbytesOptions,
                                      parse_connbytes};
const MatchModule kConnlimitModule = {"connlimit", kBothFamilies, kConnlimitOptions,
                                      parse_connlimit};
const MatchModule kHelperModule = {"helper", kBothFamilies, kHelperOptions, parse_helper};

}  // namespace nsr::rules
