// -m ipcomp: compressed payload (RFC 3173), by the index of its parameters.
// kernel: xt_ipcomp.c
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/headers/index_range.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::uint8_t kIpComp = 108;

constexpr std::array kIpcompOptions =
    std::to_array<OptionSpec>({{"ipcompspi", 1, true}, {"compres", 0}});
constexpr std::size_t kHeaderBytes = 4;  // next header, flags, index

class IpcompMatch : public Match {
  public:
    IpcompMatch() : Match("ipcomp") {}
    std::string save() const override {
        std::string text;
        append_index_range("--ipcompspi", index, text);
        if (index.trivial()) {
            // differs: saved-text-is-read-back
            text = "--ipcompspi 0:4294967295";
        }
        if (reserved) {
            append(text, "--compres");
        }
        return text;
    }
    MatchResult test(ActionParam& par) const override;

    IndexRange index{0, 0};  // without --ipcompspi, as iptables has it
    bool reserved = false;   // said, and asked of no packet
};

// kernel: comp_mt
MatchResult IpcompMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    if (!packet.layout.has_l4_header()) {
        return MatchResult::No;
    }
    const auto header = packet.l4();
    if (header.size() < kHeaderBytes) {
        return MatchResult::HotDrop;
    }
    return yes_if(index.contains(wire::load16(header.data() + 2)));
}

std::shared_ptr<const Match> parse_ipcomp(const Options& options, RuleContext& context) {
    auto match = std::make_shared<IpcompMatch>();
    match->reserved = options.has("compres");
    return read_index_range(options, context, "ipcompspi", match->index) ? match : nullptr;
}

}  // namespace

const MatchModule kIpcompMatch = {"ipcomp", kBothFamilies, kIpcompOptions, parse_ipcomp, kIpComp};

}  // namespace nsr::rules
