#include "core/conntrack/table/table.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/base/check.hpp"
#include "core/base/prefetch.hpp"
#include "core/conntrack/table/parts.hpp"

namespace nsr::conntrack {
namespace {

constexpr std::uint32_t kMostHelps = (1u << 29) - 1;  // Extra::help can name

// What is stored before this is stored before what follows, also for whoever maps the file after
// the process was killed: a process that dies leaves what it stored, in the order of its program.
void keep_store_order() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
}

}  // namespace

Table::Table(SipKey key, std::uint32_t buckets, std::unique_ptr<Memory> memory)
    : parts_(std::make_unique<TableParts>(key, buckets, std::move(memory))),
      records_(&parts_->records) {
}

Table::~Table() = default;

Tuple Table::tuple(ConnId id, Direction direction) const {
    const TupleKey key = parts_->key_of((*this)[id], direction);
    Tuple tuple;
    tuple.source = {{key.stored.source, 0, 0, 0}, key.family};
    tuple.destination = {{key.stored.destination, 0, 0, 0}, key.family};
    if (key.family == Family::Ipv6) {
        tuple.source.words = *key.source6;
        tuple.destination.words = *key.destination6;
    }
    tuple.source_port = key.stored.source_port;
    tuple.destination_port = key.stored.destination_port;
    tuple.protocol = key.protocol;
    return tuple;
}

bool Table::set_tuple(ConnId id, Direction direction, const Tuple& tuple) {
    Connection& record = (*this)[id];
    NSR_CHECK(record.commit == 0);
    const bool original = direction == Direction::Original;
    if (tuple.family() == Family::Ipv6) {
        if (record.v6 == kNoSide) {
            const std::optional<std::uint32_t> number = parts_->addresses.allocate();
            if (!number) {
                return false;
            }
            parts_->addresses[*number] = V6Addresses{};
            record.v6 = *number;
        }
        V6Addresses& v6 = parts_->addresses[record.v6];
        v6.words[original ? 0 : 2] = tuple.source.words;
        v6.words[original ? 1 : 3] = tuple.destination.words;
    }
    record.family = tuple.family();
    record.protocol = tuple.protocol;
    (original ? record.original : record.reply) = conntrack::key_of(tuple, 0).stored;
    return true;
}

Extra* Table::extra(ConnId id) {
    const std::uint32_t number = (*this)[id].extra;
    return number != kNoSide ? &parts_->extras[number] : nullptr;
}

const Extra* Table::extra(ConnId id) const {
    const std::uint32_t number = (*this)[id].extra;
    return number != kNoSide ? &parts_->extras[number] : nullptr;
}

Extra* Table::need_extra(ConnId id) {
    Connection& record = (*this)[id];
    if (record.extra == kNoSide) {
        const std::optional<std::uint32_t> number = parts_->extras.allocate();
        if (!number) {
            return nullptr;
        }
        parts_->extras[*number] = Extra{};
        keep_store_order();
        record.extra = *number;
    }
    return &parts_->extras[record.extra];
}

Help* Table::help(ConnId id) {
    const Extra* beside = extra(id);
    return beside != nullptr && beside->help != kNoSide ? &parts_->helps[beside->help] : nullptr;
}

const Help* Table::help(ConnId id) const {
    const Extra* beside = extra(id);
    return beside != nullptr && beside->help != kNoSide ? &parts_->helps[beside->help] : nullptr;
}

Help* Table::need_help(ConnId id) {
    Extra* beside = need_extra(id);
    if (beside == nullptr) {
        return nullptr;
    }
    if (beside->help == kNoSide) {
        const std::optional<std::uint32_t> number = parts_->helps.allocate();
        if (!number || *number > kMostHelps) {
            return nullptr;
        }
        parts_->helps[*number] = Help{};
        keep_store_order();
        beside->help = *number & kMostHelps;
    }
    return &parts_->helps[beside->help];
}

std::uint64_t Table::hash_of(const Tuple& tuple, Zone zone) const {
    return parts_->hash(key_of(tuple, zone));
}

// First every line of the index, then, those being on their way for a while, the records.
void Table::prefetch(std::span<const Upcoming> lookups) const {
    PrefetchList lines;
    for (const Upcoming& lookup : lookups) {
        lines.add(parts_->index.home_line(lookup.hash));
    }
    lines.prefetch();
    for (const Upcoming& lookup : lookups) {
        parts_->index.find(lookup.hash, [&](Reference reference) {
            const Connection& record = parts_->records[reference & kReferenceNumber];
            lines.add(&record);
            if (lookup.changes_protocol_state) {
                lines.add(&record.state);
            }
            return false;
        });
    }
    lines.prefetch();
}

std::optional<Hit> Table::find_hashed(const Tuple& tuple, Zone zone, std::uint64_t hash,
                                      Jiffies now) const {
    return parts_->find(key_of(tuple, zone), hash, now, [](const Hit&) { return true; });
}

std::optional<Hit> Table::find(const Tuple& tuple, Zone zone, Jiffies now,
                               std::optional<Direction> only) const {
    return parts_->find(key_of(tuple, zone), now,
                        [only](const Hit& hit) { return !only || hit.direction == *only; });
}

bool Table::zone_is_one_sided(const Connection& record) const {
    if (record.zone == 0 || record.extra == kNoSide) {
        return false;
    }
    const Extra& extra = parts_->extras[record.extra];
    return !extra.zone_original || !extra.zone_reply;
}

bool Table::taken(const Tuple& tuple, Zone zone, ConnId except, Jiffies now) const {
    const auto other = [this, except](const Hit& hit) {
        if (except == ConnId::None || hit.id == except) {
            return except == ConnId::None;
        }
        if (hit.direction == Direction::Original && zone_is_one_sided((*this)[except])) {
            return false;
        }
        // Two packets that began the same flow at once do not stand in each other's way.
        return !same(parts_->key_of((*this)[hit.id], Direction::Original),
                     parts_->key_of((*this)[except], Direction::Original));
    };
    return parts_->find(key_of(tuple, zone), now, other).has_value();
}

std::optional<ConnId> Table::allocate() {
    const std::optional<std::uint32_t> number = parts_->records.allocate();
    if (!number) {
        return std::nullopt;
    }
    Connection& record = parts_->records[*number];
    record.commit = 0;
    keep_store_order();
    record = Connection{};
    record.wheel_previous = kUnlinked;
    ++parts_->size;
    return ConnId{*number};
}

bool Table::insert(ConnId id, Jiffies now) {
    Connection& record = (*this)[id];
    NSR_CHECK(record.commit == 0 && record.wheel_previous == kUnlinked);
    // A zone for one direction keeps apart what has the same tuple in the other. kernel:
    // nf_ct_key_equal
    const bool one_sided = zone_is_one_sided(record);
    for (const Direction direction : {Direction::Original, Direction::Reply}) {
        const auto clash = [&](const Hit& hit) { return !one_sided || hit.direction == direction; };
        if (parts_->find(parts_->key_of(record, direction), now, clash)) {
            return false;
        }
    }
    if (!parts_->enter(raw(id), now)) {
        return false;
    }
    if (one_sided) {
        parts_->put_first(raw(id));
    }
    record.status |= status::kConfirmed;
    keep_store_order();
    record.commit = parts_->commit_word(raw(id));
    parts_->eviction.confirmed(raw(id));
    return true;
}

void Table::erase(ConnId id) {
    Connection& record = (*this)[id];
    if (record.commit != 0) {
        record.commit = 0;
        keep_store_order();
        parts_->leave(raw(id));
    } else {
        NSR_CHECK(record.wheel_previous == kUnlinked);
    }
    parts_->free_sides(record);
    record.wheel_previous = kFree;
    parts_->records.release(raw(id));
    --parts_->size;
}

std::uint32_t Table::size() const {
    return parts_->size;
}

std::uint32_t Table::buckets() const {
    return parts_->buckets;
}

void Table::resize(std::uint32_t buckets) {
    parts_->buckets = buckets;
    parts_->index.set_minimum(lines_for(buckets));
}

std::size_t Table::bytes_in_use() const {
    return parts_->records.bytes() + parts_->addresses.bytes() + parts_->extras.bytes() +
           parts_->helps.bytes() + parts_->index.bytes();
}

std::optional<ConnId> Table::next(std::optional<ConnId> after) const {
    const Arena<Connection>& records = parts_->records;
    std::uint32_t number = after ? raw(*after) + 1 : records.begin();
    while (number < records.end() && records[number].commit == 0) {
        ++number;
    }
    return number < records.end() ? std::optional(ConnId{number}) : std::nullopt;
}

std::optional<ConnId> Table::next(Cursor& cursor, std::size_t& looks) const {
    const Arena<Connection>& records = parts_->records;
    while (looks != 0 && cursor.at < records.end()) {
        --looks;
        const std::uint32_t number = cursor.at++;
        if (records[number].commit != 0) {
            return ConnId{number};
        }
    }
    cursor.over = cursor.at >= records.end();
    return std::nullopt;
}

std::optional<Jiffies> Table::next_deadline() const {
    return parts_->wheel.next();
}

bool Table::collect_expired(Jiffies now, std::size_t limit, std::vector<ConnId>& out) {
    parts_->index.settle();
    const std::size_t first = out.size();
    const bool complete = parts_->wheel.collect(now, limit, out);
    parts_->foresee(std::span(out).subspan(first));  // whoever asked is about to erase them
    return complete;
}

static_assert(Table::kLooksWithin >= Wheel::kHorizon);

void Table::deadline_lowered(ConnId id, Jiffies now) {
    NSR_CHECK((*this)[id].commit != 0);
    parts_->wheel.disarm(raw(id));
    parts_->wheel.arm(raw(id), now);
}

std::optional<ConnId> Table::victim(Jiffies now) {
    const std::optional<std::uint32_t> number = parts_->eviction.choose(now);
    return number ? std::optional(ConnId{*number}) : std::nullopt;
}

}  // namespace nsr::conntrack
