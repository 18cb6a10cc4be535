#include "core/rules/program/verdict_cache.hpp"

#include <algorithm>
#include <bit>

#include "core/base/check.hpp"
#include "core/base/hashing.hpp"
#include "core/rules/program/evaluate.hpp"
#include "core/rules/program/packet_key.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::rules {

namespace {

std::uint8_t chain_of(const ActionParam& par) {
    const auto both = chain_number(par.table, par.hook) * 2;
    return static_cast<std::uint8_t>(both + index_of(par.packet.layout.family));
}

// Without a key: packets that are made to fall into one place are walked, as without a cache.
std::size_t hash_of(const WalkKey::Words& key) {
    std::uint64_t hash = 0;
    for (const std::uint64_t word : key) {
        hash = (std::rotl(hash, 23) ^ word) * kGoldenMultiplier;
    }
    return static_cast<std::size_t>(hash >> 32);
}

bool same(const WalkKey::Words& a, const WalkKey::Words& b) {
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference |= a[i] ^ b[i];
    }
    return difference == 0;
}

// Of the first walk of a direction of a connection.
std::size_t first_place(const Meta& meta, unsigned places) {
    return (std::size_t{raw(meta.conn)} * 2 + index_of(direction_of(meta.ct_info))) * places;
}

void count(RuleCounters& counters, std::uint32_t bytes) {
    ++counters.packets;
    counters.bytes += bytes;
}

}  // namespace

std::optional<WalkKey> walk_key_of(const ActionParam& par, std::uint8_t tcp_flags) {
    const Packet& packet = par.packet;
    const Layout& layout = packet.layout;
    const std::optional<PacketPorts> ports = ports_of(packet);
    if (!ports) {
        return std::nullopt;
    }
    WalkKey key;
    key.source = layout.source.words;
    key.destination = layout.destination.words;
    key.source_port = ports->source;
    key.destination_port = ports->destination;
    key.in = packet.meta.in;
    key.out = packet.meta.out;
    key.mark = packet.meta.mark;
    key.protocol = layout.protocol;
    if (layout.protocol == proto::kTcp) {
        key.tcp_flags = packet.l4()[wire::tcp::kFlagsOffset] & tcp_flags;
    }
    key.state = static_cast<std::uint8_t>(state_bits(par));
    key.chain = chain_of(par);
    return key;
}

VerdictCache::Sought::Sought(const WalkKey& of, const Meta& meta, ChainOrder chain)
    : key(of.words()),
      place((meta.conn == ConnId::None ? hash_of(key) : first_place(meta, chain.of) + chain.order) %
            kPlaces),
      begins((of.state & ctstate::kNew) != 0) {
}

void VerdictCache::prefetch(const Meta& meta, std::uint8_t places, std::uint8_t asked) const {
    const std::size_t first = first_place(meta, places);
    for (std::size_t i = 0; i < asked; ++i) {
        const Walk& walk = walks_[(first + i) % kPlaces];
        __builtin_prefetch(&walk.key);
        __builtin_prefetch(&walk.counters);
    }
}

const TableVerdict* VerdictCache::repeat(const Sought& sought, std::uint32_t bytes) {
    const Walk& walk = walks_[sought.place];
    if (!walk.used || !same(walk.key, sought.key)) {
        return nullptr;
    }
    ++known_;
    for (std::size_t i = 0; i < walk.counted; ++i) {
        count(*walk.counters[i], bytes);
    }
    verdict_.verdict = walk.verdict;
    verdict_.rule = walk.rule;
    return &verdict_;
}

void VerdictCache::remember(const Sought& sought, const TableVerdict& verdict,
                            std::span<RuleCounters* const> counted) {
    NSR_CHECK(counted.size() <= kMostCounted);
    Walk& walk = walks_[sought.place];
    walk.key = sought.key;
    walk.rule = verdict.rule;
    walk.verdict = verdict.verdict;
    walk.counted = static_cast<std::uint8_t>(counted.size());
    walk.used = true;
    std::copy(counted.begin(), counted.end(), walk.counters.begin());
    if (!sought.begins && ++unknown_ + known_ >= kTrial) {
        judge_itself();
    }
}

void VerdictCache::judge_itself() {
    resting_ = known_ < kEnough ? kRest : 0;
    known_ = 0;
    unknown_ = 0;
}

}  // namespace nsr::rules
