// -m connlabel: one of the 128 labels of a connection, set or asked for. Names of labels stand in
// a file of the tool's (connlabel.conf); rules here give their numbers.
// kernel: xt_connlabel.c
#include <array>

#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kConnlabelOptions =
    std::to_array<OptionSpec>({{"label", 1, true}, {"set", 0}});
constexpr std::uint64_t kLastLabel = 127;

class ConnlabelMatch : public Match {
  public:
    ConnlabelMatch() : Match("connlabel") {}
    std::string save() const override {
        return std::string(bang(invert)) + "--label \"" + std::to_string(label) + "\"" +
               (sets ? " --set" : "");
    }
    MatchResult test(ActionParam& par) const override;
    bool needs_tracking() const override { return true; }

    unsigned label = 0;
    bool sets = false;
    bool invert = false;
};

// kernel: connlabel_mt
MatchResult ConnlabelMatch::test(ActionParam& par) const {
    const ConnId id = par.packet.meta.conn;
    if (id == ConnId::None) {
        return yes_if(invert);
    }
    const bool there =
        par.conntrack.has_label(id, label) || (sets && par.conntrack.set_label(id, label));
    return yes_if(there != invert);
}

std::shared_ptr<const Match> parse_connlabel(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("label");
    if (given == nullptr) {
        context.error("match \"connlabel\" needs --label");
        return nullptr;
    }
    const auto label = read_number(options, context, "label", 0, kLastLabel);
    if (!label) {
        return nullptr;
    }
    auto match = std::make_shared<ConnlabelMatch>();
    match->label = static_cast<unsigned>(*label);
    match->sets = options.has("set");
    match->invert = given->inverted;
    return match;
}

}  // namespace

const MatchModule kConnlabelMatch = {"connlabel", kBothFamilies, kConnlabelOptions,
                                     parse_connlabel};

}  // namespace nsr::rules
