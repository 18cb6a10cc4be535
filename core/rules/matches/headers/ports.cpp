// -m tcp, udp, udplite: ports, and TCP's flags and options.
// kernel: xt_tcpudp.c
#include <algorithm>
#include <array>
#include <optional>

#include "core/rules/code.hpp"
#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/matches/headers/transport.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/tcp_options.hpp"
#include "core/wire/udp.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kTcpOptions = std::to_array<OptionSpec>({
    {"source-port", 1, true},
    {"sport", 1, true, "source-port"},
    {"destination-port", 1, true},
    {"dport", 1, true, "destination-port"},
    {"syn", 0, true},
    {"tcp-flags", 2, true},
    {"tcp-option", 1, true},
});
constexpr std::span<const OptionSpec> kPortOptions(kTcpOptions.data(), 4);

constexpr std::array<std::string_view, 6> kFlagNames = {"FIN", "SYN", "RST", "PSH", "ACK", "URG"};

std::optional<std::uint8_t> parse_flags(std::string_view text) {
    unsigned flags = 0;
    for (const std::string_view word : tokens(text)) {
        const std::string name = lower(word);
        bool known = name == "all" || name == "none";
        flags |= name == "all" ? 0x3fu : 0u;
        for (unsigned i = 0; i < kFlagNames.size(); ++i) {
            if (lower(kFlagNames[i]) == name) {
                flags |= 1u << i;
                known = true;
            }
        }
        if (!known) {
            return std::nullopt;
        }
    }
    return static_cast<std::uint8_t>(flags);
}

std::string flags_text(std::uint8_t flags) {
    std::string text;
    for (unsigned i = 0; i < kFlagNames.size(); ++i) {
        if ((flags >> i & 1) != 0) {
            text += (text.empty() ? "" : ",") + std::string(kFlagNames[i]);
        }
    }
    return text.empty() ? "NONE" : text;
}

class TcpMatch : public Match {
  public:
    TcpMatch() : Match("tcp") {}
    std::string save() const override;
    void compile(Code& code) const override;
    MatchResult test(ActionParam& par) const override;

    TransportPorts ports;
    std::uint8_t flag_mask = 0;
    std::uint8_t flag_value = 0;
    bool flags_inverted = false;
    std::uint8_t option = 0;  // 0: none asked for
    bool option_inverted = false;
};

std::string TcpMatch::save() const {
    std::string text = ports.save();
    if (option != 0) {
        append(text,
               std::string(option_inverted ? "! " : "") + "--tcp-option " + std::to_string(option));
    }
    if (flag_mask != 0 || flags_inverted) {
        append(text, std::string(flags_inverted ? "! " : "") + "--tcp-flags " +
                         flags_text(flag_mask) + " " + flags_text(flag_value));
    }
    return text;
}

void TcpMatch::compile(Code& code) const {
    code.emit({.op = Op::TransportHeader, .low = wire::tcp::kHeaderBytes, .high = 1});
    ports.compile(code);
    if (flag_mask != 0 || flags_inverted) {
        code.emit(
            {.op = Op::TcpFlags, .invert = flags_inverted, .value = flag_value, .mask = flag_mask});
    }
    if (option != 0) {
        code.emit_call(*this);
    }
}

// kernel: tcp_find_option
MatchResult TcpMatch::test(ActionParam& par) const {
    const auto header = wire::TcpView::parse(par.packet.l4());
    if (!header || header->data_offset_bytes() < wire::tcp::kHeaderBytes) {
        return MatchResult::HotDrop;
    }
    if (header->data_offset_bytes() == wire::tcp::kHeaderBytes) {
        return yes_if(option_inverted);
    }
    if (!header->data_offset_valid()) {
        return MatchResult::HotDrop;
    }
    wire::TcpOptionWalk walk(header->options(), wire::TcpOptionReading::Tolerant);
    while (const auto found = walk.next()) {
        if (found->kind == option) {
            return yes_if(!option_inverted);
        }
    }
    return yes_if(option_inverted);
}

void read_flags(const Options& options, const RuleContext& context, TcpMatch& match) {
    if (const auto* syn = options.find("syn")) {
        match.flag_mask = wire::tcp::kSyn | wire::tcp::kRst | wire::tcp::kAck | wire::tcp::kFin;
        match.flag_value = wire::tcp::kSyn;
        match.flags_inverted = syn->inverted;
    }
    const auto* given = options.find("tcp-flags");
    if (given == nullptr) {
        return;
    }
    if (options.has("syn")) {
        context.error(*given, "--syn and --tcp-flags cannot stand in one rule");
    }
    const auto mask = parse_flags(given->value);
    const auto value = parse_flags(given->second);
    if (!mask || !value) {
        context.error(*given, "unknown TCP flag in " +
                                  in_quotes(mask ? given->second : given->value) +
                                  "; known are SYN, ACK, FIN, RST, URG, PSH, ALL and NONE");
        return;
    }
    match.flag_mask = *mask;
    match.flag_value = *value;
    match.flags_inverted = given->inverted;
}

std::shared_ptr<const Match> parse_tcp(const Options& options, RuleContext& context) {
    auto match = std::make_shared<TcpMatch>();
    match->ports.read(options, context,
                      [](std::string_view text) { return parse_port_range(text, proto::kTcp); });
    read_flags(options, context, *match);
    if (const auto* given = options.find("tcp-option")) {
        const auto number = parse_number(given->value, 255);
        if (!number || *number == 0) {
            context.error(*given, "--tcp-option needs a number from 1 to 255, not " +
                                      in_quotes(given->value));
        }
        match->option = static_cast<std::uint8_t>(number.value_or(0));
        match->option_inverted = given->inverted;
    }
    // kernel: find_syn_match in xt_TCPMSS.c
    context.tcp_syn |= !match->flags_inverted && (match->flag_value & wire::tcp::kSyn) != 0;
    return match;
}

// UDP and UDP-Lite: nothing but ports.
class PortMatch : public Match {
  public:
    PortMatch(std::string_view module, std::uint16_t header_bytes)
        : Match(module), header_bytes_(header_bytes) {}
    std::string save() const override { return ports.save(); }
    void compile(Code& code) const override {
        code.emit({.op = Op::TransportHeader, .low = header_bytes_});
        ports.compile(code);
    }

    TransportPorts ports;

  private:
    std::uint16_t header_bytes_;
};

std::shared_ptr<const Match> parse_udp(const Options& options, RuleContext& context) {
    auto match = std::make_shared<PortMatch>(options.module, wire::udp::kHeaderBytes);
    match->ports.read(options, context, parse_resolved_port_range);
    return match;
}

}  // namespace

const MatchModule kTcpMatch = {"tcp", kBothFamilies, kTcpOptions, parse_tcp, proto::kTcp};
const MatchModule kUdpMatch = {"udp", kBothFamilies, kPortOptions, parse_udp, proto::kUdp};
const MatchModule kUdpliteMatch = {"udplite", kBothFamilies, kPortOptions, parse_udp,
                                   proto::kUdplite};

}  // namespace nsr::rules
