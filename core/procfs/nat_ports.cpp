// The ports and ids in use outside, counted when the file is read: packets pay nothing for it.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "core/procfs/files.hpp"
#include "core/procfs/nat_mappings.hpp"
#include "core/procfs/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::procfs {

namespace {

using conntrack::Tuple;
namespace status = conntrack::status;

constexpr std::size_t kLooksPerRead = 2000;
constexpr std::size_t kRowBytesPerRead = 256;  // a few rows: each counts up to 65536 ports

// Ports, as a list while they are few (a pool may have many addresses), then as one bit for each.
class PortSet {
  public:
    void insert(std::uint16_t port) {
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
    // How many there are from `first` to `last`.
    std::size_t count(std::uint16_t first, std::uint16_t last) {
        std::size_t found = 0;
        if (bits_.empty()) {
            std::sort(list_.begin(), list_.end());
            list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
            found = static_cast<std::size_t>(
                std::count_if(list_.begin(), list_.end(),
                              [=](std::uint16_t port) { return port >= first && port <= last; }));
        }
        for (std::uint32_t port = first; !bits_.empty() && port <= last; ++port) {
            found += bits_[port / 64] >> port % 64 & 1;
        }
        return found;
    }

  private:
    static constexpr std::size_t kFew = 2048;
    void set(std::uint16_t port) { bits_[port / 64] |= std::uint64_t{1} << port % 64; }

    std::vector<std::uint16_t> list_;  // again and again
    std::vector<std::uint64_t> bits_;
};

// The ports of one outside address and protocol.
struct Ports {
    std::uint16_t first = 0;
    std::uint16_t last = 0;
    bool any = false;
    PortSet used;
};

// Goes over the connections first, and then has something to show.
class PortsCursor : public Cursor {
  public:
    explicit PortsCursor(const Router& router) : router_(router), ranges_(router) {}

    bool read(std::string& out, std::size_t bytes, Instant now) override {
        std::size_t looks = kLooksPerRead;
        while (!connections_.over && looks != 0) {
            if (const auto id = router_.conntrack().table().next(connections_, looks)) {
                add(*id, looks, now);
            }
        }
        const std::size_t enough = out.size() + std::min(bytes, kRowBytesPerRead);
        while (connections_.over && !ports_.empty() && out.size() < enough) {
            auto row = ports_.extract(ports_.begin());
            append_row(out, row.key().first, row.key().second, row.mapped());
        }
        return !connections_.over || !ports_.empty();
    }

  private:
    void add(ConnId id, std::size_t& looks, Instant now);
    static void append_row(std::string& out, const IpAddress& address, std::uint8_t protocol,
                           Ports& ports);
    static void widen(Ports& ports, std::uint8_t protocol, const nat::Range* range);

    const Router& router_;
    SourceRanges ranges_;
    conntrack::Table::Cursor connections_;
    std::map<std::pair<IpAddress, std::uint8_t>, Ports> ports_;
};

void PortsCursor::add(ConnId id, std::size_t& looks, Instant now) {
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
        return;
    }
    if (!record.has(status::kSrcNat)) {
        return;
    }
    const auto mapped = invert(table.tuple(id, Direction::Reply));
    if (!mapped) {
        return;
    }
    Ports& ports = ports_[{mapped->source, record.protocol}];
    widen(ports, record.protocol, ranges_.find(record.translated_by, looks));
    ports.used.insert(mapped->source_port);
}

// What the rule names, or what is chosen from without being told.
void PortsCursor::widen(Ports& ports, std::uint8_t protocol, const nat::Range* range) {
    const bool named = range != nullptr && range->map_ports;
    const std::uint16_t least = proto::is_icmp(protocol) ? std::uint16_t{0} : nat::kFirstPort;
    const std::uint16_t first = named ? std::min(range->min_port, range->max_port) : least;
    const std::uint16_t last =
        named ? std::max(range->min_port, range->max_port) : std::uint16_t{65535};
    ports.first = ports.any ? std::min(ports.first, first) : first;
    ports.last = ports.any ? std::max(ports.last, last) : last;
    ports.any = true;
}

void PortsCursor::append_row(std::string& out, const IpAddress& address, std::uint8_t protocol,
                             Ports& ports) {
    out.append(conntrack::protocol_name(protocol))
        .append(" mapped-src=")
        .append(to_string(address));
    out.append(proto::is_icmp(protocol) ? " ids=" : " ports=");
    text::append(out, ports.first);
    out.append("-");
    text::append(out, ports.last);
    out.append(" used=");
    text::append(out, ports.used.count(0, 65535));
    out.append(" free=");
    text::append(
        out, std::size_t{ports.last} - ports.first + 1 - ports.used.count(ports.first, ports.last));
    out.append("\n");
}

}  // namespace

std::unique_ptr<Cursor> open_nat_ports(const Context& context) {
    return std::make_unique<PortsCursor>(context.router);
}

}  // namespace nsr::procfs
