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
std::size_t hash_of(const WalkKey& key) {
    std::uint64_t hash = 0;
    for (const std::uint64_t word : key.words()) {
        hash = (std::rotl(hash, 23) ^ word) * kGoldenMultiplier;
    }
    return static_cast<std::size_t>(hash >> 32);
}

bool same(const WalkKey& a, const WalkKey& b) {
    const WalkKey::Words ours = a.words();
    const WalkKey::Words theirs = b.words();
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        difference |= ours[i] ^ theirs[i];
    }
    return difference == 0;
}

void count(RuleCounters& counters, std::uint32_t bytes) {
    ++counters.packets;
    counters.bytes += bytes;
}

}  // namespace

std::optional<WalkKey> walk_key_of(const ActionParam& par) {
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
    key.tcp_flags =
        layout.protocol == proto::kTcp ? packet.l4()[wire::tcp::kFlagsOffset] : std::uint8_t{0};
    key.state = static_cast<std::uint8_t>(state_bits(par));
    key.chain = chain_of(par);
    return key;
}

VerdictCache::Walk& VerdictCache::place_of(const WalkKey& key) {
    return walks_[hash_of(key) % kPlaces];
}

const TableVerdict* VerdictCache::repeat(const WalkKey& key, std::uint32_t bytes) {
    const Walk& walk = place_of(key);
    if (!walk.used || !same(walk.key, key)) {
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

void VerdictCache::remember(const WalkKey& key, const TableVerdict& verdict,
                            std::span<RuleCounters* const> counted) {
    NSR_CHECK(counted.size() <= kMostCounted);
    Walk& walk = place_of(key);
    walk.key = key;
    walk.rule = verdict.rule;
    walk.verdict = verdict.verdict;
    walk.counted = static_cast<std::uint8_t>(counted.size());
    walk.used = true;
    std::copy(counted.begin(), counted.end(), walk.counters.begin());
    const bool begins = (key.state & ctstate::kNew) != 0;
    if (!begins && ++unknown_ + known_ >= kTrial) {
        judge_itself();
    }
}

void VerdictCache::judge_itself() {
    resting_ = known_ < kEnough ? kRest : 0;
    known_ = 0;
    unknown_ = 0;
}

}  // namespace nsr::rules
