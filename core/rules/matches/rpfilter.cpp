// -m rpfilter: would a packet to this source leave where this one came in?
// kernel: ipt_rpfilter.c, ip6t_rpfilter.c
#include <array>

#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

using AddressType = Network::AddressType;

constexpr std::array kRpfilterOptions =
    std::to_array<OptionSpec>({{"loose", 0}, {"validmark", 0}, {"accept-local", 0}, {"invert", 0}});

class RpfilterMatch : public Match {
  public:
    RpfilterMatch() : Match("rpfilter") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override { return yes_if(valid(par) != invert); }
    std::uint8_t hooks() const override { return bit(Hook::Prerouting); }

    bool loose = false;
    bool validmark = false;
    bool accept_local = false;
    bool invert = false;

  private:
    bool valid(const ActionParam& par) const;
};

std::string RpfilterMatch::save() const {
    std::string text;
    const std::array<std::pair<bool, std::string_view>, 4> flags = {
        {{loose, "--loose"},
         {validmark, "--validmark"},
         {accept_local, "--accept-local"},
         {invert, "--invert"}}};
    for (const auto& [given, option] : flags) {
        if (given) {
            append(text, option);
        }
    }
    return text;
}

// kernel: rpfilter_mt
bool RpfilterMatch::valid(const ActionParam& par) const {
    const Packet& packet = par.packet;
    const Network& network = par.network;
    const IpAddress& source = packet.layout.source;
    if (packet.meta.in == IfIndex::Loopback) {
        return true;
    }
    if (source.is_unspecified() &&
        (source.is_v6() || packet.layout.destination.is_limited_broadcast() ||
         packet.layout.destination.is_multicast())) {
        return true;
    }
    const auto type = network.address_type(source, std::nullopt);
    if (type == AddressType::Local) {
        return accept_local;
    }
    if (type != AddressType::Unicast) {
        return false;
    }
    const Mark mark = validmark ? packet.meta.mark : 0;
    const auto back = network.route_interface(source, mark, packet.meta.in);
    return back && (loose || *back == packet.meta.in);
}

std::shared_ptr<const Match> parse_rpfilter(const Options& options, RuleContext& context) {
    if (context.table != TableId::Raw && context.table != TableId::Mangle) {
        context.refuse("match \"rpfilter\" is only valid in table raw or mangle, not in " +
                       std::string(name_of(context.table)));
        return nullptr;
    }
    auto match = std::make_shared<RpfilterMatch>();
    match->loose = options.has("loose");
    match->validmark = options.has("validmark");
    match->accept_local = options.has("accept-local");
    match->invert = options.has("invert");
    return match;
}

}  // namespace

const MatchModule kRpfilterMatch = {"rpfilter", kBothFamilies, kRpfilterOptions, parse_rpfilter};

}  // namespace nsr::rules
