// -m dccp: ports, types of packet and options (RFC 4340).
// kernel: xt_dccp.c
#include <algorithm>
#include <array>

#include "core/rules/code.hpp"
#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/headers/transport.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kDccpOptions = std::to_array<OptionSpec>({
    {"source-port", 1, true},
    {"sport", 1, true, "source-port"},
    {"destination-port", 1, true},
    {"dport", 1, true, "destination-port"},
    {"dccp-types", 1, true},
    {"dccp-option", 1, true},
});

struct Type {
    std::string_view name;
    std::uint8_t header_bytes;  // behind the generic header
};
// In the order of their numbers. kernel: dccp_packet_hdr_len
constexpr std::array kTypes = std::to_array<Type>({
    {"REQUEST", 4},
    {"RESPONSE", 12},
    {"DATA", 0},
    {"ACK", 8},
    {"DATAACK", 8},
    {"CLOSEREQ", 8},
    {"CLOSE", 8},
    {"RESET", 12},
    {"SYNC", 8},
    {"SYNCACK", 8},
    {"INVALID", 12},  // all types above
});
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kLongSequenceBytes = 4;  // more, with the X bit
constexpr std::size_t kDataOffsetOffset = 4;
constexpr std::size_t kTypeOffset = 8;
constexpr std::uint8_t kLastPadding = 1;  // options up to this one have no length

struct TypeTest {
    std::uint16_t types = 0;  // a bit each
    bool invert = false;
};
struct OptionTest {
    std::uint8_t kind = 0;
    bool invert = false;
};

class DccpMatch : public Match {
  public:
    DccpMatch() : Match("dccp") {}
    std::string save() const override;
    void compile(Code& code) const override;
    MatchResult test(ActionParam& par) const override;

    TransportPorts ports;
    std::optional<TypeTest> type;
    std::optional<OptionTest> option;
};

std::string DccpMatch::save() const {
    std::string text = ports.save(WholeRange::AsGiven);
    if (type) {
        std::string names;
        for (unsigned i = 0; i < kTypes.size(); ++i) {
            if ((type->types >> i & 1) != 0) {
                names += (names.empty() ? "" : ",") + std::string(kTypes[i].name);
            }
        }
        append(text, std::string(bang(type->invert)) + "--dccp-types " + whole_word(names));
    }
    if (option) {
        append(text,
               std::string(bang(option->invert)) + "--dccp-option " + std::to_string(option->kind));
    }
    return text;
}

void DccpMatch::compile(Code& code) const {
    code.emit({.op = Op::TransportHeader, .low = kHeaderBytes});
    ports.compile(code);
    if (type || option) {
        code.emit_call(*this);
    }
}

std::size_t type_of(wire::ConstBytes header) {
    return std::min<std::size_t>(header[kTypeOffset] >> 1 & 0x0f, kTypes.size() - 1);
}

// kernel: dccp_find_option; nothing: the header is cut short
std::optional<bool> has_option(wire::ConstBytes l4, std::uint8_t kind) {
    const std::size_t first = kHeaderBytes + ((l4[kTypeOffset] & 1) != 0 ? kLongSequenceBytes : 0) +
                              kTypes[type_of(l4)].header_bytes;
    const std::size_t last = std::size_t{l4[kDataOffsetOffset]} * 4;
    if (last < first || last > l4.size()) {
        return std::nullopt;
    }
    for (std::size_t at = first; at < last;) {
        if (l4[at] == kind) {
            return true;
        }
        const bool has_length = l4[at] > kLastPadding && at + 1 < last;
        at += has_length ? std::max<std::size_t>(l4[at + 1], 1) : 1;
    }
    return false;
}

// kernel: dccp_mt
MatchResult DccpMatch::test(ActionParam& par) const {
    const wire::ConstBytes l4 = par.packet.l4();
    if (type && ((type->types >> type_of(l4) & 1) != 0) == type->invert) {
        return MatchResult::No;
    }
    if (!option) {
        return MatchResult::Yes;
    }
    const auto found = has_option(l4, option->kind);
    return found ? yes_if(*found != option->invert) : MatchResult::HotDrop;
}

bool read_types(const GivenOption& given, const RuleContext& context, DccpMatch& match) {
    TypeTest test{.invert = given.inverted};
    for (const std::string_view word : tokens(given.value)) {
        const auto* found = std::find_if(kTypes.begin(), kTypes.end(), [&](const Type& row) {
            return lower(row.name) == lower(word);
        });
        if (found == kTypes.end()) {
            std::vector<std::string_view> names;
            for (const Type& row : kTypes) {
                names.push_back(row.name);
            }
            context.error(given,
                          "unknown DCCP type " + in_quotes(word) + did_you_mean(word, names));
            return false;
        }
        test.types |= static_cast<std::uint16_t>(1u << (found - kTypes.begin()));
    }
    if (test.types == 0) {
        context.error(given, "--dccp-types needs a list of types, such as DATA,ACK");
        return false;
    }
    match.type = test;
    return true;
}

std::shared_ptr<const Match> parse_dccp(const Options& options, RuleContext& context) {
    auto match = std::make_shared<DccpMatch>();
    match->ports.read(options, context, parse_resolved_port_range);
    if (const auto kind = read_number(options, context, "dccp-option", 1, 255)) {
        match->option =
            OptionTest{static_cast<std::uint8_t>(*kind), options.find("dccp-option")->inverted};
    }
    const auto* given = options.find("dccp-types");
    return given == nullptr || read_types(*given, context, *match) ? match : nullptr;
}

}  // namespace

const MatchModule kDccpMatch = {"dccp", kBothFamilies, kDccpOptions, parse_dccp, proto::kDccp};

}  // namespace nsr::rules
