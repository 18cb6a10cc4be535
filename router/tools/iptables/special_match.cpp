// Matches whose listed text is more than their options in other words.
#include <algorithm>
#include <array>

#include "core/rules/matches/matches.hpp"
#include "core/rules/words/service_names.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"
#include "router/tools/iptables/special_text.hpp"

namespace nsr::router {
namespace {

struct Numbered {
    std::string_view name;
    std::uint32_t number;
};

std::uint32_t number_of(std::span<const Numbered> table, std::string_view name) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const Numbered& row) { return row.name == name; });
    return found == table.end() ? 0 : found->number;
}

// --- ports --------------------------------------------------------------------------------------

std::string port_text(const std::string& port, std::uint8_t protocol, bool numeric) {
    const auto number = rules::parse_number(port, 0xffff);
    if (numeric || !number) {
        return port;
    }
    const std::string_view name =
        rules::service_name(static_cast<std::uint16_t>(*number), protocol);
    return name.empty() ? port : std::string(name);
}

// "22", "ssh", "20:21"
std::string port_range_text(const std::string& range, std::uint8_t protocol, bool numeric) {
    const std::size_t colon = range.find(':');
    if (colon == std::string::npos) {
        return port_text(range, protocol, numeric);
    }
    return port_text(range.substr(0, colon), protocol, numeric) + ":" +
           port_text(range.substr(colon + 1), protocol, numeric);
}

std::string ports_text(const std::vector<SavedOption>& options, std::uint8_t protocol,
                       bool numeric) {
    std::string text;
    for (const auto& [option, shown] : {std::pair{"sport", " spt"}, std::pair{"dport", " dpt"}}) {
        if (const SavedOption* given = find_saved(options, option)) {
            const std::string range = saved_value(*given);
            text += shown;
            text += range.find(':') == std::string::npos ? ":" : "s:";
            text += bang_mark(given->inverted) + port_range_text(range, protocol, numeric);
        }
    }
    return text;
}

constexpr std::array kTcpFlags = std::to_array<Numbered>(
    {{"FIN", 1}, {"SYN", 2}, {"RST", 4}, {"PSH", 8}, {"ACK", 0x10}, {"URG", 0x20}, {"ALL", 0x3f}});

std::uint32_t tcp_flags(const std::string& list) {
    std::uint32_t bits = 0;
    for (const std::string_view name : split(list, ',')) {
        bits |= number_of(kTcpFlags, name);
    }
    return bits;
}

std::string tcp(const SavedPart& part, const TextStyle& style) {
    const auto options = part.options();
    std::string text = " tcp" + ports_text(options, proto::kTcp, style.numeric);
    if (const SavedOption* option = find_saved(options, "tcp-option")) {
        text += " option=" + bang_mark(option->inverted) + saved_value(*option);
    }
    if (const SavedOption* flags = find_saved(options, "tcp-flags")) {
        const std::string mask = saved_value(*flags);
        const std::string set = saved_value(*flags, 1);
        text += " flags:" + bang_mark(flags->inverted);
        text += style.numeric ? formatted("0x%02X", tcp_flags(mask)) + "/" +
                                    formatted("0x%02X", tcp_flags(set))
                              : mask + "/" + set;
    }
    return text;
}

std::string udp(const SavedPart& part, const TextStyle& style) {
    return " " + part.name + ports_text(part.options(), proto::kUdp, style.numeric);
}

constexpr std::array kChunks =
    std::to_array<Numbered>({{"DATA", 0},           {"INIT", 1},          {"INIT_ACK", 2},
                             {"SACK", 3},           {"HEARTBEAT", 4},     {"HEARTBEAT_ACK", 5},
                             {"ABORT", 6},          {"SHUTDOWN", 7},      {"SHUTDOWN_ACK", 8},
                             {"ERROR", 9},          {"COOKIE_ECHO", 10},  {"COOKIE_ACK", 11},
                             {"ECN_ECNE", 12},      {"ECN_CWR", 13},      {"SHUTDOWN_COMPLETE", 14},
                             {"I_DATA", 64},        {"ASCONF_ACK", 128},  {"RE_CONFIG", 130},
                             {"PAD", 132},          {"FORWARD_TSN", 192}, {"ASCONF", 193},
                             {"I_FORWARD_TSN", 194}});

std::string sctp(const SavedPart& part, const TextStyle& style) {
    const auto options = part.options();
    std::string text = " sctp" + ports_text(options, proto::kSctp, style.numeric);
    const SavedOption* chunks = find_saved(options, "chunk-types");
    if (chunks == nullptr) {
        return text;
    }
    text += (chunks->inverted ? " ! " : " ") + saved_value(*chunks) + " ";
    const std::string list = saved_value(*chunks, 1);
    if (!style.numeric || list == "ALL" || list == "NONE") {
        return text + list;
    }
    std::string numbers;
    for (const std::string_view chunk : split(list, ',')) {
        const std::string_view name = chunk.substr(0, chunk.find(':'));
        numbers += (numbers.empty() ? "" : ",") + formatted("0x%04X", number_of(kChunks, name)) +
                   std::string(chunk.substr(name.size()));
    }
    return text + numbers;
}

constexpr std::array kDccpTypes =
    std::to_array<std::string_view>({"REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ",
                                     "CLOSE", "RESET", "SYNC", "SYNCACK"});

std::string dccp(const SavedPart& part, const TextStyle& style) {
    const auto options = part.options();
    std::string text = " dccp" + ports_text(options, proto::kDccp, style.numeric);
    if (const SavedOption* types = find_saved(options, "dccp-types")) {
        std::string list = saved_value(*types);
        if (style.numeric) {
            std::string numbers;
            for (const std::string_view name : split(list, ',')) {
                const auto* known = std::find(kDccpTypes.begin(), kDccpTypes.end(), name);
                numbers += (numbers.empty() ? "" : ",") +
                           (known == kDccpTypes.end() ? "10,11,12,13,14,15"
                                                      : std::to_string(known - kDccpTypes.begin()));
            }
            list = numbers;
        }
        text += (types->inverted ? " ! " : " ") + list;
    }
    if (const SavedOption* option = find_saved(options, "dccp-option")) {
        text += " option=" + bang_mark(option->inverted) + saved_value(*option);
    }
    return text;
}

std::string multiport(const SavedPart& part, const TextStyle& style) {
    std::string text = " multiport";
    for (const SavedOption& option : part.options()) {
        text += " " + option.name + " " + (option.inverted ? " !" : "");
        std::string list;
        const std::string given_range = saved_value(option);
        for (const std::string_view range : split(given_range, ',')) {
            list += (list.empty() ? "" : ",") +
                    port_range_text(std::string(range), style.protocol, style.numeric);
        }
        text += list;
    }
    return text;
}

// --- messages -----------------------------------------------------------------------------------

std::string icmp(const SavedPart& part, const TextStyle& style) {
    const std::string name = part.name == "icmp" ? "icmp" : "ipv6-icmp";
    const auto options = part.options();
    if (options.empty()) {
        return " " + name;
    }
    const SavedOption& given = options.front();
    const std::string type = saved_value(given);
    const std::string_view known = rules::icmp_type_name(style.family, type);
    if (!style.numeric && !known.empty()) {
        return " " + name + " " + bang_mark(given.inverted) + std::string(known);
    }
    const std::size_t slash = type.find('/');
    std::string text = " " + name + (given.inverted ? " !type " : "type ");
    text += type == "any" ? "255" : type.substr(0, slash);
    return slash == std::string::npos ? text : text + " code " + type.substr(slash + 1);
}

constexpr std::array kMobility = std::to_array<std::string_view>(
    {"binding-refresh-request", "home-test-init", "careof-test-init", "home-test", "careof-test",
     "binding-update", "binding-acknowledgement", "binding-error"});

std::string mh(const SavedPart& part, const TextStyle& style) {
    std::string text = " mh";
    for (const SavedOption& option : part.options()) {
        text += " " + bang_mark(option.inverted);
        std::string range;
        const std::string given_number = saved_value(option);
        for (const std::string_view number : split(given_number, ':')) {
            const auto type = rules::parse_number(number, 0xff);
            const bool named = !style.numeric && type && *type < kMobility.size();
            range += (range.empty() ? "" : ":") +
                     std::string(named ? kMobility[static_cast<std::size_t>(*type)] : number);
        }
        text += range;
    }
    return text;
}

constexpr std::array kHeaders = std::to_array<Numbered>({{"hop-by-hop", 0x80},
                                                         {"ipv6-opts", 0x40},
                                                         {"ipv6-route", 0x20},
                                                         {"ipv6-frag", 0x10},
                                                         {"ah", 8},
                                                         {"esp", 4},
                                                         {"ipv6-nonxt", 2},
                                                         {"protocol", 1}});

std::string ipv6header(const SavedPart& part, const TextStyle& style) {
    const auto options = part.options();
    std::string text = " ipv6header";
    if (const SavedOption* header = find_saved(options, "header")) {
        std::uint32_t bits = 0;
        const std::string given_name = saved_value(*header);
        for (const std::string_view name : split(given_name, ',')) {
            bits |= number_of(kHeaders, name);
        }
        text += " flags:" + bang_mark(header->inverted) +
                (style.numeric ? formatted("0x%02X", bits) : saved_value(*header));
    }
    return text + (find_saved(options, "soft") != nullptr ? " soft" : "");
}

}  // namespace

SpecialText special_match(std::string_view module) {
    static constexpr std::array kRows = std::to_array<SpecialRow>({
        {"tcp", tcp},
        {"udp", udp},
        {"udplite", udp},
        {"sctp", sctp},
        {"dccp", dccp},
        {"multiport", multiport},
        {"icmp", icmp},
        {"icmp6", icmp},
        {"mh", mh},
        {"ipv6header", ipv6header},
        {"comment", comment_text},
        {"time", time_text},
        {"tos", tos_match_text},
        {"connlimit", connlimit_text},
        {"policy", policy_text},
        {"owner", owner_text},
        {"bpf", bpf_text},
    });
    return find_special(kRows, module);
}

SpecialText find_special(std::span<const SpecialRow> rows, std::string_view name) {
    const auto found = std::find_if(rows.begin(), rows.end(),
                                    [&](const SpecialRow& row) { return row.name == name; });
    return found == rows.end() ? nullptr : found->text;
}

}  // namespace nsr::router
