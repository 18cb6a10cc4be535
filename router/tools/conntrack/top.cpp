#include "router/tools/conntrack/top.hpp"

#include <algorithm>
#include <iterator>

#include "router/tools/conntrack/entry.hpp"

namespace nsr::router {
namespace {

using conntrack::Connection;
using conntrack::Tuple;
namespace status = conntrack::status;

constexpr std::size_t kLooksPerCall = 500;

std::string state_of(const Connection& connection) {
    const std::string protocol(protocol_name(connection.protocol));
    const std::string_view state = conntrack::state_name(connection);
    if (!state.empty()) {
        return protocol + " " + std::string(state);
    }
    if (!connection.has(status::kSeenReply)) {
        return protocol + " UNREPLIED";
    }
    return protocol + (connection.has(status::kAssured) ? " ASSURED" : " REPLIED");
}

std::string port_of(const Tuple& tuple) {
    const std::string protocol(protocol_name(tuple.protocol));
    return ports_of(tuple.protocol) == Ports::Ports
               ? protocol + " " + number(tuple.destination_port)
               : protocol;
}

}  // namespace

std::optional<TopBy> parse_top_by(std::string_view name) {
    const auto found = std::find(kTopByNames.begin(), kTopByNames.end(), name);
    if (found == kTopByNames.end()) {
        return std::nullopt;
    }
    return static_cast<TopBy>(found - kTopByNames.begin());
}

bool Top::advance(const Router& router, Instant now) {
    const conntrack::Conntrack& conntrack = router.conntrack();
    std::size_t looks = kLooksPerCall;
    while (const auto id = conntrack.table().next(cursor_, looks)) {
        const bool lives = jiffies_until(conntrack.table()[*id].deadline, to_jiffies(now)) > 0;
        if (!lives || !selects(filter_, entry_of(conntrack, *id, now))) {
            continue;
        }
        std::uint64_t packets = 0;
        std::uint64_t bytes = 0;
        if (const conntrack::Extra* extra = conntrack.table().extra(*id);
            extra != nullptr && extra->counting != 0) {
            for (const conntrack::Counter& counter : extra->counters) {
                packets += counter.packets;
                bytes += counter.bytes;
            }
        }
        count(key_of(conntrack, *id), packets, bytes);
    }
    return !cursor_.over;
}

std::string Top::key_of(const conntrack::Conntrack& conntrack, ConnId id) const {
    const Connection& connection = conntrack.table()[id];
    switch (by_) {
        case TopBy::Source:
            return to_string(conntrack.table().tuple(id, Direction::Original).source);
        case TopBy::Destination:
            return to_string(conntrack.table().tuple(id, Direction::Original).destination);
        case TopBy::Port:
            return port_of(conntrack.table().tuple(id, Direction::Original));
        case TopBy::Protocol:
            return std::string(protocol_name(connection.protocol));
        case TopBy::State:
            return state_of(connection);
        case TopBy::Rule:
            break;
    }
    if (connection.accepted_by == RuleId::None) {
        return "none";
    }
    const auto place = places_->find(raw(connection.accepted_by));
    return place == places_->end() ? "a rule that is gone" : place->second;
}

void Top::count(const std::string& key, std::uint64_t packets, std::uint64_t bytes) {
    ++entries_;
    Tally& tally = tallies_[key];
    ++tally.entries;
    tally.packets += packets;
    tally.bytes += bytes;
    if (tallies_.size() > kMostKeys) {
        forget_some();
    }
}

void Top::forget_some() {
    std::vector<std::uint64_t> counts;
    counts.reserve(tallies_.size());
    for (const auto& [key, tally] : tallies_) {
        counts.push_back(tally.entries);
    }
    const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
    std::nth_element(counts.begin(), middle, counts.end());
    const std::uint64_t median = *middle;
    missing_ += median;
    for (auto each = tallies_.begin(); each != tallies_.end();) {
        const bool forgotten = each->second.entries <= median;
        each->second.entries -= std::min(each->second.entries, median);
        each = forgotten ? tallies_.erase(each) : std::next(each);
    }
}

std::vector<Top::Row> Top::rows(std::size_t most) const {
    std::vector<Row> rows;
    rows.reserve(tallies_.size());
    for (const auto& [key, tally] : tallies_) {
        rows.push_back({key, tally.entries, tally.packets, tally.bytes});
    }
    most = std::min(most, rows.size());
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(most), rows.end(),
                      [](const Row& a, const Row& b) {
                          return a.entries != b.entries ? a.entries > b.entries : a.key < b.key;
                      });
    rows.resize(most);
    return rows;
}

}  // namespace nsr::router
