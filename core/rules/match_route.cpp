// -m addrtype, rpfilter, mac, physdev: what routing and the link say about a packet.
// kernel: xt_addrtype.c, ipt_rpfilter.c, ip6t_rpfilter.c, xt_mac.c, xt_physdev.c
#include <algorithm>
#include <array>

#include "core/rules/modules.hpp"
#include "core/rules/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kAddrtypeOptions = std::to_array<OptionSpec>(
    {{"src-type", 1, true}, {"dst-type", 1, true}, {"limit-iface-in", 0}, {"limit-iface-out", 0}});
// In the order of the kernel's bits, which is that of World::AddressType as far as both go.
constexpr std::array<std::string_view, 12> kTypeNames = {
    "UNSPEC",    "UNICAST",     "LOCAL",    "BROADCAST", "ANYCAST", "MULTICAST",
    "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW",     "NAT",     "XRESOLVE"};

using AddressType = World::AddressType;

constexpr std::uint16_t type_bit(AddressType type) {
    return static_cast<std::uint16_t>(1u << static_cast<unsigned>(type));
}

struct TypeTest {
    std::uint16_t types = 0;
    bool invert = false;
};

class AddrtypeMatch : public Match {
  public:
    AddrtypeMatch() : Match("addrtype") {}
    std::string save() const override;
    MatchResult test(Subject& subject, MatchState* state) const override;
    std::uint8_t hooks() const override;

    std::optional<TypeTest> source;
    std::optional<TypeTest> destination;
    bool limit_in = false;
    bool limit_out = false;

  private:
    bool passes(Subject& subject, const IpAddress& address, const TypeTest& test) const;
};

std::string type_list(std::uint16_t types) {
    std::string text;
    for (std::size_t i = 0; i < kTypeNames.size(); ++i) {
        if ((types >> i & 1) != 0) {
            text += (text.empty() ? "" : ",") + std::string(kTypeNames[i]);
        }
    }
    return text;
}

std::string AddrtypeMatch::save() const {
    std::string text;
    if (source) {
        append(text, std::string(bang(source->invert)) + "--src-type " + type_list(source->types));
    }
    if (destination) {
        append(text, std::string(bang(destination->invert)) + "--dst-type " +
                         type_list(destination->types));
    }
    if (limit_in) {
        append(text, "--limit-iface-in");
    }
    if (limit_out) {
        append(text, "--limit-iface-out");
    }
    return text;
}

// kernel: addrtype_mt_checkentry_v1
std::uint8_t AddrtypeMatch::hooks() const {
    unsigned hooks = kAllHooks;
    if (limit_in) {
        hooks &= bit(Hook::Prerouting) | bit(Hook::Input) | bit(Hook::Forward);
    }
    if (limit_out) {
        hooks &= bit(Hook::Postrouting) | bit(Hook::Output) | bit(Hook::Forward);
    }
    return static_cast<std::uint8_t>(hooks);
}

// kernel: match_type; IPv6's match_type6 asks of an address that it has all the wanted properties
bool AddrtypeMatch::passes(Subject& subject, const IpAddress& address, const TypeTest& test) const {
    const Meta& meta = subject.packet.meta;
    std::optional<IfIndex> only;
    if (limit_in || limit_out) {
        only = limit_in ? meta.in : meta.out;
    }
    const AddressType type = subject.environment.world.address_type(address, only);
    if (address.is_v4()) {
        // kernel: __inet_dev_addr_type asks the local table, where no such routes are
        const bool from_main_table = type >= AddressType::Blackhole;
        return (test.types & type_bit(from_main_table ? AddressType::Unicast : type)) != 0;
    }
    const bool unicast = !address.is_multicast() && !address.is_unspecified();
    const auto wants = [&](AddressType one) { return (test.types & type_bit(one)) != 0; };
    if ((wants(AddressType::Multicast) && !address.is_multicast()) ||
        (wants(AddressType::Unicast) && !unicast) ||
        (wants(AddressType::Unspecified) && !address.is_unspecified())) {
        return false;
    }
    constexpr auto kRouted =
        static_cast<std::uint16_t>(type_bit(AddressType::Local) | type_bit(AddressType::Anycast) |
                                   type_bit(AddressType::Unreachable));
    return (test.types & kRouted) == 0 || (test.types & kRouted & type_bit(type)) != 0;
}

// kernel: addrtype_mt_v1
MatchResult AddrtypeMatch::test(Subject& subject, MatchState*) const {
    const Layout& layout = subject.packet.layout;
    if (source && passes(subject, layout.source, *source) == source->invert) {
        return MatchResult::No;
    }
    return yes_if(!destination ||
                  passes(subject, layout.destination, *destination) != destination->invert);
}

bool read_types(const Options& options, const RuleContext& context, std::string_view name,
                std::optional<TypeTest>& test) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return true;
    }
    test = TypeTest{0, given->inverted};
    for (const std::string_view word : split(given->value, ',')) {
        const auto* found = std::find_if(kTypeNames.begin(), kTypeNames.end(),
                                         [&](auto type) { return lower(type) == lower(word); });
        if (found == kTypeNames.end()) {
            context.error(*given, "unknown address type " + in_quotes(word) +
                                      did_you_mean(word, {kTypeNames.begin(), kTypeNames.end()}));
            return false;
        }
        test->types |= static_cast<std::uint16_t>(1u << (found - kTypeNames.begin()));
    }
    return true;
}

std::shared_ptr<const Match> parse_addrtype(const Options& options, RuleContext& context) {
    auto match = std::make_shared<AddrtypeMatch>();
    match->limit_in = options.has("limit-iface-in");
    match->limit_out = options.has("limit-iface-out");
    if (!options.has("src-type") && !options.has("dst-type")) {
        context.error("match \"addrtype\" needs --src-type or --dst-type");
        return nullptr;
    }
    if (match->limit_in && match->limit_out) {
        context.error("--limit-iface-in and --limit-iface-out exclude each other");
        return nullptr;
    }
    const bool ok = read_types(options, context, "src-type", match->source) &&
                    read_types(options, context, "dst-type", match->destination);
    return ok ? match : nullptr;
}

constexpr std::array kRpfilterOptions =
    std::to_array<OptionSpec>({{"loose", 0}, {"validmark", 0}, {"accept-local", 0}, {"invert", 0}});

class RpfilterMatch : public Match {
  public:
    RpfilterMatch() : Match("rpfilter") {}
    std::string save() const override;
    MatchResult test(Subject& subject, MatchState*) const override {
        return yes_if(valid(subject) != invert);
    }
    std::uint8_t hooks() const override { return bit(Hook::Prerouting); }

    bool loose = false;
    bool validmark = false;
    bool accept_local = false;
    bool invert = false;

  private:
    bool valid(const Subject& subject) const;
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
bool RpfilterMatch::valid(const Subject& subject) const {
    const Packet& packet = subject.packet;
    const World& world = subject.environment.world;
    const IpAddress& source = packet.layout.source;
    if (source.is_unspecified() &&
        (source.is_v6() || packet.layout.destination.is_limited_broadcast() ||
         packet.layout.destination.is_multicast())) {
        return true;
    }
    const auto type = world.address_type(source, std::nullopt);
    if (type == AddressType::Local) {
        return accept_local;
    }
    if (type != AddressType::Unicast) {
        return false;
    }
    const auto back = world.route_interface(source);
    return back && (loose || *back == packet.meta.in);
}

std::shared_ptr<const Match> parse_rpfilter(const Options& options, RuleContext& context) {
    if (context.table != TableId::Raw && context.table != TableId::Mangle) {
        context.error("match \"rpfilter\" is only valid in table raw or mangle, not in " +
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

constexpr std::array kMacOptions = std::to_array<OptionSpec>({{"mac-source", 1, true}});
constexpr std::array kPhysdevOptions = std::to_array<OptionSpec>({{"physdev-in", 1, true},
                                                                  {"physdev-out", 1, true},
                                                                  {"physdev-is-in", 0, true},
                                                                  {"physdev-is-out", 0, true},
                                                                  {"physdev-is-bridged", 0, true}});

// mac and physdev: TUN devices have no link layer and no bridge, so that these never match, as in
// the kernel. kernel: mac_mt wants an Ethernet header, physdev_mt a bridge
class LinkMatch : public Match {
  public:
    LinkMatch(std::string_view module, std::string text) : Match(module), text_(std::move(text)) {}
    std::string save() const override { return text_; }
    MatchResult test(Subject&, MatchState*) const override { return MatchResult::No; }

  private:
    std::string text_;
};

std::shared_ptr<const Match> parse_link(const Options& options, RuleContext& context) {
    std::string text;
    for (const GivenOption& given : options.given) {
        append(text, std::string(bang(given.inverted)) + "--" + std::string(given.name));
        if (!given.value.empty()) {
            append(text, given.value);
        }
    }
    if (text.empty()) {
        context.error("match " + in_quotes(options.module) + " needs an option");
        return nullptr;
    }
    return std::make_shared<LinkMatch>(options.module, text);
}

}  // namespace

const MatchModule kAddrtypeModule = {"addrtype", kBothFamilies, kAddrtypeOptions, parse_addrtype};
const MatchModule kRpfilterModule = {"rpfilter", kBothFamilies, kRpfilterOptions, parse_rpfilter};
const MatchModule kMacModule = {"mac", kBothFamilies, kMacOptions, parse_link};
const MatchModule kPhysdevModule = {"physdev", kBothFamilies, kPhysdevOptions, parse_link};

}  // namespace nsr::rules
