// -j TPROXY: to a socket of the router's that listens for other addresses. There is none, so that
// the packet is dropped.
// kernel: xt_TPROXY.c
#include <array>

#include "core/rules/recite.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kTproxyOptions =
    std::to_array<OptionSpec>({{"on-port"}, {"on-ip"}, {"tproxy-mark"}});

class TproxyTarget : public Target {
  public:
    explicit TproxyTarget(std::string text) : Target("TPROXY"), text_(std::move(text)) {}
    std::string save() const override { return text_; }
    TargetVerdict apply(ActionParam&, TableVerdict&) const override { return TargetVerdict::Drop; }
    std::uint8_t hooks() const override { return bit(Hook::Prerouting); }

  private:
    std::string text_;
};

// kernel: tproxy_tg4_check
std::shared_ptr<const Target> parse_tproxy(const Options& options, RuleContext& context) {
    if (!context.only(proto::kTcp) && !context.only(proto::kUdp)) {
        context.refuse("target TPROXY needs \"-p tcp\" or \"-p udp\" in the same rule");
        return nullptr;
    }
    const GivenOption* port_given = options.find("on-port");
    if (port_given == nullptr) {
        context.error("target TPROXY needs --on-port with a port");
        return nullptr;
    }
    const auto port = parse_resolved_port(port_given->value);
    if (!port) {
        context.error(*port_given, in_quotes(port_given->value) + " is not a port");
        return nullptr;
    }
    IpAddress address{{}, context.family};
    if (const GivenOption* given = options.find("on-ip")) {
        const auto parsed = parse_host(given->value, context.family, context.names);
        if (!parsed) {
            context.error(*given, in_quotes(given->value) + " is not an address of this family");
            return nullptr;
        }
        address = *parsed;
    }
    MarkMask mark{0, 0};
    if (const GivenOption* given = options.find("tproxy-mark")) {
        const auto parsed = parse_mark(given->value);
        if (!parsed) {
            context.error(*given, in_quotes(given->value) + " is not a mark such as 0x1/0xf");
            return nullptr;
        }
        mark = *parsed;
    }
    return std::make_shared<TproxyTarget>("--on-port " + std::to_string(*port) + " --on-ip " +
                                          nsr::to_string(address) + " --tproxy-mark " +
                                          hex(mark.value) + "/" + hex(mark.mask));
}

}  // namespace

const TargetModule kTproxyTarget = {"TPROXY", kBothFamilies, kTproxyOptions, parse_tproxy,
                                    bit(TableId::Mangle)};

}  // namespace nsr::rules
