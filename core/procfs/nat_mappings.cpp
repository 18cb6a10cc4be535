#include "core/procfs/nat_mappings.hpp"

#include <algorithm>
#include <utility>

#include "core/procfs/files.hpp"
#include "core/procfs/text.hpp"
#include "core/rules/target.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::procfs {

namespace {

using conntrack::Conntrack;
using conntrack::Tuple;
namespace status = conntrack::status;

constexpr std::size_t kLooksPerRead = 2000;
constexpr std::size_t kLooksPerRule = 200;  // what looking up a rule costs

struct End {
    IpAddress address;
    std::uint16_t port = 0;
};

bool has_ports(std::uint8_t protocol) {
    return conntrack::protocol_name(protocol) != "unknown" && protocol != proto::kGre;
}

// "mapped-src=192.0.2.1 mapped-sport=4000 ": of `side` "src" and "sport", or the id of a query.
void append_end(std::string& out, std::string_view prefix, bool source, std::uint8_t protocol,
                const End& end) {
    out.append(prefix).append(source ? "src=" : "dst=").append(to_string(end.address)).append(" ");
    const bool icmp = proto::is_icmp(protocol);
    if (!has_ports(protocol) || (icmp && !source)) {
        return;
    }
    out.append(prefix).append(icmp ? "id=" : source ? "sport=" : "dport=");
    text::append(out, end.port);
    out.append(" ");
}

std::string endpoint_text(const nat::Source& source) {
    const std::string address = to_string(source.address);
    return (source.address.is_v6() ? "[" + address + "]" : address) + ":" +
           std::to_string(source.port);
}

void append_answer(std::string& out, const nat::PortAnswer& answer) {
    if (answer.reason == nat::PortReason::Kept) {
        out += " port-kept=yes\n";
        return;
    }
    out.append(" why-not-kept=").append(name_of(answer.reason));
    if (answer.holder) {
        out += "-by(" + endpoint_text(*answer.holder) + ")";
    }
    out += "\n";
}

class MappingCursor : public Cursor {
  public:
    MappingCursor(const Router& router, const MappingFilter& filter)
        : router_(router), filter_(filter), ranges_(router) {}

    bool read(std::string& out, std::size_t bytes, Instant now) override {
        const std::size_t enough = out.size() + bytes;
        std::size_t looks = kLooksPerRead;
        while (!mappings_over_ && looks != 0 && out.size() < enough) {
            --looks;
            append_next_mapping(out);
        }
        while (mappings_over_ && looks != 0 && out.size() < enough) {
            const auto id = router_.conntrack().table().next(connections_, looks);
            if (!id) {
                return !connections_.over;
            }
            append_connection(out, *id, looks, now);
        }
        return true;
    }

  private:
    void append_next_mapping(std::string& out);
    void append_connection(std::string& out, ConnId id, std::size_t& looks, Instant now);
    [[nodiscard]] bool shows(const End& end) const {
        return (!filter_.address || *filter_.address == end.address) &&
               (!filter_.port || *filter_.port == end.port);
    }
    [[nodiscard]] bool shows(std::uint8_t protocol, const End& inside, const End& outside) const {
        return (filter_.protocol == 0 || filter_.protocol == protocol) &&
               (shows(inside) || shows(outside));
    }

    const Router& router_;
    MappingFilter filter_;
    SourceRanges ranges_;
    nat::MappingId last_ = nat::kNoMapping;  // that was shown
    bool mappings_over_ = false;
    conntrack::Table::Cursor connections_;
};

void MappingCursor::append_next_mapping(std::string& out) {
    const nat::Mappings& mappings = router_.nat().mappings();
    const auto next = mappings.all().upper_bound(last_);
    if (next == mappings.all().end()) {
        mappings_over_ = true;
        return;
    }
    last_ = next->first;
    const nat::Mapping& mapping = next->second;
    const nat::Source& source = mapping.inside.source;
    const nat::Behaviour& behaviour = mapping.range.behaviour;
    const End inside{source.address, source.port};
    const End outside{mapping.outside.address, mapping.outside.port};
    if (!mappings.in_use(last_) || !shows(source.protocol, inside, outside)) {
        return;
    }
    out.append(conntrack::protocol_name(source.protocol)).append(" ");
    append_end(out, "", true, source.protocol, inside);
    if (behaviour.mapping == nat::Dependence::Address) {
        out.append("dst=").append(to_string(mapping.inside.to_address)).append(" ");
    } else if (behaviour.mapping == nat::Dependence::AddressAndPort) {
        append_end(out, "", false, source.protocol,
                   {mapping.inside.to_address, mapping.inside.to_port});
    }
    append_end(out, "mapped-", true, source.protocol, outside);
    out.append("mapping=").append(name_of(behaviour.mapping));
    out.append(" filtering=").append(name_of(behaviour.filtering));
    out.append(" sessions=");
    text::append(out, mapping.sessions);
    append_answer(out, why_port(mappings, mapping));
}

// One that a rule without behaviour translated.
void MappingCursor::append_connection(std::string& out, ConnId id, std::size_t& looks,
                                      Instant now) {
    const Conntrack& conntrack = router_.conntrack();
    const conntrack::Connection& record = conntrack.table()[id];
    const nat::Mappings& mappings = router_.nat().mappings();
    const bool over = jiffies_until(record.deadline, to_jiffies(now)) <= 0;
    const bool shown = !mappings.empty() && mappings.mapping_of(id) != nat::kNoMapping;
    if (!record.has_any(status::kNatMask) || over || shown) {
        return;
    }
    const Tuple original = conntrack.table().tuple(id, Direction::Original);
    const Tuple reply = conntrack.table().tuple(id, Direction::Reply);
    const bool source = record.has(status::kSrcNat);
    const End from{original.source, original.source_port};
    const End to{original.destination, original.destination_port};
    const End mapped_from{reply.destination, proto::is_icmp(record.protocol)
                                                 ? reply.source_port
                                                 : reply.destination_port};
    const End mapped_to{reply.source, reply.source_port};
    const bool asked = (source && shows(record.protocol, from, mapped_from)) ||
                       (record.has(status::kDstNat) && shows(record.protocol, to, mapped_to));
    if (!asked) {
        return;
    }
    out.append(conntrack::protocol_name(record.protocol)).append(" ");
    append_end(out, "", true, record.protocol, from);
    append_end(out, "", false, record.protocol, to);
    if (source) {
        append_end(out, "mapped-", true, record.protocol, mapped_from);
    }
    if (record.has(status::kDstNat)) {
        append_end(out, "mapped-", false, record.protocol, mapped_to);
    }
    out += "mapping=linux sessions=1";
    if (!source || !has_ports(record.protocol)) {
        out += "\n";
        return;
    }
    const bool kept = from.port == mapped_from.port;
    const nat::Range* range = kept ? nullptr : ranges_.find(record.translated_by, looks);
    append_answer(out, router_.nat().why_port(id, range, now));
}

}  // namespace

const nat::Range* SourceRanges::find(RuleId rule, std::size_t& looks) {
    if (rule == RuleId::None) {
        return nullptr;
    }
    const auto [known, added] = known_.try_emplace(rule);
    if (added) {
        looks -= std::min(looks, kLooksPerRule);
        const rules::Rule* found = router_.find_rule(rule);
        const nat::Range* range =
            found != nullptr && found->target ? found->target->source_range() : nullptr;
        known->second = range != nullptr ? std::optional(*range) : std::nullopt;
    }
    return known->second ? &*known->second : nullptr;
}

std::unique_ptr<Cursor> open_nat_mappings(const Context& context, const MappingFilter& filter) {
    return std::make_unique<MappingCursor>(context.router, filter);
}

std::unique_ptr<Cursor> open_all_nat_mappings(const Context& context) {
    return open_nat_mappings(context, {});
}

}  // namespace nsr::procfs
