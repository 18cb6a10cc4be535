// -m hashlimit: a token bucket for every address, port or pair of them.
// kernel: xt_hashlimit.c, revision 3
#include <algorithm>
#include <array>
#include <map>

#include "core/rules/matches/byte_rate.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/matches/rate.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kHashlimitOptions = std::to_array<OptionSpec>({
    {"hashlimit-upto", 1, true},
    {"hashlimit", 1, true, "hashlimit-upto"},
    {"hashlimit-above", 1, true},
    {"hashlimit-burst"},
    {"hashlimit-mode"},
    {"hashlimit-srcmask"},
    {"hashlimit-dstmask"},
    {"hashlimit-name"},
    {"hashlimit-htable-size"},
    {"hashlimit-htable-max"},
    {"hashlimit-htable-expire"},
    {"hashlimit-htable-gcinterval"},
});
constexpr std::uint64_t kScale = 1000000;                           // kernel: XT_HASHLIMIT_SCALE_v2
constexpr std::uint64_t kCreditsPerJiffy = std::uint64_t{1} << 39;  // kernel: POW2_BELOW64(MAX_CPJ)
constexpr std::uint64_t kCreditsPerUnit = kJiffiesPerSecond * kCreditsPerJiffy / kScale;
constexpr std::uint32_t kDefaultBurst = 5;
// kernel: POW2_BELOW32(MAX_CPJ_BYTES)
constexpr std::uint64_t kByteCreditsPerJiffy = std::uint64_t{1} << 24;
constexpr std::uint64_t kByteCredits = kByteCreditsPerJiffy * kJiffiesPerSecond;
constexpr std::uint32_t kFastestChunkPrice = 16;  // 4 GB/s
constexpr std::uint32_t kDefaultExpireMs = 10000;
// Distinct keys of one table. kernel: htable_create, of a machine with a gigabyte or more
constexpr std::uint32_t kDefaultTableSize = 8192;
constexpr std::uint64_t kKeysPerSlot = 8;
constexpr std::uint64_t kMostKeys = kKeysPerSlot * kDefaultTableSize;

struct Key {
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    auto operator<=>(const Key&) const = default;
};

struct Bucket {
    std::uint64_t credit = 0;
    std::uint64_t refills = 0;  // bytes: how often the credit may be filled up at once
    Jiffies previous = 0;
    Jiffies expires = 0;
};

class HashlimitMatch;

struct HashlimitTable {
    // What has expired, out of the next few keys: the work per packet is bounded.
    void sweep(Jiffies now);

    // The rule that named the table first: its rate, modes and sizes count for all that name it.
    // kernel: hinfo->cfg
    std::shared_ptr<const HashlimitMatch> maker;
    std::map<Key, Bucket> buckets;
    Key next_to_sweep;
};

class HashlimitMatch : public StatefulMatch<HashlimitTable>,
                       public std::enable_shared_from_this<HashlimitMatch> {
  public:
    HashlimitMatch() : StatefulMatch("hashlimit") {}
    std::string save() const override;
    std::string shared_name() const override {
        return (family == Family::Ipv6 ? "hashlimit6/" : "hashlimit4/") + name;
    }

    bool bytes = false;        // the rate is one of bytes
    std::uint64_t period = 0;  // between two packets, or the price of a chunk
    std::uint64_t burst = kDefaultBurst;
    bool above = false;
    bool by_source = false;
    bool by_destination = false;
    bool by_source_port = false;
    bool by_destination_port = false;
    IpAddress source_mask;
    IpAddress destination_mask;
    std::string name;
    Family family = Family::Ipv4;  // each has tables of its own. kernel: htable_find_get
    std::uint32_t expire_ms = kDefaultExpireMs;
    std::uint64_t most_keys = kMostKeys;
    std::string table_options;  // as they were given

    [[nodiscard]] std::optional<Key> key_of(const Packet& packet) const;
    [[nodiscard]] std::uint64_t most_credit() const;
    std::uint64_t price(Bucket& bucket, std::uint32_t length) const;

  private:
    HashlimitTable first_state() const override { return {.maker = shared_from_this()}; }
    MatchResult test(ActionParam& par, HashlimitTable& limits) const override;
    [[nodiscard]] std::string limit_text() const;
};

std::string HashlimitMatch::limit_text() const {
    if (!bytes) {
        return rate_text(period, kScale) + " --hashlimit-burst " + std::to_string(burst);
    }
    const std::uint64_t rate = bytes_per_second(period);
    const auto same = [&](std::uint64_t rounded) { return seconds_of(rounded, rate) == burst; };
    return byte_rate_text(period) + "/s" +
           (burst == 0 ? "" : " --hashlimit-burst " + bytes_text(burst * rate, same));
}

std::string HashlimitMatch::save() const {
    std::string text =
        std::string(above ? "--hashlimit-above " : "--hashlimit-upto ") + limit_text();
    std::string modes;
    const std::array<std::pair<bool, std::string_view>, 4> flags = {
        {{by_source, "srcip"},
         {by_source_port, "srcport"},
         {by_destination, "dstip"},
         {by_destination_port, "dstport"}}};
    for (const auto& [given, mode] : flags) {
        if (given) {
            modes += (modes.empty() ? "" : ",") + std::string(mode);
        }
    }
    if (!modes.empty()) {
        append(text, "--hashlimit-mode " + modes);
    }
    append(text, "--hashlimit-name " + name);
    if (!table_options.empty()) {
        append(text, table_options);
    }
    const auto source_bits = prefix_length(source_mask);
    const auto destination_bits = prefix_length(destination_mask);
    if (source_bits != source_mask.bits()) {
        append(text, "--hashlimit-srcmask " + std::to_string(source_bits.value_or(0)));
    }
    if (destination_bits != destination_mask.bits()) {
        append(text, "--hashlimit-dstmask " + std::to_string(destination_bits.value_or(0)));
    }
    return text;
}

// An SPI counts as ports. kernel: proto_ports_offset
std::optional<std::size_t> ports_offset(std::uint8_t protocol) {
    if (protocol == proto::kAh) {
        return 4;
    }
    return proto::has_ports(protocol) || protocol == proto::kEsp ? std::optional<std::size_t>(0)
                                                                 : std::nullopt;
}

// Without ports (ICMP, fragments) they are 0. kernel: hashlimit_init_dst
std::optional<Key> HashlimitMatch::key_of(const Packet& packet) const {
    Key key;
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

bool expired(const Bucket& bucket, Jiffies now) {
    return jiffies_until(bucket.expires, now) <= 0;
}

void HashlimitTable::sweep(Jiffies now) {
    constexpr int kKeysAtATime = 8;
    auto at = buckets.lower_bound(next_to_sweep);
    for (int i = 0; i < kKeysAtATime && at != buckets.end(); ++i) {
        at = expired(at->second, now) ? buckets.erase(at) : std::next(at);
    }
    next_to_sweep = at == buckets.end() ? Key{} : at->first;
}

// kernel: rateinfo_init
std::uint64_t HashlimitMatch::most_credit() const {
    return bytes ? kByteCredits : period * burst * kCreditsPerUnit;
}

// kernel: user2credits_byte, hashlimit_byte_cost
std::uint64_t HashlimitMatch::price(Bucket& bucket, std::uint32_t length) const {
    if (!bytes) {
        return period * kCreditsPerUnit;
    }
    const std::uint64_t chunks = (length >> kChunkShift) + 1;
    const std::uint64_t price = std::min(chunks * (period * kByteCredits >> 32), kByteCredits);
    if (bucket.credit < price && bucket.refills != 0) {
        --bucket.refills;
        bucket.credit = kByteCredits;
    }
    return price;
}

// kernel: hashlimit_mt_common
MatchResult HashlimitMatch::test(ActionParam& par, HashlimitTable& limits) const {
    const HashlimitMatch& limit = *limits.maker;
    const auto key = limit.key_of(par.packet);
    if (!key) {
        return MatchResult::HotDrop;
    }
    const Jiffies now = to_jiffies(par.now);
    limits.sweep(now);
    if (!limits.buckets.contains(*key) && limits.buckets.size() >= limit.most_keys) {
        return MatchResult::HotDrop;
    }
    const auto [entry, made] = limits.buckets.try_emplace(*key);
    Bucket& bucket = entry->second;
    const bool fresh = made || expired(bucket, now);
    bucket.expires = now + milliseconds_to_jiffies(limit.expire_ms);
    if (fresh) {
        bucket.credit = limit.most_credit();
        bucket.refills = limit.burst;
    } else {
        const std::uint64_t per_jiffy = limit.bytes ? kByteCreditsPerJiffy : kCreditsPerJiffy;
        const std::uint64_t grown = bucket.credit + (now - bucket.previous) * per_jiffy;
        bucket.credit =
            std::min(grown < bucket.credit ? ~std::uint64_t{0} : grown, limit.most_credit());
    }
    bucket.previous = now;
    const std::uint64_t cost = limit.price(bucket, par.packet.layout.total_length);
    if (bucket.credit < cost) {
        return yes_if(above);
    }
    bucket.credit -= cost;
    return yes_if(!above);
}

bool read_modes(const Options& options, const RuleContext& context, HashlimitMatch& match) {
    const GivenOption* given = options.find("hashlimit-mode");
    if (given == nullptr) {
        return true;
    }
    for (const std::string_view word : split(given->value, ',')) {
        bool* flag = word == "srcip"     ? &match.by_source
                     : word == "dstip"   ? &match.by_destination
                     : word == "srcport" ? &match.by_source_port
                     : word == "dstport" ? &match.by_destination_port
                                         : nullptr;
        if (flag == nullptr) {
            context.error(*given, "unknown mode " + in_quotes(word) +
                                      "; known are srcip, srcport, dstip and dstport");
            return false;
        }
        *flag = true;
    }
    return true;
}

void read_table_options(const Options& options, const RuleContext& context, HashlimitMatch& match) {
    for (const std::string_view name : {"hashlimit-htable-size", "hashlimit-htable-max",
                                        "hashlimit-htable-gcinterval", "hashlimit-htable-expire"}) {
        if (const auto value = read_number(options, context, name, 1, 0xffffffff)) {
            append(match.table_options, "--" + std::string(name) + " " + std::to_string(*value));
        }
    }
    const std::uint64_t size = read_number(options, context, "hashlimit-htable-size", 1, 0xffffffff)
                                   .value_or(kDefaultTableSize);
    const auto max = read_number(options, context, "hashlimit-htable-max", 1, 0xffffffff);
    match.most_keys = std::min(max ? std::max(*max, size) : kKeysPerSlot * size, kMostKeys);
    match.expire_ms = static_cast<std::uint32_t>(
        read_number(options, context, "hashlimit-htable-expire", 1, 0xffffffff)
            .value_or(kDefaultExpireMs));
}

// The burst of bytes counts in seconds at full rate.
bool read_byte_burst(const GivenOption& rate, const Options& options, const RuleContext& context,
                     HashlimitMatch& match) {
    match.burst = 0;
    const GivenOption* given = options.find("hashlimit-burst");
    if (given == nullptr) {
        return true;
    }
    const std::uint64_t per_second = bytes_per_second(match.period);
    const auto plain = parse_number(given->value, kMaxBytes);
    const std::uint64_t bytes = plain ? *plain : parse_bytes(given->value).value_or(0);
    match.burst = seconds_of(bytes, per_second);
    if (bytes < per_second || match.burst * per_second > kMaxBytes) {
        context.error(*given,
                      "with " + in_quotes(rate.value) + " a burst is a number of bytes from " +
                          byte_rate_text(match.period) + " on, not " + in_quotes(given->value));
        return false;
    }
    return true;
}

bool read_byte_rate(const GivenOption& given, std::uint64_t rate, const Options& options,
                    const RuleContext& context, HashlimitMatch& match) {
    match.bytes = true;
    match.period = chunk_price(rate);
    if (rate >> kChunkShift == 0 || match.period < kFastestChunkPrice) {
        context.error(given, in_quotes(given.value) + " is not a rate from " +
                                 byte_rate_text(chunk_price(1u << kChunkShift)) + "/s to " +
                                 byte_rate_text(kFastestChunkPrice) + "/s");
        return false;
    }
    return read_byte_burst(given, options, context, match);
}

bool read_rate(const GivenOption& given, const Options& options, const RuleContext& context,
               HashlimitMatch& match) {
    if (const auto rate = parse_byte_rate(given.value)) {
        return read_byte_rate(given, *rate, options, context, match);
    }
    const auto period = parse_rate(given.value, kScale);
    if (!period) {
        context.error(
            given, in_quotes(given.value) + " is not a rate such as 5/second, 1/hour or 512kb/s");
        return false;
    }
    match.period = *period;
    match.burst =
        read_number(options, context, "hashlimit-burst", 1, 1000000).value_or(kDefaultBurst);
    if (*period > ~std::uint64_t{0} / kCreditsPerUnit / match.burst) {
        context.error(given,
                      "rate and burst are too great together; the kernel's counter would overflow");
        return false;
    }
    return true;
}

std::shared_ptr<const Match> parse_hashlimit(const Options& options, RuleContext& context) {
    const GivenOption* upto = options.find("hashlimit-upto");
    const GivenOption* above = options.find("hashlimit-above");
    const GivenOption* name = options.find("hashlimit-name");
    if ((upto == nullptr) == (above == nullptr) || name == nullptr) {
        context.error(
            "match \"hashlimit\" needs --hashlimit-name, and one of --hashlimit-upto and"
            " --hashlimit-above");
        return nullptr;
    }
    const GivenOption& given = upto != nullptr ? *upto : *above;
    auto match = std::make_shared<HashlimitMatch>();
    if (!read_rate(given, options, context, *match)) {
        return nullptr;
    }
    match->above = (above != nullptr) != given.inverted;
    match->name = name->value;
    match->family = context.family;
    const unsigned bits = context.v6() ? 128 : 32;
    const auto mask = [&](std::string_view option) {
        return mask_of(
            context.family,
            static_cast<unsigned>(read_number(options, context, option, 0, bits).value_or(bits)));
    };
    match->source_mask = mask("hashlimit-srcmask");
    match->destination_mask = mask("hashlimit-dstmask");
    read_table_options(options, context, *match);
    return read_modes(options, context, *match) ? match : nullptr;
}

}  // namespace

const MatchModule kHashlimitMatch = {"hashlimit", kBothFamilies, kHashlimitOptions,
                                     parse_hashlimit};

}  // namespace nsr::rules
