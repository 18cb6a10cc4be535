// -j SNAT, DNAT, MASQUERADE, REDIRECT, NETMAP: which translations a rule allows.
// kernel: xt_nat.c, nf_nat_masquerade.c, nf_nat_redirect.c, xt_NETMAP.c
#include <array>
#include <optional>

#include "core/rules/targets/nat_behaviour.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

using nat::Manip;
using nat::Range;

constexpr std::uint8_t kBefore = bit(Hook::Prerouting) | bit(Hook::Output);
constexpr std::uint8_t kBehind = bit(Hook::Postrouting) | bit(Hook::Input);
constexpr std::uint8_t kNatTable = bit(TableId::Nat);

constexpr auto kSnatOptions = with_behaviour(std::to_array<OptionSpec>(
    {{"to-source"}, {"random", 0}, {"random-fully", 0}, {"persistent", 0}}));
constexpr std::array kDnatOptions =
    std::to_array<OptionSpec>({{"to-destination"}, {"random", 0}, {"persistent", 0}});
constexpr auto kMasqueradeOptions =
    with_behaviour(std::to_array<OptionSpec>({{"to-ports"}, {"random", 0}, {"random-fully", 0}}));
constexpr std::array kRedirectOptions = std::to_array<OptionSpec>({{"to-ports"}, {"random", 0}});
constexpr std::array kNetmapOptions = std::to_array<OptionSpec>({{"to"}});

std::string ports_text(const Range& range) {
    std::string text = std::to_string(range.min_port);
    if (range.max_port != range.min_port ||
        range.offset_ports) {  // differs: saved-text-is-read-back
        text += "-" + std::to_string(range.max_port);
    }
    if (range.offset_ports) {
        text += "/" + std::to_string(range.base_port);
    }
    return text;
}

std::string range_text(const Range& range) {
    std::string text;
    const bool bracket = range.map_ports && range.min_address.is_v6();
    if (range.map_addresses) {
        text = (bracket ? "[" : "") + to_string(range.min_address);
        if (range.max_address != range.min_address) {
            text += "-" + to_string(range.max_address);
        }
        text += bracket ? "]" : "";
    }
    return range.map_ports ? text + ":" + ports_text(range) : text;
}

void append_if_any(std::string& text, const std::string& more) {
    if (!more.empty()) {
        append(text, more);
    }
}

std::string flags_text(const Range& range) {
    std::string text;
    append_if_any(text, range.random ? "--random" : "");
    append_if_any(text, range.random_fully ? "--random-fully" : "");
    append_if_any(text, range.persistent ? "--persistent" : "");
    return text;
}

void read_flags(const Options& options, Range& range) {
    range.random = options.has("random");
    range.random_fully = options.has("random-fully");
    range.persistent = options.has("persistent");
}

// SNAT and DNAT
class RangeTarget : public Target {
  public:
    // `behaviour`: the options that say how the NAT behaves.
    RangeTarget(std::string_view name, Manip manip, const Range& range, std::string behaviour)
        : Target(name),
          source_(manip == Manip::Source),
          range_(range),
          behaviour_(std::move(behaviour)) {}
    std::string save() const override;
    TargetVerdict apply(ActionParam&, TableVerdict& verdict) const override {
        verdict.range = range_;
        return TargetVerdict::Nat;
    }
    bool needs_tracking() const override { return true; }
    const Range* source_range() const override { return source_ ? &range_ : nullptr; }
    std::uint8_t hooks() const override { return source_ ? kBehind : kBefore; }

  private:
    bool source_;
    Range range_;
    std::string behaviour_;
};

std::string RangeTarget::save() const {
    std::string text = source_ ? "--to-source " : "--to-destination ";
    text += range_text(range_);
    append_if_any(text, flags_text(range_));
    append_if_any(text, behaviour_);
    return text;
}

class MasqueradeTarget : public Target {
  public:
    MasqueradeTarget(const Range& range, std::string behaviour)
        : Target("MASQUERADE"), range_(range), behaviour_(std::move(behaviour)) {}
    std::string save() const override;
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;
    bool needs_tracking() const override { return true; }
    const Range* source_range() const override { return &range_; }
    std::uint8_t hooks() const override { return bit(Hook::Postrouting); }

  private:
    Range range_;
    std::string behaviour_;
};

std::string to_ports_text(const Range& range) {
    std::string text = range.map_ports ? "--to-ports " + ports_text(range) : "";
    append_if_any(text, flags_text(range));
    return text;
}

std::string MasqueradeTarget::save() const {
    std::string text = to_ports_text(range_);
    append_if_any(text, behaviour_);
    return text;
}

// kernel: nf_nat_masquerade_ipv4, nf_nat_masquerade_ipv6
TargetVerdict MasqueradeTarget::apply(ActionParam& par, TableVerdict& verdict) const {
    const Packet& packet = par.packet;
    if (packet.layout.source.is_v4() && packet.layout.source.is_unspecified()) {
        return TargetVerdict::Accept;
    }
    const auto address = par.network.primary_address(packet.meta.out, packet.layout.destination);
    if (!address) {
        return TargetVerdict::Drop;
    }
    verdict.range = range_;
    set_address(verdict.range, *address);
    verdict.range.masquerade = true;
    verdict.range.interface = packet.meta.out;
    return TargetVerdict::Nat;
}

class RedirectTarget : public Target {
  public:
    explicit RedirectTarget(const Range& range) : Target("REDIRECT"), range_(range) {}
    std::string save() const override { return to_ports_text(range_); }
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;
    bool needs_tracking() const override { return true; }
    std::uint8_t hooks() const override { return kBefore; }

  private:
    Range range_;
};

// kernel: nf_nat_redirect_ipv4, nf_nat_redirect_ipv6
TargetVerdict RedirectTarget::apply(ActionParam& par, TableVerdict& verdict) const {
    const Packet& packet = par.packet;
    std::optional<IpAddress> address;
    if (par.hook == Hook::Output) {
        address = packet.layout.family == Family::Ipv4 ? IpAddress::v4(127, 0, 0, 1)
                                                       : IpAddress::v6(0, 0, 0, 1);
    } else {
        // Towards nobody in particular: the interface's first address.
        const IpAddress nobody{{}, packet.layout.family};
        address = par.network.primary_address(packet.meta.in, nobody);
    }
    if (!address) {
        return TargetVerdict::Drop;
    }
    verdict.range = range_;
    set_address(verdict.range, *address);
    return TargetVerdict::Nat;
}

class NetmapTarget : public Target {
  public:
    explicit NetmapTarget(const MaskedAddress& to) : Target("NETMAP"), to_(to) {}
    std::string save() const override;
    TargetVerdict apply(ActionParam& par, TableVerdict& verdict) const override;
    bool needs_tracking() const override { return true; }
    std::uint8_t hooks() const override { return kBefore | kBehind; }

  private:
    MaskedAddress to_;
};

std::string NetmapTarget::save() const {
    return "--to " + to_string(to_);
}

// kernel: netmap_tg4, netmap_tg6
TargetVerdict NetmapTarget::apply(ActionParam& par, TableVerdict& verdict) const {
    const bool destination = (kBefore & bit(par.hook)) != 0;
    const Layout& layout = par.packet.layout;
    IpAddress address = destination ? layout.destination : layout.source;
    for (std::size_t i = 0; i < address.words.size(); ++i) {
        address.words[i] = (address.words[i] & ~to_.mask.words[i]) | to_.address.words[i];
    }
    verdict.range = Range{.map_addresses = true, .min_address = address, .max_address = address};
    return TargetVerdict::Nat;
}

bool has_ports(const RuleContext& context) {
    switch (context.protocol) {
        case proto::kTcp:
        case proto::kUdp:
        case proto::kSctp:
        case proto::kDccp:
        case proto::kIcmp:
            return true;
        default:
            return false;
    }
}

// "1024", the name of a service, "1024-2047", "1024-2047/5000". libxt_NAT: parse_ports
bool parse_ports(std::string_view text, Range& range) {
    range.map_ports = true;
    const auto low = parse_leading_number(text, 0xffff);
    if (!low || low->rest.empty()) {
        const auto port = parse_port(text);
        range.min_port = range.max_port = port.value_or(0);
        return port.has_value();
    }
    const auto high =
        low->rest[0] == '-' ? parse_leading_number(low->rest.substr(1), 0xffff) : std::nullopt;
    if (!high || high->value < low->value) {
        return false;
    }
    range.min_port = static_cast<std::uint16_t>(low->value);
    range.max_port = static_cast<std::uint16_t>(high->value);
    if (high->rest.empty()) {
        return true;
    }
    const auto base =
        high->rest[0] == '/' ? parse_port(high->rest.substr(1)) : std::optional<std::uint16_t>();
    range.offset_ports = true;
    range.base_port = base.value_or(0);
    return base && *base != 0;
}

bool read_ports(std::string_view text, const GivenOption& given, const RuleContext& context,
                Range& range) {
    if (!has_ports(context)) {
        context.error(given, "ports in --" + std::string(given.name) +
                                 " need a protocol that has them:"
                                 " -p tcp, udp, sctp, dccp or icmp");
        return false;
    }
    if (!parse_ports(text, range) || (range.offset_ports && given.name != "to-destination")) {
        context.error(given, in_quotes(text) +
                                 " is not a port, the name of a service, or a range such as"
                                 " 1024-2047 or, of DNAT, 5000-5999/80");
        return false;
    }
    return true;
}

bool read_addresses(std::string_view text, const GivenOption& given, const RuleContext& context,
                    Range& range) {
    const std::size_t dash = text.find('-');
    const auto low = parse_address(text.substr(0, dash));
    const auto high = dash == std::string_view::npos ? low : parse_address(text.substr(dash + 1));
    if (!low || !high || low->family != context.family || high->family != context.family) {
        context.error(given, in_quotes(text) + " is not an " + (context.v6() ? "IPv6" : "IPv4") +
                                 " address or range of addresses a-b");
        return false;
    }
    if (*high < *low) {
        context.error(given, "the range " + in_quotes(text) + " ends before it begins");
        return false;
    }
    range.map_addresses = true;
    range.min_address = *low;
    range.max_address = *high;
    return true;
}

struct Parts {
    std::optional<std::string_view> addresses;
    std::optional<std::string_view> ports;
};

// "a-b:p-q"; an IPv6 address with ports stands in brackets. libxt_NAT: parse_to
std::optional<Parts> take_apart(std::string_view text, bool v6) {
    const std::size_t open = text.find('[');
    std::string_view addresses = text;
    std::size_t colon = text.find(':');
    if (open != std::string_view::npos) {
        const std::size_t close = text.find(']', open);
        if (!v6 || close == std::string_view::npos) {
            return std::nullopt;
        }
        addresses = text.substr(open + 1, close - open - 1);
        colon = text.find(':', close);
    } else if (colon != std::string_view::npos &&
               text.find(':', colon + 1) != std::string_view::npos) {
        colon = std::string_view::npos;  // two: an IPv6 address
    }
    if (colon == std::string_view::npos) {
        return Parts{addresses, {}};
    }
    const std::string_view ports = text.substr(colon + 1);
    if (colon == 0 || (colon == 2 && open == 0)) {
        return Parts{{}, ports};
    }
    return Parts{open == std::string_view::npos ? text.substr(0, colon) : addresses, ports};
}

std::shared_ptr<const Target> parse_range_target(const Options& options, RuleContext& context) {
    const bool source = options.module == "SNAT";
    const std::string_view option = source ? "to-source" : "to-destination";
    const GivenOption* given = options.find(option);
    if (given == nullptr) {
        context.error("target " + std::string(options.module) + " needs --" + std::string(option));
        return nullptr;
    }
    Range range;
    const auto parts = take_apart(given->value, context.v6());
    if (!parts) {
        context.error(*given, in_quotes(given->value) + " is not an address; [] stand around IPv6" +
                                  " addresses that have ports behind them");
        return nullptr;
    }
    if (parts->ports && !read_ports(*parts->ports, *given, context, range)) {
        return nullptr;
    }
    if (parts->addresses && !read_addresses(*parts->addresses, *given, context, range)) {
        return nullptr;
    }
    read_flags(options, range);
    std::string behaviour;
    if (!read_behaviour(options, context, range, behaviour)) {
        return nullptr;
    }
    return std::make_shared<RangeTarget>(
        options.module, source ? Manip::Source : Manip::Destination, range, behaviour);
}

std::shared_ptr<const Target> parse_ports_target(const Options& options, RuleContext& context) {
    Range range;
    const GivenOption* given = options.find("to-ports");
    if (given != nullptr && !read_ports(given->value, *given, context, range)) {
        return nullptr;
    }
    read_flags(options, range);
    if (options.module == "REDIRECT") {
        return std::make_shared<RedirectTarget>(range);
    }
    std::string behaviour;
    if (!read_behaviour(options, context, range, behaviour)) {
        return nullptr;
    }
    return std::make_shared<MasqueradeTarget>(range, behaviour);
}

std::shared_ptr<const Target> parse_netmap(const Options& options, RuleContext& context) {
    const GivenOption* given = options.find("to");
    if (given == nullptr) {
        context.error("target NETMAP needs --to");
        return nullptr;
    }
    const auto to = parse_host_prefix(given->value, context.family, context.names);
    if (!to || !prefix_length(to->mask)) {
        context.error(*given, in_quotes(given->value) + " is not a prefix such as " +
                                  (context.v6() ? "fd00::/64" : "10.0.0.0/24"));
        return nullptr;
    }
    return std::make_shared<NetmapTarget>(MaskedAddress{to->address & to->mask, to->mask});
}

}  // namespace

const TargetModule kSnatTarget = {"SNAT", kBothFamilies, kSnatOptions, parse_range_target,
                                  kNatTable};
const TargetModule kDnatTarget = {"DNAT", kBothFamilies, kDnatOptions, parse_range_target,
                                  kNatTable};
const TargetModule kMasqueradeTarget = {"MASQUERADE", kBothFamilies, kMasqueradeOptions,
                                        parse_ports_target, kNatTable};
const TargetModule kRedirectTarget = {"REDIRECT", kBothFamilies, kRedirectOptions,
                                      parse_ports_target, kNatTable};
const TargetModule kNetmapTarget = {"NETMAP", kBothFamilies, kNetmapOptions, parse_netmap,
                                    kNatTable};

}  // namespace nsr::rules
