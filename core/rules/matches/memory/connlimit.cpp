// -m connlimit: how many connections an address, or a network, has at once.
// kernel: xt_connlimit.c, nf_conncount.c
#include <array>
#include <optional>
#include <utility>

#include "core/rules/matches/memory/hashing.hpp"
#include "core/rules/matches/memory/keyed_table.hpp"
#include "core/rules/matches/memory/memory.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::size_t kEvictions = 8;  // kernel: CONNCOUNT_GC_MAX_NODES
constexpr std::size_t kGroupsPerPacket = 2;
// differs: connlimit-sweeps-in-turn
constexpr std::size_t kLooksPerPacket = 128;
constexpr std::size_t kFindWork = 64;  // of a connection in its table, in instructions

constexpr std::array kConnlimitOptions = std::to_array<OptionSpec>({{"connlimit-upto", 1, true},
                                                                    {"connlimit-above", 1, true},
                                                                    {"connlimit-mask"},
                                                                    {"connlimit-saddr", 0},
                                                                    {"connlimit-daddr", 0}});

// A connection that counts for somebody. kernel: struct nf_conncount_tuple
struct CountedConnection {
    conntrack::Tuple tuple;
    Zone zone = 0;
    friend bool operator==(const CountedConnection&, const CountedConnection&) = default;
};

// Who has which connections, by masked address and zone. kernel: struct nf_conncount_data
class Counted {
  public:
    struct Group {
        IpAddress address;
        Zone zone = 0;
        PlaceList connections;         // as they came
        Place next = kNoPlace;         // to be looked at; kNoPlace: the first
        std::optional<Jiffies> swept;  // kernel: last_gc
    };
    struct Member {
        Links links;
        Place group = kNoPlace;
        CountedConnection connection;
    };

    [[nodiscard]] std::size_t remembered() const { return groups_.size(); }
    // Makes it if need be.
    Place group_of(const IpAddress& address, Zone zone, const SipKey& key);
    Group& group(Place place) { return groups_[place]; }
    Member& member(Place place) { return members_[place]; }
    // Unless it is there already.
    void add(Place group, const CountedConnection& connection, const SipKey& key);
    // The one behind it in its group.
    Place remove(Place member);
    // The next place of a group, round and round; kNoPlace: there is none, or nobody is at home.
    Place next_group();
    void remove_group(Place group) { groups_.remove(group); }

  private:
    KeyedTable<Group> groups_;
    KeyedTable<Member> members_;
    Place visited_ = 0;
};

Place Counted::group_of(const IpAddress& address, Zone zone, const SipKey& key) {
    const std::uint32_t hash = hash_of(key, address, address, zone);
    Place place = groups_.find(
        hash, [&](const Group& group) { return group.address == address && group.zone == zone; });
    if (place == kNoPlace) {
        place = groups_.add(hash);
        groups_[place] = {.address = address, .zone = zone};
    }
    return place;
}

void Counted::add(Place group, const CountedConnection& connection, const SipKey& key) {
    const conntrack::Tuple& tuple = connection.tuple;
    const std::uint64_t ports = std::uint64_t{tuple.source_port} << 16 | tuple.destination_port;
    const std::uint32_t hash =
        hash_of(key, tuple.source, tuple.destination, ports | std::uint64_t{group} << 32);
    const Place known = members_.find(hash, [&](const Member& member) {
        return member.group == group && member.connection == connection;
    });
    if (known != kNoPlace) {
        return;
    }
    const Place place = members_.add(hash);
    members_[place] = {{}, group, connection};
    groups_[group].connections.push_back(members_, place);
}

Place Counted::remove(Place member) {
    const Place after = members_[member].links.after;
    Group& group = groups_[members_[member].group];
    group.next = group.next == member ? after : group.next;
    group.connections.remove(members_, member);
    members_.remove(member);
    return after;
}

Place Counted::next_group() {
    visited_ = visited_ + 1 < groups_.places() ? visited_ + 1 : 0;
    return visited_ < groups_.places() && groups_.used(visited_) ? visited_ : kNoPlace;
}

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
    static void sweep(const ActionParam& par, Counted& counted, Place group,
                      const CountedConnection* until);
    static void forget_groups(const ActionParam& par, Counted& counted);
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
    par.charge(kFindWork);
    const auto hit = par.conntrack.table().find(counted.tuple, counted.zone, to_jiffies(par.now));
    return hit ? std::optional(hit->id) : std::nullopt;
}

bool ConnlimitMatch::gone(const ActionParam& par, const std::optional<ConnId>& conn) {
    return !conn || closed(par.conntrack.table()[*conn]);
}

// Those who came before `until`, or all; of a very large group some with each packet, in turn. A
// large group once per jiffy, and not all that is over at once: each packet adds one at most.
// kernel: __nf_conncount_add, nf_conncount_gc_list
void ConnlimitMatch::sweep(const ActionParam& par, Counted& counted, Place place,
                           const CountedConnection* until) {
    Counted::Group& group = counted.group(place);
    const Jiffies now = to_jiffies(par.now);
    if (std::exchange(group.swept, now) == now && group.connections.size > kEvictions) {
        return;
    }
    std::size_t evicted = 0;
    const bool in_turn = group.connections.size > kLooksPerPacket && group.next != kNoPlace;
    Place at = in_turn ? group.next : group.connections.first;
    for (std::size_t looks = 0; at != kNoPlace && evicted <= kEvictions && looks < kLooksPerPacket;
         ++looks) {
        const CountedConnection& connection = counted.member(at).connection;
        const auto conn = find(par, connection);
        if (conn && until != nullptr && connection == *until) {
            break;
        }
        const bool over = gone(par, conn);
        evicted += over ? 1 : 0;
        at = over ? counted.remove(at) : counted.member(at).links.after;
    }
    group.next = at;
}

// Groups of whom nobody comes any more: a few are looked at with each packet, in turn. kernel:
// tree_gc_worker
void ConnlimitMatch::forget_groups(const ActionParam& par, Counted& counted) {
    for (std::size_t i = 0; i < kGroupsPerPacket; ++i) {
        const Place place = counted.next_group();
        if (place == kNoPlace) {
            continue;
        }
        const PlaceList& connections = counted.group(place).connections;
        for (std::size_t looks = 0; looks < kEvictions && connections.size != 0; ++looks) {
            if (!gone(par, find(par, counted.member(connections.first).connection))) {
                break;
            }
            counted.remove(connections.first);
        }
        if (connections.size == 0) {
            counted.remove_group(place);
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
    const Place group = counted.group_of(address & mask, own->zone, par.hash_key);
    if (counted.group(group).connections.size != 0 && is_old(par, *own)) {
        sweep(par, counted, group, nullptr);
    } else {
        sweep(par, counted, group, &*own);
        counted.add(group, *own, par.hash_key);
    }
    return yes_if((counted.group(group).connections.size > limit) != upto);
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
    match->upto = (upto != nullptr) != given.inverted;
    match->by_destination = options.has("connlimit-daddr");
    if (match->by_destination && options.has("connlimit-saddr")) {
        context.error("--connlimit-saddr and --connlimit-daddr exclude each other");
        return nullptr;
    }
    match->mask = mask_of(context.family, context.v6() ? 128 : 32);
    if (const GivenOption* mask = options.find("connlimit-mask")) {
        const auto length = parse_prefix_length(mask->value, context.family);
        if (!length) {
            context.error(*mask, in_quotes(mask->value) + " is not the length of a prefix");
            return nullptr;
        }
        match->mask = mask_of(context.family, *length);
    }
    return match;
}

}  // namespace

const MatchModule kConnlimitMatch = {"connlimit", kBothFamilies, kConnlimitOptions,
                                     parse_connlimit};

}  // namespace nsr::rules
