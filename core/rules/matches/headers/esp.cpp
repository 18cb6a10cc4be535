// -m esp: encapsulated security payload, by its SPI.
// kernel: xt_esp.c
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/headers/index_range.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kEspOptions = std::to_array<OptionSpec>({{"espspi", 1, true}});
constexpr std::size_t kEspBytes = 8;

class EspMatch : public Match {
  public:
    EspMatch() : Match("esp") {}
    std::string save() const override {
        std::string text;
        append_index_range("--espspi", spi, text);
        return text;
    }
    MatchResult test(ActionParam& par) const override {
        const Packet& packet = par.packet;
        if (!packet.layout.has_l4_header()) {
            return MatchResult::No;
        }
        const auto l4 = packet.l4();
        return l4.size() < kEspBytes ? MatchResult::HotDrop
                                     : yes_if(spi.contains(wire::load32(l4.data())));
    }

    IndexRange spi;
};

std::shared_ptr<const Match> parse_esp(const Options& options, RuleContext& context) {
    auto match = std::make_shared<EspMatch>();
    return read_index_range(options, context, "espspi", match->spi) ? match : nullptr;
}

}  // namespace

const MatchModule kEspMatch = {"esp", kBothFamilies, kEspOptions, parse_esp, proto::kEsp};

}  // namespace nsr::rules
