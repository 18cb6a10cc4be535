#include "core/procfs/nat_ports.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "core/conntrack/names.hpp"
#include "core/procfs/files.hpp"
#include "core/procfs/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::procfs {

using conntrack::Tuple;
namespace status = conntrack::status;

namespace {

constexpr std::size_t kLooksPerTurn = 2000;
constexpr std::size_t kRowsPerTurn = 4;  // each counts up to 65536 ports

}  // namespace

void PortSet::insert(std::uint16_t port) {
    if (bits_.empty() && list_.size() < kFew) {
        list_.push_back(port);
        sorted_ = false;
        return;
    }
    if (bits_.empty()) {
        bits_.resize(65536 / 64);
        std::for_each(list_.begin(), list_.end(), [this](std::uint16_t known) { set(known); });
        list_ = {};
    }
    set(port);
}

std::size_t PortSet::count(std::uint16_t first, std::uint16_t last) {
    if (bits_.empty()) {
        sort();
        return static_cast<std::size_t>(std::upper_bound(list_.begin(), list_.end(), last) -
                                        std::lower_bound(list_.begin(), list_.end(), first));
    }
    std::size_t found = 0;
    for (std::size_t word = first / 64U; word <= last / 64U; ++word) {
        std::uint64_t within = bits_[word];
        within &= word == first / 64U ? ~std::uint64_t{0} << first % 64 : ~std::uint64_t{0};
        within &= word == last / 64U ? ~std::uint64_t{0} >> (63 - last % 64) : ~std::uint64_t{0};
        found += static_cast<std::size_t>(std::popcount(within));
    }
    return found;
}

void PortSet::sort() {
    if (!std::exchange(sorted_, true)) {
        std::sort(list_.begin(), list_.end());
        list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
    }
}

bool NatPorts::advance(Instant now, std::size_t most) {
    std::size_t looks = kLooksPerTurn;
    while (!connections_.over && looks != 0) {
        if (const auto id = router_.conntrack().table().next(connections_, looks)) {
            add(*id, looks, now);
        }
    }
    for (std::size_t i = 0;
         connections_.over && i < kRowsPerTurn && made_ < most && !ports_.empty(); ++i, ++made_) {
        make_row();
    }
    return !connections_.over || (!ports_.empty() && made_ < most);
}

void NatPorts::make_row() {
    const auto pool = ports_.begin();
    Ports& ports = pool->second;
    const std::size_t beside = std::exchange(ports.shown, true) ? 0 : ports.count_beside();
    const auto [first, last] = ports.ranges.extract(ports.ranges.begin()).value();
    const std::size_t used = ports.used.count(first, last);
    rows_.push_back({.address = pool->first.first,
                     .protocol = pool->first.second,
                     .first = first,
                     .last = last,
                     .used = used,
                     .free = std::size_t{last} - first + 1 - used,
                     .beside = beside});
    if (ports.ranges.empty()) {
        ports_.erase(pool);
    }
}

// Ranges may overlap; they are by their first port.
std::size_t NatPorts::Ports::count_beside() {
    std::size_t within = 0;
    unsigned next = 0;
    for (const auto& [first, last] : ranges) {
        const unsigned begin = std::max<unsigned>(first, next);
        if (begin <= last) {
            within += used.count(static_cast<std::uint16_t>(begin), last);
            next = last + 1U;
        }
    }
    return used.count(0, 65535) - within;
}

void NatPorts::add(ConnId id, std::size_t& looks, Instant now) {
    const conntrack::Table& table = router_.conntrack().table();
    const conntrack::Connection& record = table[id];
    const nat::Mappings& mappings = router_.nat().mappings();
    const nat::MappingId mapping = mappings.empty() ? nat::kNoMapping : mappings.mapping_of(id);
    const bool over = jiffies_until(record.deadline, to_jiffies(now)) <= 0;
    if (over || record.protocol == proto::kGre) {
        return;
    }
    if (mapping != nat::kNoMapping) {
        const nat::Mapping& body = mappings[mapping];
        add({body.outside.address, record.protocol}, &body.range, body.outside.port);
        return;
    }
    if (!record.has(status::kSrcNat)) {
        return;
    }
    if (const auto mapped = invert(table.tuple(id, Direction::Reply))) {
        add({mapped->source, record.protocol}, ranges_.find(record.translated_by, looks),
            mapped->source_port);
    }
}

// The range is what the rule names, or what is chosen from without being told.
void NatPorts::add(const Pool& pool, const nat::Range* range, std::uint16_t port) {
    const bool named = range != nullptr && range->map_ports;
    const std::uint16_t least = proto::is_icmp(pool.second) ? std::uint16_t{0} : nat::kFirstPort;
    const Range chosen_from = named ? Range(std::minmax(range->min_port, range->max_port))
                                    : Range(least, std::uint16_t{65535});
    Ports& ports = ports_[pool];
    ports.ranges.insert(chosen_from);
    ports.used.insert(port);
    ++translated_;
}

namespace {

void append_row(std::string& out, const NatPorts::Row& row) {
    out.append(conntrack::protocol_name(row.protocol))
        .append(" mapped-src=")
        .append(to_string(row.address));
    out.append(proto::is_icmp(row.protocol) ? " ids=" : " ports=");
    text::append(out, row.first);
    out.append("-");
    text::append(out, row.last);
    out.append(" used=");
    text::append(out, row.used);
    out.append(" free=");
    text::append(out, row.free);
    if (row.beside != 0) {
        out.append(" beside=");
        text::append(out, row.beside);
    }
    out.append("\n");
}

// Goes over the connections first, and then has something to show.
class PortsCursor : public Cursor {
  public:
    explicit PortsCursor(const Router& router) : ports_(router) {}

    bool read(std::string& out, std::size_t /*bytes*/, Instant now) override {
        const bool more = ports_.advance(now, std::numeric_limits<std::size_t>::max());
        for (const NatPorts::Row& row : ports_.rows()) {
            append_row(out, row);
        }
        ports_.clear_rows();
        return more;
    }

  private:
    NatPorts ports_;
};

}  // namespace

std::unique_ptr<Cursor> open_nat_ports(const Context& context) {
    return std::make_unique<PortsCursor>(context.router);
}

}  // namespace nsr::procfs
