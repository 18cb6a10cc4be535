// The ports and ids in use outside, counted over the connections when somebody asks: packets pay
// nothing for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "core/base/instant.hpp"
#include "core/conntrack/table/table.hpp"
#include "core/nat/range.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/nat_mappings.hpp"

namespace nsr::procfs {

// Ports, as a list while they are few (a pool may have many addresses), then as one bit for each.
class PortSet {
  public:
    void insert(std::uint16_t port);
    // How many there are from `first` to `last`.
    std::size_t count(std::uint16_t first, std::uint16_t last);

  private:
    static constexpr std::size_t kFew = 2048;
    void set(std::uint16_t port) { bits_[port / 64] |= std::uint64_t{1} << port % 64; }
    void sort();

    std::vector<std::uint16_t> list_;  // again and again, until it is sorted
    bool sorted_ = true;
    std::vector<std::uint64_t> bits_;
};

class NatPorts {
  public:
    // One outside address and protocol, and a range of ports or ids that a rule has for them.
    struct Row {
        IpAddress address;
        std::uint8_t protocol = 0;
        std::uint16_t first = 0;
        std::uint16_t last = 0;
        std::size_t used = 0;    // of those from first to last
        std::size_t free = 0;    // of the same
        std::size_t beside = 0;  // of the first row of both: in use, and in none of their ranges
    };

    // `router` must outlive it.
    explicit NatPorts(const Router& router) : router_(router), ranges_(router) {}

    // Looks at a few connections, and behind the last one makes a few of the first `most` rows.
    // False: all is counted.
    bool advance(Instant now, std::size_t most);
    // By address, protocol and range. Complete when advance() has said so.
    [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
    // The rows that there are now no more.
    void clear_rows() { rows_.clear(); }
    // Connections whose source is translated.
    [[nodiscard]] std::size_t translated() const { return translated_; }

  private:
    using Pool = std::pair<IpAddress, std::uint8_t>;
    using Range = std::pair<std::uint16_t, std::uint16_t>;  // first and last
    struct Ports {
        [[nodiscard]] std::size_t count_beside();

        std::set<Range> ranges;
        PortSet used;
        bool shown = false;  // one of the ranges is
    };
    void add(ConnId id, std::size_t& looks, Instant now);
    void add(const Pool& pool, const nat::Range* range, std::uint16_t port);
    void make_row();

    const Router& router_;
    SourceRanges ranges_;
    conntrack::Table::Cursor connections_;
    std::map<Pool, Ports> ports_;  // whose ranges are not in rows yet
    std::size_t translated_ = 0;
    std::size_t made_ = 0;
    std::vector<Row> rows_;
};

}  // namespace nsr::procfs
