// -m cluster: whether this node of a cluster answers for a connection, by its original source.
// kernel: xt_cluster.c
#include <array>
#include <bit>

#include "core/nat/jhash.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kClusterOptions =
    std::to_array<OptionSpec>({{"cluster-total-nodes"},
                               {"cluster-local-node", 1, true},
                               {"cluster-local-nodemask", 1, true},
                               {"cluster-hash-seed"}});
constexpr std::uint64_t kMostNodes = 32;

class ClusterMatch : public Match {
  public:
    ClusterMatch() : Match("cluster") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;
    bool needs_tracking() const override { return true; }

    std::uint32_t nodes = 1;       // of the cluster
    std::uint32_t local_mask = 0;  // bit per node that is this one
    std::uint32_t seed = 0;
    bool invert = false;
};

// "0x0000001f"
std::string hex8(std::uint32_t value) {
    const std::string digits = hex(value).substr(2);
    return "0x" + std::string(8 - digits.size(), '0') + digits;
}

std::string ClusterMatch::save() const {
    return std::string(bang(invert)) + "--cluster-local-nodemask " + hex8(local_mask) +
           " --cluster-total-nodes " + std::to_string(nodes) + " --cluster-hash-seed " + hex8(seed);
}

// The words as a little-endian kernel has them in memory. kernel: xt_cluster_hash
std::uint32_t hash_of(const IpAddress& source, std::uint32_t seed) {
    std::array<std::uint32_t, 4> words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        words[i] = __builtin_bswap32(source.words[i]);
    }
    return source.is_v4() ? nat::jhash_words({words[0]}, 1, seed) : nat::jhash2(words, seed);
}

// kernel: xt_cluster_mt
MatchResult ClusterMatch::test(ActionParam& par) const {
    const ConnId id = par.packet.meta.conn;
    if (id == ConnId::None) {
        return MatchResult::No;
    }
    const auto tuple = par.conntrack.table().tuple(id, Direction::Original);
    const auto node = static_cast<std::uint32_t>(
        std::uint64_t{hash_of(tuple.source, seed)} * nodes >> 32);  // kernel: reciprocal_scale
    return yes_if((local_mask >> node & 1) != static_cast<std::uint32_t>(invert));
}

// --cluster-local-node or --cluster-local-nodemask
bool read_local(const Options& options, const RuleContext& context, ClusterMatch& match) {
    const GivenOption* node = options.find("cluster-local-node");
    const GivenOption* mask = options.find("cluster-local-nodemask");
    if ((node == nullptr) == (mask == nullptr)) {
        context.error(
            "match \"cluster\" needs one of --cluster-local-node and --cluster-local-nodemask");
        return false;
    }
    if (node != nullptr) {
        const auto number = read_number(options, context, "cluster-local-node", 1, match.nodes);
        match.local_mask = number ? 1u << (*number - 1) : 0;
        match.invert = node->inverted;
        return number.has_value();
    }
    const std::uint64_t all = (std::uint64_t{1} << match.nodes) - 1;
    const auto bits = read_number(options, context, "cluster-local-nodemask", 1, all);
    match.local_mask = static_cast<std::uint32_t>(bits.value_or(0));
    match.invert = mask->inverted;
    return bits.has_value();
}

std::shared_ptr<const Match> parse_cluster(const Options& options, RuleContext& context) {
    for (const std::string_view name : {"cluster-total-nodes", "cluster-hash-seed"}) {
        if (!options.has(name)) {
            context.error("match \"cluster\" needs --" + std::string(name));
            return nullptr;
        }
    }
    const auto nodes = read_number(options, context, "cluster-total-nodes", 1, kMostNodes);
    const auto seed = read_number(options, context, "cluster-hash-seed", 0, 0xffffffff);
    if (!nodes || !seed) {
        return nullptr;
    }
    auto match = std::make_shared<ClusterMatch>();
    match->nodes = static_cast<std::uint32_t>(*nodes);
    match->seed = static_cast<std::uint32_t>(*seed);
    return read_local(options, context, *match) ? match : nullptr;
}

}  // namespace

const MatchModule kClusterMatch = {"cluster", kBothFamilies, kClusterOptions, parse_cluster};

}  // namespace nsr::rules
