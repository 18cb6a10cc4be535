// -m frag: the fragment header of IPv6.
// kernel: ip6t_frag.c
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/headers/index_range.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kFragOptions = std::to_array<OptionSpec>({{"fragid", 1, true},
                                                               {"fraglen", 1, true},
                                                               {"fragres", 0},
                                                               {"fragfirst", 0},
                                                               {"fragmore", 0},
                                                               {"fraglast", 0}});

class FragMatch : public Match {
  public:
    FragMatch() : Match("frag") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;

    IndexRange id;
    IndexRange length;  // of a header that has no length: said, and asked of no packet
    bool reserved = false;
    bool first = false;
    bool more = false;
    bool last = false;
};

std::string FragMatch::save() const {
    std::string text;
    append_index_range("--fragid", id, text);
    append_index_range("--fraglen", length, text);
    const std::array<std::pair<bool, std::string_view>, 4> flags = {{{reserved, "--fragres"},
                                                                     {first, "--fragfirst"},
                                                                     {more, "--fragmore"},
                                                                     {last, "--fraglast"}}};
    for (const auto& [given, option] : flags) {
        if (given) {
            append(text, option);
        }
    }
    return text;
}

// kernel: frag_mt6
MatchResult FragMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    const auto extension = wire::find_extension(packet.bytes(), proto::kFragment);
    if (!extension) {
        return MatchResult::No;
    }
    if (extension->offset + wire::ipv6::kFragmentHeaderBytes > packet.size()) {
        return MatchResult::HotDrop;
    }
    const std::uint8_t* header = packet.data() + extension->offset;
    const std::uint16_t offset = wire::load16(header + wire::ipv6::kFragmentOffsetOffset);
    constexpr std::uint16_t kReservedBits = 0x6;
    const bool has_more = (offset & wire::ipv6::kMoreFragments) != 0;
    return yes_if(id.contains(wire::load32(header + wire::ipv6::kFragmentIdentificationOffset)) &&
                  !(reserved && (header[1] != 0 || (offset & kReservedBits) != 0)) &&
                  !(first && (offset & wire::ipv6::kFragmentOffsetMask) != 0) &&
                  !(more && !has_more) && !(last && has_more));
}

std::shared_ptr<const Match> parse_frag(const Options& options, RuleContext& context) {
    auto match = std::make_shared<FragMatch>();
    match->reserved = options.has("fragres");
    match->first = options.has("fragfirst");
    match->more = options.has("fragmore");
    match->last = options.has("fraglast");
    if (match->more && match->last) {
        context.error("--fragmore and --fraglast exclude each other");
        return nullptr;
    }
    const bool ok = read_index_range(options, context, "fragid", match->id) &&
                    read_index(options, context, "fraglen", match->length);
    return ok ? match : nullptr;
}

}  // namespace

const MatchModule kFragMatch = {"frag", kIpv6Only, kFragOptions, parse_frag};

}  // namespace nsr::rules
