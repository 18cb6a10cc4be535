// -m addrtype: what routing says an address is.
// kernel: xt_addrtype.c
#include <algorithm>
#include <array>

#include "core/rules/matches/matches.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kAddrtypeOptions = std::to_array<OptionSpec>(
    {{"src-type", 1, true}, {"dst-type", 1, true}, {"limit-iface-in", 0}, {"limit-iface-out", 0}});
// In the order of the kernel's bits, which is that of Network::AddressType as far as both go.
constexpr std::array<std::string_view, 12> kTypeNames = {
    "UNSPEC",    "UNICAST",     "LOCAL",    "BROADCAST", "ANYCAST", "MULTICAST",
    "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW",     "NAT",     "XRESOLVE"};

using AddressType = Network::AddressType;

constexpr std::uint16_t type_bit(AddressType type) {
    return static_cast<std::uint16_t>(1u << static_cast<unsigned>(type));
}

// kernel: addrtype_mt_checkentry_v1
constexpr std::uint16_t kTypes6 =
    type_bit(AddressType::Unspecified) | type_bit(AddressType::Unicast) |
    type_bit(AddressType::Local) | type_bit(AddressType::Anycast) |
    type_bit(AddressType::Multicast) | type_bit(AddressType::Unreachable);

struct TypeTest {
    std::uint16_t types = 0;
    bool invert = false;
};

class AddrtypeMatch : public Match {
  public:
    AddrtypeMatch() : Match("addrtype") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;
    std::uint8_t hooks() const override;

    std::optional<TypeTest> source;
    std::optional<TypeTest> destination;
    bool limit_in = false;
    bool limit_out = false;

  private:
    bool passes(ActionParam& par, const IpAddress& address, const TypeTest& test) const;
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
bool AddrtypeMatch::passes(ActionParam& par, const IpAddress& address, const TypeTest& test) const {
    const Meta& meta = par.packet.meta;
    std::optional<IfIndex> only;
    if (limit_in || limit_out) {
        only = limit_in ? meta.in : meta.out;
    }
    const AddressType type = par.network.address_type(address, only);
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
MatchResult AddrtypeMatch::test(ActionParam& par) const {
    const Layout& layout = par.packet.layout;
    if (source && passes(par, layout.source, *source) == source->invert) {
        return MatchResult::No;
    }
    return yes_if(!destination ||
                  passes(par, layout.destination, *destination) != destination->invert);
}

bool read_types(const Options& options, const RuleContext& context, std::string_view name,
                std::optional<TypeTest>& test) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return true;
    }
    test = TypeTest{0, given->inverted};
    for (const std::string_view word : split(given->value, ',')) {
        const auto* found = std::find_if(kTypeNames.begin(), kTypeNames.end(), [&](auto type) {
            return !word.empty() && lower(type).starts_with(lower(word));
        });
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
    const unsigned types = (match->source ? match->source->types : 0u) |
                           (match->destination ? match->destination->types : 0u);
    if (ok && context.v6() && (types & ~kTypes6) != 0) {
        context.error("in IPv6, addrtype knows " + type_list(kTypes6) + " only, not " +
                      type_list(static_cast<std::uint16_t>(types & ~kTypes6)));
        return nullptr;
    }
    return ok ? match : nullptr;
}

}  // namespace

const MatchModule kAddrtypeMatch = {"addrtype", kBothFamilies, kAddrtypeOptions, parse_addrtype};

}  // namespace nsr::rules
