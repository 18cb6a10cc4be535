// -m hbh, dst: the hop-by-hop and the destination options of IPv6.
// kernel: ip6t_hbh.c
#include <array>
#include <vector>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/headers/index_range.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kHbhOptions = std::to_array<OptionSpec>({{"hbh-len", 1, true}, {"hbh-opts"}});
constexpr std::array kDstOptions = std::to_array<OptionSpec>({{"dst-len", 1, true}, {"dst-opts"}});
constexpr std::size_t kHeaderBytes = 2;  // next header, length
constexpr std::size_t kMostOptions = 16;
constexpr std::uint8_t kAnyLength = 0xff;
constexpr std::uint8_t kPad1 = 0;  // an option without a length

struct WantedOption {
    std::uint8_t type = 0;
    std::uint8_t length = kAnyLength;
};

class Ipv6OptionsMatch : public Match {
  public:
    explicit Ipv6OptionsMatch(std::string_view module) : Match(module) {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;

    IndexRange length;  // of the header, in bytes
    std::vector<WantedOption> wanted;

  private:
    [[nodiscard]] bool options_fit(wire::ConstBytes options) const;
};

std::string Ipv6OptionsMatch::save() const {
    const std::string prefix = "--" + std::string(module());
    std::string text;
    append_index_range(prefix + "-len", length, text);
    std::string list;
    for (const WantedOption& option : wanted) {
        list += (list.empty() ? "" : ",") + std::to_string(option.type) +
                (option.length == kAnyLength ? "" : ":" + std::to_string(option.length));
    }
    if (!list.empty()) {
        append(text, prefix + "-opts " + list);
    }
    return text;
}

// kernel: hbh_mt6
MatchResult Ipv6OptionsMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    const std::uint8_t type = module() == "hbh" ? proto::kHopByHop : proto::kDestinationOptions;
    const auto extension = wire::find_extension(packet.bytes(), type);
    if (!extension || extension->offset + extension->length > packet.size()) {
        return MatchResult::No;
    }
    const auto header = packet.bytes().subspan(extension->offset, extension->length);
    return yes_if(length.contains(static_cast<std::uint32_t>(header.size())) &&
                  options_fit(header.subspan(kHeaderBytes)));
}

// The first options are the wanted ones, in their order.
bool Ipv6OptionsMatch::options_fit(wire::ConstBytes options) const {
    for (const WantedOption& option : wanted) {
        if (options.empty() || options[0] != option.type) {
            return false;
        }
        std::size_t bytes = 1;
        if (option.type != kPad1) {
            if (options.size() < kHeaderBytes ||
                (option.length != kAnyLength && option.length != options[1])) {
                return false;
            }
            bytes = options[1] + kHeaderBytes;
        }
        const bool last = &option == &wanted.back();
        if (bytes > options.size()) {
            return last;
        }
        options = options.subspan(bytes);
    }
    return true;
}

// "5:2" or "5"; iptables keeps the lowest eight bits of either number.
std::optional<WantedOption> parse_wanted(std::string_view word) {
    const std::size_t colon = word.find(':');
    const auto type = parse_number(word.substr(0, colon));
    auto length = std::optional<std::uint64_t>(kAnyLength);
    if (colon != std::string_view::npos) {
        length = parse_number(word.substr(colon + 1));
    }
    if (!type || !length) {
        return std::nullopt;
    }
    const WantedOption wanted{static_cast<std::uint8_t>(*type), static_cast<std::uint8_t>(*length)};
    const bool impossible = wanted.type == kPad1 && colon != std::string_view::npos;
    return impossible ? std::nullopt : std::optional(wanted);
}

std::shared_ptr<const Match> parse_ipv6_options(const Options& options, RuleContext& context) {
    const std::string prefix(options.module);
    auto match = std::make_shared<Ipv6OptionsMatch>(options.module);
    if (!read_index(options, context, prefix + "-len", match->length)) {
        return nullptr;
    }
    const GivenOption* list = options.find(prefix + "-opts");
    if (list == nullptr) {
        return match;
    }
    for (const std::string_view word : split(list->value, ',')) {
        const auto wanted = parse_wanted(word);
        // The last of 16 has no length: iptables has no room for it.
        const bool with_length = word.find(':') != std::string_view::npos;
        if (!wanted || match->wanted.size() + with_length >= kMostOptions) {
            context.error(*list, "--" + prefix + "-opts needs 1 to 16 options such as 5:2,194, " +
                                     "not " + in_quotes(list->value));
            return nullptr;
        }
        match->wanted.push_back(*wanted);
    }
    return match;
}

}  // namespace

const MatchModule kHbhMatch = {"hbh", kIpv6Only, kHbhOptions, parse_ipv6_options};
const MatchModule kDstMatch = {"dst", kIpv6Only, kDstOptions, parse_ipv6_options};

}  // namespace nsr::rules
