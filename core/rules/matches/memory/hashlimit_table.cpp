#include "core/rules/matches/memory/hashlimit_table.hpp"

#include <algorithm>
#include <string>

#include "core/rules/matches/memory/byte_rate.hpp"
#include "core/rules/matches/memory/hashing.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr int kKeysPerPacket = 8;

// An SPI counts as ports. kernel: proto_ports_offset
std::optional<std::size_t> ports_offset(std::uint8_t protocol) {
    if (protocol == proto::kAh) {
        return 4;
    }
    return proto::has_ports(protocol) || protocol == proto::kEsp ? std::optional<std::size_t>(0)
                                                                 : std::nullopt;
}

bool is_over(Jiffies expires, Jiffies now) {
    return jiffies_until(expires, now) <= 0;
}

}  // namespace

// Without ports (ICMP, fragments) they are 0.
std::optional<HashlimitKey> HashlimitConfig::key_of(const Packet& packet) const {
    HashlimitKey key;
    const Layout& layout = packet.layout;
    if (by_source) {
        key.source = layout.source & source_mask;
    }
    if (by_destination) {
        key.destination = layout.destination & destination_mask;
    }
    if (!by_source_port && !by_destination_port) {
        return key;
    }
    if (layout.family == Family::Ipv6 && layout.protocol == proto::kNoNext) {
        return std::nullopt;  // kernel: ipv6_skip_exthdr
    }
    const auto offset = ports_offset(layout.protocol);
    if (!offset || !layout.has_l4_header()) {
        return key;
    }
    const auto l4 = packet.l4();
    if (l4.size() < *offset + 4) {
        return std::nullopt;
    }
    const std::uint8_t* ports = l4.data() + *offset;
    key.source_port = by_source_port ? wire::load16(ports) : std::uint16_t{0};
    key.destination_port = by_destination_port ? wire::load16(ports + 2) : std::uint16_t{0};
    return key;
}

std::uint64_t HashlimitConfig::most_credit() const {
    return bytes ? kByteCredits : period * burst * kCreditsPerUnit;
}

// kernel: user2rate, user2rate_bytes
std::uint64_t HashlimitConfig::rate() const {
    return bytes ? bytes_per_second(period) : kScale / period;
}

std::uint64_t HashlimitConfig::most_per_interval() const {
    if (!bytes) {
        return burst + rate();
    }
    return burst == 0 ? rate() : burst * rate();
}

HashlimitTable::Answer HashlimitTable::charge(ActionParam& par) {
    const auto key = config_.key_of(par.packet);
    if (!key) {
        return Answer::HotDrop;
    }
    const Jiffies now = to_jiffies(par.now);
    sweep(now);
    const std::uint32_t hash =
        hash_of(par.hash_key, key->source, key->destination,
                std::uint64_t{key->source_port} << 16 | key->destination_port);
    Place place = buckets_.find(hash, [&](const Bucket& bucket) { return bucket.key == *key; });
    const bool made = place == kNoPlace;
    if (made) {
        if (buckets_.size() >= config_.most_keys) {
            tell_full(par);
            return Answer::HotDrop;
        }
        place = buckets_.add(hash);
        buckets_[place].key = *key;
    }
    Bucket& bucket = buckets_[place];
    const bool fresh = made || is_over(bucket.expires, now);
    if (config_.rate_match) {
        return compare(bucket, fresh, par.packet.layout.total_length, now);
    }
    fill(bucket, fresh, now);
    const std::uint64_t cost = price(bucket, par.packet.layout.total_length);
    if (bucket.credit < cost) {
        return Answer::Above;
    }
    bucket.credit -= cost;
    return Answer::Within;
}

// What has expired, out of the next few places: the work per packet is bounded.
void HashlimitTable::sweep(Jiffies now) {
    const std::size_t looks = std::min<std::size_t>(kKeysPerPacket, buckets_.places());
    for (std::size_t i = 0; i < looks; ++i) {
        next_to_sweep_ = next_to_sweep_ + 1 < buckets_.places() ? next_to_sweep_ + 1 : 0;
        if (buckets_.used(next_to_sweep_) && is_over(buckets_[next_to_sweep_].expires, now)) {
            buckets_.remove(next_to_sweep_);
        }
    }
}

// Not with every packet. kernel: dsthash_alloc_init, net_ratelimit
void HashlimitTable::tell_full(ActionParam& par) {
    const Jiffies now = to_jiffies(par.now);
    if (told_full_ && now - *told_full_ < seconds_to_jiffies(5)) {
        return;
    }
    told_full_ = now;
    par.log.log(par.now, LogLevel::Error,
                "xt_hashlimit: max count of " + std::to_string(config_.most_keys) + " reached");
}

void HashlimitTable::fill(Bucket& bucket, bool fresh, Jiffies now) const {
    bucket.expires = now + milliseconds_to_jiffies(config_.expire_ms);
    if (fresh) {
        bucket.credit = config_.most_credit();
        bucket.refills = config_.burst;
    } else {
        const std::uint64_t per_jiffy = config_.bytes ? HashlimitConfig::kByteCreditsPerJiffy
                                                      : HashlimitConfig::kCreditsPerJiffy;
        const std::uint64_t grown = bucket.credit + (now - bucket.previous) * per_jiffy;
        bucket.credit =
            std::min(grown < bucket.credit ? ~std::uint64_t{0} : grown, config_.most_credit());
    }
    bucket.previous = now;
}

// Above: so much came in the last interval, or in this one already. kernel: rateinfo_recalc
HashlimitTable::Answer HashlimitTable::compare(Bucket& bucket, bool fresh, std::uint32_t length,
                                               Jiffies now) const {
    bucket.expires = now + milliseconds_to_jiffies(config_.expire_ms);
    const std::uint64_t interval = std::uint64_t{config_.interval} * kJiffiesPerSecond;
    const std::uint64_t passed = now - bucket.previous;
    if (fresh || (passed != 0 && passed >= interval)) {
        bucket.was_above = !fresh && bucket.counted * interval > passed * config_.rate();
        bucket.counted = 0;
        bucket.previous = now;
    }
    bucket.counted += config_.bytes ? length : 1;
    return !bucket.was_above && bucket.counted <= config_.most_per_interval() ? Answer::Within
                                                                              : Answer::Above;
}

// kernel: user2credits_byte, hashlimit_byte_cost
std::uint64_t HashlimitTable::price(Bucket& bucket, std::uint32_t length) const {
    if (!config_.bytes) {
        return config_.period * HashlimitConfig::kCreditsPerUnit;
    }
    constexpr std::uint64_t kFull = HashlimitConfig::kByteCredits;
    const std::uint64_t chunks = (length >> kChunkShift) + 1;
    const std::uint64_t price = std::min(chunks * (config_.period * kFull >> 32), kFull);
    if (bucket.credit < price && bucket.refills != 0) {
        --bucket.refills;
        bucket.credit = kFull;
    }
    return price;
}

}  // namespace nsr::rules
