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
    std::size_t found = 0;
    if (bits_.empty()) {
        std::sort(list_.begin(), list_.end());
        list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
        found = static_cast<std::size_t>(
            std::count_if(list_.begin(), list_.end(),
                          [=](std::uint16_t port) { return port >= first && port <= last; }));
    }
    for (std::size_t word = first / 64U; !bits_.empty() && word <= last / 64U; ++word) {
        std::uint64_t within = bits_[word];
        within &= word == first / 64U ? ~std::uint64_t{0} << first % 64 : ~std::uint64_t{0};
        within &= word == last / 64U ? ~std::uint64_t{0} >> (63 - last % 64) : ~std::uint64_t{0};
        found += static_cast<std::size_t>(std::popcount(within));
    }
    return found;
}

bool NatPorts::advance(Instant now, std::size_t most) {
    std::size_t looks = kLooksPerTurn;
    while (!connections_.over && looks != 0) {
        if (const auto id = router_.conntrack().table().next(connections_, looks)) {
            add(*id, looks, now);
        }
    }
    for (std::size_t i = 0; connections_.over && i < kRowsPerTurn && made_ < most; ++i, ++made_) {
        if (ports_.empty()) {
            return false;
        }
        auto counted = ports_.extract(ports_.begin());
        Ports& ports = counted.mapped();
        const std::size_t used = ports.used.count(ports.first, ports.last);
        rows_.push_back({.address = counted.key().first,
                         .protocol = counted.key().second,
                         .first = ports.first,
                         .last = ports.last,
                         .used = used,
                         .free = std::size_t{ports.last} - ports.first + 1 - used,
                         .beside = ports.used.count(0, 65535) - used});
    }
    return !connections_.over || (!ports_.empty() && made_ < most);
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
        Ports& ports = ports_[{body.outside.address, record.protocol}];
        widen(ports, record.protocol, &body.range);
        ports.used.insert(body.outside.port);
        ++translated_;
        return;
    }
    if (!record.has(status::kSrcNat)) {
        return;
    }
    const auto mapped = invert(table.tuple(id, Direction::Reply));
    if (!mapped) {
        return;
    }
    ++translated_;
    Ports& ports = ports_[{mapped->source, record.protocol}];
    widen(ports, record.protocol, ranges_.find(record.translated_by, looks));
    ports.used.insert(mapped->source_port);
}

// What the rule names, or what is chosen from without being told.
void NatPorts::widen(Ports& ports, std::uint8_t protocol, const nat::Range* range) {
    const bool named = range != nullptr && range->map_ports;
    const std::uint16_t least = proto::is_icmp(protocol) ? std::uint16_t{0} : nat::kFirstPort;
    const std::uint16_t first = named ? std::min(range->min_port, range->max_port) : least;
    const std::uint16_t last =
        named ? std::max(range->min_port, range->max_port) : std::uint16_t{65535};
    ports.first = ports.any ? std::min(ports.first, first) : first;
    ports.last = ports.any ? std::max(ports.last, last) : last;
    ports.any = true;
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
