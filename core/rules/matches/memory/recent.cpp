// -m recent: addresses seen lately, in lists that rules share by name.
// kernel: xt_recent.c
#include <algorithm>
#include <array>
#include <bit>

#include "core/rules/matches/memory/hashing.hpp"
#include "core/rules/matches/memory/keyed_table.hpp"
#include "core/rules/matches/memory/memory.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kRecentOptions = std::to_array<OptionSpec>({
    {"set", 0, true},
    {"rcheck", 0, true},
    {"update", 0, true},
    {"remove", 0, true},
    {"seconds"},
    {"reap", 0},
    {"hitcount"},
    {"rttl", 0},
    {"name"},
    {"mask"},
    {"rsource", 0},
    {"rdest", 0},
});
constexpr std::size_t kMaxEntries = 100;  // kernel: ip_list_tot
constexpr std::size_t kMinStamps = 32;
constexpr std::uint32_t kMaxHits = 65535;  // kernel: XT_RECENT_MAX_NSTAMPS - 1
constexpr std::size_t kMaxNameBytes = 199;

struct Entry {
    Links links;  // least recently touched first
    IpAddress address;
    unsigned ttl = 0;
    std::vector<Jiffies> stamps;  // a ring once it is full
    std::size_t index = 0;
};

// kernel: struct recent_table
class RecentList {
  public:
    // Room for as many stamps of each address.
    void keep(std::size_t stamps) { stamps_ = std::max(stamps_, stamps); }
    // With a TTL of 0 any will do. kernel: recent_entry_lookup
    [[nodiscard]] Place find(const IpAddress& address, std::uint32_t hash, unsigned ttl) const {
        return entries_.find(hash, [&](const Entry& entry) {
            return entry.address == address && (ttl == entry.ttl || ttl == 0 || entry.ttl == 0);
        });
    }
    Entry& operator[](Place place) { return entries_[place]; }
    // A new address takes the place of the one that was touched least recently, if need be.
    // kernel: recent_entry_init
    void add(const Entry& entry, std::uint32_t hash, Jiffies now);
    // kernel: recent_entry_update
    void touch(Place place, Jiffies now);
    void remove(Place place) {
        order_.remove(entries_, place);
        entries_.remove(place);
    }

  private:
    KeyedTable<Entry> entries_;
    PlaceList order_;
    std::size_t stamps_ = kMinStamps;
};

void RecentList::add(const Entry& entry, std::uint32_t hash, Jiffies now) {
    if (entries_.size() >= kMaxEntries) {
        remove(order_.first);
    }
    const Place place = entries_.add(hash);
    Entry& added = entries_[place];
    added.address = entry.address;
    added.ttl = entry.ttl;
    added.index = 0;
    added.stamps.clear();
    order_.push_back(entries_, place);
    touch(place, now);
}

void RecentList::touch(Place place, Jiffies now) {
    Entry& entry = entries_[place];
    entry.stamps.reserve(stamps_);
    entry.index %= stamps_;
    if (entry.index == entry.stamps.size()) {
        entry.stamps.push_back(now);
    } else {
        entry.stamps[entry.index] = now;
    }
    ++entry.index;
    order_.remove(entries_, place);
    order_.push_back(entries_, place);
}

class RecentMatch : public StatefulMatch<RecentList> {
  public:
    enum class Action : std::uint8_t { Set, Check, Update, Remove };

    RecentMatch() : StatefulMatch("recent") {}
    std::string save() const override;
    std::string shared_name() const override { return "recent/" + name; }

    Action action = Action::Set;
    bool invert = false;
    std::uint32_t seconds = 0;
    std::uint32_t hits = 0;
    bool reap = false;
    bool check_ttl = false;
    bool by_destination = false;
    std::string name = "DEFAULT";
    IpAddress mask;

  private:
    void join(RecentList& recent) const override;
    MatchResult test(ActionParam& par, RecentList& recent) const override;
    bool enough_hits(const ActionParam& par, const Entry& entry) const;
    void forget_old(const ActionParam& par, Entry& entry) const;
};

std::string RecentMatch::save() const {
    constexpr std::array<std::string_view, 4> kActions = {"--set", "--rcheck", "--update",
                                                          "--remove"};
    std::string text =
        std::string(bang(invert)) + std::string(kActions[static_cast<std::size_t>(action)]);
    if (seconds != 0) {
        append(text, "--seconds " + std::to_string(seconds));
    }
    if (reap) {
        append(text, "--reap");
    }
    if (hits != 0) {
        append(text, "--hitcount " + std::to_string(hits));
    }
    if (check_ttl) {
        append(text, "--rttl");
    }
    append(text, "--name " + whole_word(name) + " --mask " + nsr::to_string(mask));
    return text + (by_destination ? " --rdest" : " --rsource");
}

// A list has room for as many stamps as the most demanding of its rules asks for.
void RecentMatch::join(RecentList& recent) const {
    recent.keep(std::bit_ceil(std::size_t{hits}));
}

// An entry may have tens of thousands of stamps.
bool RecentMatch::enough_hits(const ActionParam& par, const Entry& entry) const {
    const Jiffies since = to_jiffies(par.now) - seconds_to_jiffies(seconds);
    std::uint32_t count = 0;
    for (const Jiffies stamp : entry.stamps) {
        par.charge(1);
        const bool too_old = seconds != 0 && static_cast<std::int32_t>(since - stamp) > 0;
        if (!too_old && (hits == 0 || ++count >= hits)) {
            return true;
        }
    }
    return false;
}

void RecentMatch::forget_old(const ActionParam& par, Entry& entry) const {
    const Jiffies since = to_jiffies(par.now) - seconds_to_jiffies(seconds);
    par.charge(entry.stamps.size());
    std::erase_if(entry.stamps,
                  [&](Jiffies stamp) { return static_cast<std::int32_t>(since - stamp) > 0; });
    entry.index = entry.stamps.size();
}

// kernel: recent_mt
MatchResult RecentMatch::test(ActionParam& par, RecentList& recent) const {
    const Layout& layout = par.packet.layout;
    const Jiffies now = to_jiffies(par.now);
    const IpAddress address = (by_destination ? layout.destination : layout.source) & mask;
    // The TTL as it came in: forwarding has taken one off by now.
    const bool forwarded =
        par.packet.meta.out != IfIndex::None && !par.packet.meta.locally_generated;
    const unsigned ttl = layout.ttl + (forwarded ? 1u : 0u);
    const std::uint32_t hash = hash_of(par.hash_key, address, address, 0);
    const Place place = recent.find(address, hash, check_ttl ? ttl : 0);
    if (place == kNoPlace) {
        if (action == Action::Set) {
            recent.add({.address = address, .ttl = ttl}, hash, now);
        }
        return yes_if((action == Action::Set) != invert);
    }
    if (action == Action::Remove) {
        recent.remove(place);
        return yes_if(!invert);
    }
    Entry& entry = recent[place];
    bool result = !invert;
    if (action != Action::Set) {
        result = enough_hits(par, entry) != invert;
        if (reap) {
            forget_old(par, entry);
        }
    }
    if (action == Action::Set || (action == Action::Update && result)) {
        recent.touch(place, now);
        entry.ttl = ttl;
    }
    return yes_if(result);
}

bool read_recent_numbers(const Options& options, RuleContext& context, RecentMatch& match) {
    const std::size_t errors = context.errors.size();
    match.seconds = static_cast<std::uint32_t>(
        read_number(options, context, "seconds", 1, 0xffffffff).value_or(0));
    match.hits = static_cast<std::uint32_t>(
        read_number(options, context, "hitcount", 0, kMaxHits).value_or(0));
    if (const GivenOption* given = options.find("mask")) {
        const auto mask = parse_host(given->value, context.family, context.names);
        if (!mask) {
            context.error(*given, in_quotes(given->value) + " is not a mask of this family");
        }
        match.mask = mask.value_or(match.mask);
    }
    const bool checks =
        match.action == RecentMatch::Action::Check || match.action == RecentMatch::Action::Update;
    if (!checks &&
        (match.seconds != 0 || match.hits != 0 || options.has("rttl") || options.has("reap"))) {
        context.error("--seconds, --hitcount, --rttl and --reap go with --rcheck or --update");
    }
    if (options.has("reap") && match.seconds == 0) {
        context.error("--reap needs --seconds");
    }
    return context.errors.size() == errors;
}

std::shared_ptr<const Match> parse_recent(const Options& options, RuleContext& context) {
    constexpr std::array<std::string_view, 4> kActions = {"set", "rcheck", "update", "remove"};
    auto match = std::make_shared<RecentMatch>();
    unsigned actions = 0;
    for (std::size_t i = 0; i < kActions.size(); ++i) {
        if (const GivenOption* given = options.find(kActions[i])) {
            match->action = static_cast<RecentMatch::Action>(i);
            match->invert = given->inverted;
            ++actions;
        }
    }
    if (actions != 1) {
        context.error("match \"recent\" needs exactly one of --set, --rcheck, --update, --remove");
        return nullptr;
    }
    match->reap = options.has("reap");
    match->check_ttl = options.has("rttl");
    for (const GivenOption& given : options.given) {  // the last one counts
        match->by_destination =
            given.name == "rdest" || (match->by_destination && given.name != "rsource");
    }
    match->mask = mask_of(context.family, context.v6() ? 128 : 32);
    if (const GivenOption* given = options.find("name")) {
        match->name = given->value.substr(0, kMaxNameBytes);
        // kernel: the name is that of a file below /proc/net/xt_recent
        if (match->name.empty() || match->name.find('/') != std::string::npos) {
            context.error(*given, "a list needs a name without /, not " + in_quotes(given->value));
            return nullptr;
        }
    }
    return read_recent_numbers(options, context, *match) ? match : nullptr;
}

}  // namespace

const MatchModule kRecentMatch = {"recent", kBothFamilies, kRecentOptions, parse_recent};

}  // namespace nsr::rules
