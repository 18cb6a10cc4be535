// -m srh: the segment routing header of IPv6 (RFC 8754).
// kernel: ip6t_srh.c, revision 1
#include <algorithm>
#include <array>
#include <vector>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/recite.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kSrhOptions = std::to_array<OptionSpec>({
    {"srh-next-hdr", 1, true},
    {"srh-hdr-len-eq", 1, true},
    {"srh-hdr-len-gt", 1, true},
    {"srh-hdr-len-lt", 1, true},
    {"srh-segs-left-eq", 1, true},
    {"srh-segs-left-gt", 1, true},
    {"srh-segs-left-lt", 1, true},
    {"srh-last-entry-eq", 1, true},
    {"srh-last-entry-gt", 1, true},
    {"srh-last-entry-lt", 1, true},
    {"srh-tag", 1, true},
    {"srh-psid", 1, true},
    {"srh-nsid", 1, true},
    {"srh-lsid", 1, true},
});

// Offsets of what is looked at.
constexpr std::size_t kLengthAt = 1;
constexpr std::size_t kTypeAt = 2;
constexpr std::size_t kSegmentsLeftAt = 3;
constexpr std::size_t kLastEntryAt = 4;
constexpr std::size_t kTagAt = 6;
constexpr std::size_t kHeaderBytes = 8;
constexpr std::size_t kSegmentBytes = 16;
constexpr std::uint8_t kSegmentRouting = 4;

enum class Compare : std::uint8_t { Equal, Greater, Less };

// A number in the header. -eq, -gt and -lt of one number share its place in iptables: the last of
// them that is given counts for all.
struct NumberTest {
    std::string_view option;
    std::size_t offset;
    Compare compare;
};
constexpr std::array kNumberTests = std::to_array<NumberTest>({
    {"srh-next-hdr", 0, Compare::Equal},
    {"srh-hdr-len-eq", kLengthAt, Compare::Equal},
    {"srh-hdr-len-gt", kLengthAt, Compare::Greater},
    {"srh-hdr-len-lt", kLengthAt, Compare::Less},
    {"srh-segs-left-eq", kSegmentsLeftAt, Compare::Equal},
    {"srh-segs-left-gt", kSegmentsLeftAt, Compare::Greater},
    {"srh-segs-left-lt", kSegmentsLeftAt, Compare::Less},
    {"srh-last-entry-eq", kLastEntryAt, Compare::Equal},
    {"srh-last-entry-gt", kLastEntryAt, Compare::Greater},
    {"srh-last-entry-lt", kLastEntryAt, Compare::Less},
    {"srh-tag", kTagAt, Compare::Equal},
});

struct GivenNumber {
    const NumberTest* test = nullptr;
    std::uint16_t value = 0;
    bool inverted = false;
};
struct GivenSegment {
    std::string_view option;
    MaskedAddress address;
    bool inverted = false;
};

class SrhMatch : public Match {
  public:
    explicit SrhMatch() : Match("srh") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;

    std::vector<GivenNumber> numbers;
    std::vector<GivenSegment> segments;
};

std::string SrhMatch::save() const {
    std::string text;
    for (const GivenNumber& number : numbers) {
        append(text, std::string(bang(number.inverted)) + "--" + std::string(number.test->option) +
                         " " + std::to_string(number.value));
    }
    for (const GivenSegment& segment : segments) {
        append(text, std::string(bang(segment.inverted)) + "--" + std::string(segment.option) +
                         " " + to_string(segment.address));
    }
    return text;
}

// The tag is compared as iptables puts it there: in the byte order of the machine, little endian.
std::uint16_t number_at(wire::ConstBytes header, const NumberTest& test) {
    return test.offset == kTagAt
               ? static_cast<std::uint16_t>(header[kTagAt] | header[kTagAt + 1] << 8)
               : header[test.offset];
}

bool holds(std::uint16_t there, Compare compare, std::uint16_t wanted) {
    switch (compare) {
        case Compare::Greater:
            return there > wanted;
        case Compare::Less:
            return there < wanted;
        default:
            return there == wanted;
    }
}

// The previous, the next or the last segment; nothing if there is none.
std::optional<IpAddress> segment_of(wire::ConstBytes header, std::string_view option) {
    const std::size_t left = header[kSegmentsLeftAt];
    std::size_t index = 0;
    if (option == "srh-psid") {
        if (left == header[kLastEntryAt]) {
            return std::nullopt;
        }
        index = left + 1;
    } else if (option == "srh-nsid") {
        if (left == 0) {
            return std::nullopt;
        }
        index = left - 1;
    }
    const std::size_t at = kHeaderBytes + index * kSegmentBytes;
    if (at + kSegmentBytes > header.size()) {
        return std::nullopt;
    }
    return IpAddress::from_wire(Family::Ipv6, header.data() + at);
}

// kernel: srh1_mt6
MatchResult SrhMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    const auto extension = wire::find_extension(packet.bytes(), proto::kRouting);
    if (!extension || extension->offset + extension->length > packet.size()) {
        return MatchResult::No;
    }
    const auto header = packet.bytes().subspan(extension->offset);
    if (header[kTypeAt] != kSegmentRouting || header[kSegmentsLeftAt] > header[kLastEntryAt]) {
        return MatchResult::No;
    }
    for (const GivenNumber& number : numbers) {
        const bool fits =
            holds(number_at(header, *number.test), number.test->compare, number.value);
        if (fits == number.inverted) {
            return MatchResult::No;
        }
    }
    for (const GivenSegment& segment : segments) {
        const auto there = segment_of(header, segment.option);
        const MaskedAddress& wanted = segment.address;
        if (!there ||
            ((*there & wanted.mask) == (wanted.address & wanted.mask)) == segment.inverted) {
            return MatchResult::No;
        }
    }
    return MatchResult::Yes;
}

bool read_numbers(const Options& options, const RuleContext& context, SrhMatch& match) {
    for (const GivenOption& given : options.given) {
        const auto* test =
            std::find_if(kNumberTests.begin(), kNumberTests.end(),
                         [&](const NumberTest& row) { return row.option == given.name; });
        if (test == kNumberTests.end()) {
            continue;
        }
        const std::uint64_t most = test->offset == kTagAt ? 0xffff : 0xff;
        const auto value = read_number(options, context, given.name, 0, most);
        if (!value) {
            return false;
        }
        for (GivenNumber& earlier : match.numbers) {
            if (earlier.test->offset == test->offset) {
                earlier.value = static_cast<std::uint16_t>(*value);
            }
        }
        match.numbers.push_back({test, static_cast<std::uint16_t>(*value), given.inverted});
    }
    std::sort(match.numbers.begin(), match.numbers.end(),
              [](const GivenNumber& a, const GivenNumber& b) { return a.test < b.test; });
    return true;
}

// "fd00::1/64" is written back with its host bits, which do not count.
bool read_segments(const Options& options, const RuleContext& context, SrhMatch& match) {
    for (const std::string_view name : {"srh-psid", "srh-nsid", "srh-lsid"}) {
        const GivenOption* given = options.find(name);
        if (given == nullptr) {
            continue;
        }
        const auto address = parse_host_prefix(given->value, Family::Ipv6, context.names);
        if (!address) {
            context.error(*given, in_quotes(given->value) + " is not an IPv6 address or prefix");
            return false;
        }
        match.segments.push_back({name, *address, given->inverted});
    }
    return true;
}

std::shared_ptr<const Match> parse_srh(const Options& options, RuleContext& context) {
    auto match = std::make_shared<SrhMatch>();
    const bool ok =
        read_numbers(options, context, *match) && read_segments(options, context, *match);
    return ok ? match : nullptr;
}

}  // namespace

const MatchModule kSrhMatch = {"srh", kIpv6Only, kSrhOptions, parse_srh};

}  // namespace nsr::rules
