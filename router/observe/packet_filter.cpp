#include "router/observe/packet_filter.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "core/rules/words/text.hpp"
#include "core/wire/address.hpp"

namespace nsr::router {
namespace {

constexpr std::size_t kLongest = 4096;
constexpr int kWholePacket = 262144;

// Words of pcap-filter(7) that are no names of hosts, networks or services.
constexpr std::string_view kWords[] = {
    "and",      "or",        "not",       "host",      "src",       "dst",      "net",
    "mask",     "port",      "portrange", "less",      "greater",   "proto",    "protochain",
    "gateway",  "ether",     "ip",        "ip6",       "arp",       "rarp",     "tcp",
    "udp",      "icmp",      "icmp6",     "sctp",      "igmp",      "pim",      "vrrp",
    "ah",       "esp",       "len",       "broadcast", "multicast", "tcpflags", "icmptype",
    "icmpcode", "icmp6type", "icmp6code", "tcp-fin",   "tcp-syn",   "tcp-rst",  "tcp-push",
    "tcp-ack",  "tcp-urg",   "tcp-ece",   "tcp-cwr"};

bool is_part(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == ':' || c == '-' ||
           c == '_' || c == '/' || c == '\\';
}

bool all_of(std::string_view text, std::string_view allowed) {
    return text.find_first_not_of(allowed) == std::string_view::npos;
}

// What libpcap takes for a number or an address, without a look at any name.
bool is_literal(std::string_view word) {
    constexpr std::string_view kDigits = "0123456789";
    if (word.starts_with("0x")) {
        return word.size() > 2 && all_of(word.substr(2), "0123456789abcdefABCDEF");
    }
    const std::size_t dash = word.find('-');
    if (dash != std::string_view::npos) {
        return dash != 0 && dash + 1 < word.size() && all_of(word.substr(0, dash), kDigits) &&
               all_of(word.substr(dash + 1), kDigits);
    }
    if (word.find(':') != std::string_view::npos) {
        const std::string text(word);
        return parse_address(text).has_value() || parse_prefix(text).has_value();
    }
    const std::size_t slash = std::min(word.find('/'), word.size());
    const std::string_view number = word.substr(0, slash);
    const bool dotted = all_of(number, "0123456789.") && number.front() != '.' &&
                        number.back() != '.' && number.find("..") == std::string_view::npos;
    return !number.empty() && dotted &&
           (slash == word.size() ||
            (slash + 1 < word.size() && all_of(word.substr(slash + 1), "0123456789.")));
}

bool is_word(std::string_view word) {
    word.remove_prefix(word.starts_with('\\') ? 1 : 0);
    return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords) ||
           word.starts_with("icmp-") || word.starts_with("icmp6-");
}

// What stands for a word; nothing: it is a name.
std::optional<std::string> meaning(std::string_view word) {
    if (is_word(word) || is_literal(word)) {
        return std::string(word);
    }
    constexpr std::uint8_t kAny = 0;
    if (const auto port = rules::service_port(word, kAny)) {
        return std::to_string(*port);
    }
    return std::nullopt;
}

}  // namespace

struct PacketFilter::Program {
    Program() = default;
    ~Program() { pcap_freecode(&code); }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    bpf_program code{};
};

Result<PacketFilter, FilterError> PacketFilter::compile(std::string_view expression,
                                                        std::size_t column) {
    if (expression.find_first_not_of(" \t\n") == std::string_view::npos) {
        return PacketFilter{};
    }
    if (expression.size() > kLongest) {
        return FilterError{column, "a filter is at most 4096 characters long"};
    }
    std::string text;
    for (std::size_t at = 0; at < expression.size();) {
        std::size_t end = at;
        while (end < expression.size() && is_part(expression[end])) {
            ++end;
        }
        const std::string_view word = expression.substr(at, end - at);
        if (word.empty()) {
            text += expression[at++];
            continue;
        }
        const auto known = meaning(word);
        if (!known) {
            return FilterError{column + at,
                               "\"" + std::string(word.substr(0, 60)) +
                                   "\" is no word of pcap-filter(7), and names are not looked up: "
                                   "write addresses and numbers"};
        }
        text += *known;
        at = end;
    }
    pcap_t* dead = pcap_open_dead(DLT_RAW, kWholePacket);
    if (dead == nullptr) {
        return FilterError{column, "no memory"};
    }
    const auto program = std::make_shared<Program>();
    const int made = pcap_compile(dead, &program->code, text.c_str(), 1, PCAP_NETMASK_UNKNOWN);
    std::string why = made != 0 ? pcap_geterr(dead) : "";
    pcap_close(dead);
    if (made != 0) {
        return FilterError{column, "\"" + std::string(expression.substr(0, 200)) + "\": " + why};
    }
    PacketFilter filter;
    filter.program_ = program;
    return filter;
}

bool PacketFilter::passes(std::span<const std::uint8_t> packet) const {
    if (program_ == nullptr) {
        return true;
    }
    pcap_pkthdr header{};
    header.caplen = header.len = static_cast<bpf_u_int32>(packet.size());
    return pcap_offline_filter(&program_->code, &header, packet.data()) != 0;
}

}  // namespace nsr::router
