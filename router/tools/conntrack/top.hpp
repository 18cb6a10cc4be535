// Who has the most connections: a walk over the table that counts by source, destination, port,
// protocol, state or rule.
//
// Theory of operation
//   Piece by piece, as every walk. Of keys there may be as many as there are connections, and
//   memory is bounded: when there are more than kMostKeys, the median of their counts is taken from
//   all, and who has nothing left is forgotten (Misra and Gries). What is counted then is too low
//   by missing_at_most() at most, the same for every key, and whoever has more connections than
//   that is among those that are left.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/pipeline/router.hpp"
#include "router/tools/conntrack/args.hpp"
#include "router/tools/conntrack/command.hpp"

namespace nsr::router {

enum class TopBy : std::uint8_t { Source, Destination, Port, Protocol, State, Rule };
inline constexpr std::array<std::string_view, 6> kTopByNames = {"source",   "destination", "port",
                                                                "protocol", "state",       "rule"};
std::optional<TopBy> parse_top_by(std::string_view name);

class Top {
  public:
    static constexpr std::size_t kMostKeys = 8192;

    // `places`: of the rules, for TopBy::Rule.
    Top(TopBy by, ConntrackFilter filter, std::shared_ptr<const RulePlaces> places = nullptr)
        : by_(by), filter_(std::move(filter)), places_(std::move(places)) {}

    // Another table follows, whose entries count as well.
    void begin_table() { cursor_ = {}; }
    // Looks at a bounded number of entries. False: that was the last of them.
    bool advance(const Router& router, Instant now);

    struct Row {
        std::string key;
        std::uint64_t entries = 0;
        // Of those connections that are counted (nf_conntrack_acct), both directions.
        std::uint64_t packets = 0;
        std::uint64_t bytes = 0;
    };
    // Those with the most connections.
    [[nodiscard]] std::vector<Row> rows(std::size_t most) const;
    [[nodiscard]] TopBy by() const { return by_; }
    [[nodiscard]] std::uint64_t entries() const { return entries_; }
    [[nodiscard]] std::size_t keys() const { return tallies_.size(); }
    [[nodiscard]] std::uint64_t missing_at_most() const { return missing_; }

    // One connection more.
    void count(const std::string& key, std::uint64_t packets, std::uint64_t bytes);

  private:
    struct Tally {
        std::uint64_t entries = 0;
        std::uint64_t packets = 0;
        std::uint64_t bytes = 0;
    };
    [[nodiscard]] std::string key_of(const conntrack::Conntrack& conntrack, ConnId id) const;
    void forget_some();

    TopBy by_;
    ConntrackFilter filter_;
    std::shared_ptr<const RulePlaces> places_;
    conntrack::Table::Cursor cursor_;
    std::map<std::string, Tally> tallies_;  // no hash that packets could aim at
    std::uint64_t entries_ = 0;
    std::uint64_t missing_ = 0;
};

}  // namespace nsr::router
