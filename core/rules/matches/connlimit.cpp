// -m connlimit: how many connections an address, or a network, has at once.
// kernel: xt_connlimit.c, nf_conncount.c
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

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
struct Counted {
    class Group {
      public:
        using Order = std::map<std::uint64_t, CountedConnection>;

        [[nodiscard]] std::size_t size() const { return places_.size(); }
        Order::iterator begin() { return order_.begin(); }
        Order::iterator end() { return order_.end(); }
        void add(const CountedConnection& one) {
            if (places_.emplace(one, came_).second) {
                order_.emplace(came_++, one);
            }
        }
        Order::iterator remove(Order::iterator one) {
            places_.erase(one->second);
            return order_.erase(one);
        }

        std::optional<Jiffies> swept;  // kernel: last_gc

      private:
        Order order_;  // as they came
        std::map<CountedConnection, std::uint64_t, CountedLess> places_;
        std::uint64_t came_ = 0;
    };
    using Key = std::pair<IpAddress, Zone>;

    [[nodiscard]] std::size_t remembered() const { return groups.size(); }

    std::map<Key, Group> groups;
    Key visited;  // the group that was looked at last for being over
};

class ConnlimitMatch : public StatefulMatch<Counted> {
  public:
    ConnlimitMatch() : StatefulMatch("connlimit") {}
    std::string save() const override;
    bool needs_tracking() const override { return true; }

    std::uint32_t limit = 0;
    bool upto = false;
    IpAddress mask;
    bool by_destination = false;

  private:
    MatchResult test(ActionParam& par, Counted& counted) const override;
    static std::optional<CountedConnection> counted_as(const ActionParam& par);
    static bool is_old(const ActionParam& par, const CountedConnection& own);
    static bool closed(const conntrack::Connection& connection);
    static std::optional<ConnId> find(const ActionParam& par, const CountedConnection& counted);
    static bool gone(const ActionParam& par, const std::optional<ConnId>& conn);
    static void sweep(const ActionParam& par, Counted::Group& group,
                      const CountedConnection* until);
    static void forget_groups(const ActionParam& par, Counted& state);
};

std::string ConnlimitMatch::save() const {
    return std::string(upto ? "--connlimit-upto " : "--connlimit-above ") + std::to_string(limit) +
           " --connlimit-mask " + std::to_string(prefix_length(mask).value_or(0)) +
           (by_destination ? " --connlimit-daddr" : " --connlimit-saddr");
}

// kernel: already_closed
bool ConnlimitMatch::closed(const conntrack::Connection& connection) {
    using conntrack::TcpConntrack;
    const std::uint8_t state = connection.state.tcp.state;
    return connection.protocol == proto::kTcp &&
           (state == static_cast<std::uint8_t>(TcpConntrack::TimeWait) ||
            state == static_cast<std::uint8_t>(TcpConntrack::Close));
}

// kernel: find_or_evict
std::optional<ConnId> ConnlimitMatch::find(const ActionParam& par,
                                           const CountedConnection& counted) {
    const auto hit = par.conntrack.table().find(counted.first, counted.second, to_jiffies(par.now));
    return hit ? std::optional(hit->id) : std::nullopt;
}

bool ConnlimitMatch::gone(const ActionParam& par, const std::optional<ConnId>& conn) {
    return !conn || closed(par.conntrack.table()[*conn]);
}

// Those who came before `until`, or all. A large group once per jiffy, and not all that is over at
// once: each packet adds one at most. kernel: __nf_conncount_add, nf_conncount_gc_list
void ConnlimitMatch::sweep(const ActionParam& par, Counted::Group& group,
                           const CountedConnection* until) {
    const Jiffies now = to_jiffies(par.now);
    if (std::exchange(group.swept, now) == now && group.size() > kEvictions) {
        return;
    }
    std::size_t evicted = 0;
    for (auto it = group.begin(); it != group.end() && evicted <= kEvictions;) {
        const auto conn = find(par, it->second);
        if (conn && until != nullptr && it->second == *until) {
            return;
        }
        const bool over = gone(par, conn);
        evicted += over ? 1 : 0;
        it = over ? group.remove(it) : std::next(it);
    }
}

// Groups of whom nobody comes any more: a few are looked at with each packet, in turn. kernel:
// tree_gc_worker
void ConnlimitMatch::forget_groups(const ActionParam& par, Counted& state) {
    for (std::size_t i = 0; i < kGroupsPerPacket && !state.groups.empty(); ++i) {
        auto it = state.groups.upper_bound(state.visited);
        it = it == state.groups.end() ? state.groups.begin() : it;
        state.visited = it->first;
        auto& group = it->second;
        for (std::size_t looks = 0; looks < kEvictions && group.size() != 0; ++looks) {
            if (!gone(par, find(par, group.begin()->second))) {
                break;
            }
            group.remove(group.begin());
        }
        if (group.size() == 0) {
            state.groups.erase(it);
        }
    }
}

// Who the packet counts as; nullopt if it has no tuple. kernel: get_ct_or_tuple_from_skb
std::optional<CountedConnection> ConnlimitMatch::counted_as(const ActionParam& par) {
    const ConnId conn = par.packet.meta.conn;
    if (conn != ConnId::None) {
        const auto& table = par.conntrack.table();
        return CountedConnection{table.tuple(conn, Direction::Original), table[conn].zone};
    }
    const auto tuple = conntrack::tuple_of(par.packet);
    return tuple ? std::optional(CountedConnection{*tuple, Zone{0}}) : std::nullopt;
}

// Of a connection that was counted when it was young, also where tracking made nothing of the
// packet. kernel: __nf_conncount_add
bool ConnlimitMatch::is_old(const ActionParam& par, const CountedConnection& own) {
    const ConnId known = par.packet.meta.conn;
    const auto conn = known != ConnId::None ? std::optional(known) : find(par, own);
    return conn && par.conntrack.table()[*conn].has(conntrack::status::kAssured);
}

// kernel: connlimit_mt, count_tree
MatchResult ConnlimitMatch::test(ActionParam& par, Counted& counted) const {
    const auto own = counted_as(par);
    if (!own) {
        return MatchResult::HotDrop;
    }
    const Layout& layout = par.packet.layout;
    const IpAddress& address = by_destination ? layout.destination : layout.source;
    forget_groups(par, counted);
    auto& group = counted.groups[{address & mask, own->second}];
    if (group.size() != 0 && is_old(par, *own)) {
        sweep(par, group, nullptr);
    } else {
        sweep(par, group, &*own);
        group.add(*own);
    }
    return yes_if((group.size() > limit) != upto);
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

}  // namespace

const MatchModule kConnlimitMatch = {"connlimit", kBothFamilies, kConnlimitOptions,
                                     parse_connlimit};

}  // namespace nsr::rules
