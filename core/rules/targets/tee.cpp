// -j TEE: a copy of the packet goes by way of a gateway.
// kernel: xt_TEE.c, nf_dup_ipv4.c, nf_dup_ipv6.c
#include <array>

#include "core/packet/rewrite.hpp"
#include "core/rules/copies.hpp"
#include "core/rules/recite.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/ipv4.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kTeeOptions = std::to_array<OptionSpec>({{"gateway"}, {"oif"}});

class TeeTarget : public Target {
  public:
    TeeTarget(const IpAddress& gateway, std::string interface)
        : Target("TEE"), gateway_(gateway), interface_(std::move(interface)) {}
    std::string save() const override {
        return "--gateway " + nsr::to_string(gateway_) +
               (interface_.empty() ? "" : " --oif " + form::plain_or_quoted(interface_));
    }
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;
    bool copies_packet() const override { return true; }

  private:
    IpAddress gateway_;
    std::string interface_;
};

void set_dont_fragment(Packet& packet) {
    std::uint8_t* field = packet.data() + wire::ipv4::kFragmentOffset;
    wire::store16(field,
                  static_cast<std::uint16_t>(wire::load16(field) | wire::ipv4::kDontFragment));
    packet.layout.dont_fragment = true;
    rewrite::recompute_ipv4_header_checksum(packet);
}

// It must not go round in a circle, and who sent it shall hear if it does not fit. No copies: this
// is one already.
TargetVerdict TeeTarget::apply(ActionParam& par, TableVerdict&) const {
    if (par.copies == nullptr) {
        return TargetVerdict::Continue;
    }
    Packet copy = par.packet.clone();
    if (copy.layout.family == Family::Ipv4) {
        set_dont_fragment(copy);
    }
    if (par.hook == Hook::Prerouting || par.hook == Hook::Input) {
        rewrite::decrement_ttl(copy);
    }
    par.copies->push_back({std::move(copy), gateway_, interface_});
    return TargetVerdict::Continue;
}

std::shared_ptr<const Target> parse_tee(const Options& options, RuleContext& context) {
    constexpr std::size_t kMostName = 15;
    const GivenOption* given = options.find("gateway");
    const auto gateway =
        given == nullptr ? std::nullopt : parse_host(given->value, context.family, context.names);
    if (given == nullptr) {
        context.error("target TEE needs --gateway");
        return nullptr;
    }
    if (!gateway || gateway->is_unspecified()) {
        context.error(*given, in_quotes(given->value) + " is not an " +
                                  (context.v6() ? "IPv6" : "IPv4") + " address other than 0");
        return nullptr;
    }
    const GivenOption* interface = options.find("oif");
    return std::make_shared<TeeTarget>(
        *gateway, interface == nullptr ? "" : interface->value.substr(0, kMostName));
}

}  // namespace

const TargetModule kTeeTarget = {"TEE", kBothFamilies, kTeeOptions, parse_tee};

}  // namespace nsr::rules
