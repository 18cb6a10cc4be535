// -m sctp: ports and the chunks of a packet.
// kernel: xt_sctp.c
#include <algorithm>
#include <array>
#include <bitset>

#include "core/rules/code.hpp"
#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/headers/transport.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kSctpOptions = std::to_array<OptionSpec>({
    {"source-port", 1, true},
    {"sport", 1, true, "source-port"},
    {"destination-port", 1, true},
    {"dport", 1, true, "destination-port"},
    {"chunk-types", 2, true},
});

struct Chunk {
    std::string_view name;
    std::uint8_t type;
    std::string_view flags;  // letters of the flag bits, most significant first
};
constexpr std::array kChunks = std::to_array<Chunk>({
    {"DATA", 0, "----IUBE"},
    {"INIT", 1, "--------"},
    {"INIT_ACK", 2, "--------"},
    {"SACK", 3, "--------"},
    {"HEARTBEAT", 4, "--------"},
    {"HEARTBEAT_ACK", 5, "--------"},
    {"ABORT", 6, "-------T"},
    {"SHUTDOWN", 7, "--------"},
    {"SHUTDOWN_ACK", 8, "--------"},
    {"ERROR", 9, "--------"},
    {"COOKIE_ECHO", 10, "--------"},
    {"COOKIE_ACK", 11, "--------"},
    {"ECN_ECNE", 12, "--------"},
    {"ECN_CWR", 13, "--------"},
    {"SHUTDOWN_COMPLETE", 14, "-------T"},
    {"I_DATA", 64, "----IUBE"},
    {"ASCONF_ACK", 128, "--------"},
    {"RE_CONFIG", 130, "--------"},
    {"PAD", 132, "--------"},
    {"FORWARD_TSN", 192, "--------"},
    {"ASCONF", 193, "--------"},
    {"I_FORWARD_TSN", 194, "--------"},
});
constexpr std::size_t kSctpHeaderBytes = 12;
constexpr std::size_t kChunkHeaderBytes = 4;
constexpr std::size_t kMostFlagTests = 4;  // kernel: XT_NUM_SCTP_FLAGS

struct FlagTest {
    std::uint8_t type;
    std::uint8_t value = 0;
    std::uint8_t mask = 0;
};

class SctpMatch : public Match {
  public:
    enum class Mode : std::uint8_t { Any, All, Only };

    SctpMatch() : Match("sctp") {}
    std::string save() const override;
    void compile(Code& code) const override;
    MatchResult test(ActionParam& par) const override;

    TransportPorts ports;
    bool chunks_given = false;
    bool chunks_inverted = false;
    Mode mode = Mode::Any;
    std::bitset<256> types;
    std::vector<FlagTest> flags;

  private:
    bool flags_match(std::uint8_t type, std::uint8_t actual) const;
    std::string chunk_list() const;
};

std::string flag_letters(const Chunk& chunk, const FlagTest& test) {
    std::string text;
    for (unsigned i = 0; i < 8; ++i) {
        const unsigned bit = 0x80u >> i;
        if ((test.mask & bit) != 0) {
            const char letter = chunk.flags[i];
            text += (test.value & bit) != 0 ? letter : lower(std::string_view(&letter, 1))[0];
        }
    }
    return text;
}

std::string SctpMatch::chunk_list() const {
    if (types.all()) {
        return "ALL";
    }
    std::string text;
    for (const Chunk& chunk : kChunks) {
        if (!types[chunk.type]) {
            continue;
        }
        text += (text.empty() ? "" : ",") + std::string(chunk.name);
        for (const FlagTest& test : flags) {
            if (test.type == chunk.type) {
                text += ":" + flag_letters(chunk, test);
            }
        }
    }
    return text.empty() ? "NONE" : text;
}

std::string SctpMatch::save() const {
    constexpr std::array<std::string_view, 3> kModes = {"any ", "all ", "only "};
    std::string text = ports.save(WholeRange::AsGiven);
    if (chunks_given) {
        append(text, std::string(bang(chunks_inverted)) + "--chunk-types " +
                         std::string(kModes[static_cast<std::size_t>(mode)]) + chunk_list());
    }
    return text;
}

void SctpMatch::compile(Code& code) const {
    code.emit({.op = Op::TransportHeader, .low = kSctpHeaderBytes});
    ports.compile(code);
    if (chunks_given) {
        code.emit_call(*this);
    }
}

bool SctpMatch::flags_match(std::uint8_t type, std::uint8_t actual) const {
    return std::all_of(flags.begin(), flags.end(), [&](const FlagTest& test) {
        return test.type != type || (actual & test.mask) == test.value;
    });
}

// kernel: match_packet
MatchResult SctpMatch::test(ActionParam& par) const {
    const wire::ConstBytes l4 = par.packet.l4();
    std::bitset<256> missing = types;
    std::size_t at = kSctpHeaderBytes;
    do {
        if (at + kChunkHeaderBytes > l4.size()) {
            return MatchResult::HotDrop;
        }
        const std::uint8_t type = l4[at];
        const std::uint8_t actual = l4[at + 1];
        const std::size_t length = wire::load16(l4.data() + at + 2);
        if (length == 0) {
            return MatchResult::HotDrop;
        }
        at += (length + 3) / 4 * 4;
        const bool hit = types[type] && flags_match(type, actual);
        if (hit && mode == Mode::Any) {
            return yes_if(!chunks_inverted);
        }
        if (!hit && mode == Mode::Only) {
            return yes_if(chunks_inverted);
        }
        if (hit) {
            missing.reset(type);
        }
    } while (at < l4.size());
    const bool result = mode == Mode::Only || (mode == Mode::All && missing.none());
    return yes_if(result != chunks_inverted);
}

// A bit that is named twice has to be set if one of the names is a capital letter. "-" is the
// first bit without a name. libxt_sctp.c: save_chunk_flag_info
bool read_flags(std::string_view letters, const Chunk& chunk, FlagTest& test) {
    const std::string folded = lower(chunk.flags);
    for (const char letter : letters) {
        const std::size_t at = folded.find(lower(std::string_view(&letter, 1)));
        if (at == std::string::npos) {
            return false;
        }
        const auto bit = static_cast<std::uint8_t>(0x80u >> at);
        test.mask |= bit;
        test.value |= chunk.flags[at] == letter && letter != '-' ? bit : std::uint8_t{0};
    }
    return true;
}

// The one about chunks of this type; null: there are too many already.
FlagTest* flag_test_of(const Chunk& chunk, SctpMatch& match) {
    const auto known = std::find_if(match.flags.begin(), match.flags.end(),
                                    [&](const FlagTest& test) { return test.type == chunk.type; });
    if (known != match.flags.end()) {
        return &*known;
    }
    if (match.flags.size() == kMostFlagTests) {
        return nullptr;
    }
    return &match.flags.emplace_back(FlagTest{.type = chunk.type});
}

bool read_chunk(std::string_view word, const GivenOption& given, const RuleContext& context,
                SctpMatch& match) {
    const std::size_t colon = word.find(':');
    const std::string wanted = lower(word.substr(0, colon));
    const auto* chunk = std::find_if(kChunks.begin(), kChunks.end(),
                                     [&](const Chunk& row) { return lower(row.name) == wanted; });
    if (chunk == kChunks.end()) {
        std::vector<std::string_view> names;
        names.reserve(kChunks.size());
        for (const Chunk& row : kChunks) {
            names.push_back(row.name);
        }
        context.error(given, "unknown SCTP chunk " + in_quotes(word) + did_you_mean(word, names));
        return false;
    }
    match.types.set(chunk->type);
    const auto letters = colon == std::string_view::npos ? "" : word.substr(colon + 1);
    if (letters.empty()) {
        return true;
    }
    FlagTest* test = flag_test_of(*chunk, match);
    if (test == nullptr) {
        context.error(given, "--chunk-types can ask for the flags of " +
                                 std::to_string(kMostFlagTests) + " types of chunk at most");
        return false;
    }
    if (!read_flags(letters, *chunk, *test)) {
        context.error(given, "chunk " + std::string(chunk->name) +
                                 " has no such flags: " + in_quotes(letters));
        return false;
    }
    return true;
}

bool read_chunks(const GivenOption& given, const RuleContext& context, SctpMatch& match) {
    const std::string list = lower(given.second);
    if (list == "all" || list == "none") {
        match.types = list == "all" ? ~std::bitset<256>() : std::bitset<256>();
        return true;
    }
    const auto words = tokens(given.second);
    return std::all_of(words.begin(), words.end(), [&](std::string_view word) {
        return read_chunk(word, given, context, match);
    });
}

std::shared_ptr<const Match> parse_sctp(const Options& options, RuleContext& context) {
    auto match = std::make_shared<SctpMatch>();
    match->ports.read(options, context,
                      [](std::string_view text) { return parse_port_range(text, proto::kSctp); });
    const GivenOption* given = options.find("chunk-types");
    if (given == nullptr) {
        return match;
    }
    const std::string mode = lower(given->value);
    if (mode != "any" && mode != "all" && mode != "only") {
        context.error(*given,
                      "--chunk-types begins with any, all or only, not " + in_quotes(given->value));
        return nullptr;
    }
    match->chunks_given = true;
    match->chunks_inverted = given->inverted;
    if (mode != "only") {
        match->mode = mode == "any" ? SctpMatch::Mode::Any : SctpMatch::Mode::All;
    } else {
        match->mode = SctpMatch::Mode::Only;
    }
    return read_chunks(*given, context, *match) ? match : nullptr;
}

}  // namespace

const MatchModule kSctpMatch = {"sctp", kBothFamilies, kSctpOptions, parse_sctp, proto::kSctp};

}  // namespace nsr::rules
