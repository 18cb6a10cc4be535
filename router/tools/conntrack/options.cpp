#include "router/tools/conntrack/options.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <utility>

#include "core/base/words.hpp"

namespace nsr::router {
namespace {

using Problem = std::string;
using conntrack::status::kAssured;
using conntrack::status::kDstNat;
using conntrack::status::kExpected;
using conntrack::status::kFixedTimeout;
using conntrack::status::kSeenReply;
using conntrack::status::kSrcNat;

template <class T>
bool number(std::string_view text, T& into, int base = 0) {
    if (base == 0) {
        base = text.starts_with("0x") || text.starts_with("0X") ? 16 : 10;
        text.remove_prefix(base == 16 ? 2 : 0);
    }
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, into, base);
    return error == std::errc{} && stop == end && !text.empty();
}

template <class T>
Problem read_number(const std::string& value, std::optional<T>& into, const char* what) {
    T read{};
    if (!number(value, read)) {
        return std::string(what) + " must be a number, not \"" + shown(value) + "\"";
    }
    into = read;
    return {};
}

Problem read_prefix(const std::string& value, std::optional<Prefix>& into) {
    into = parse_prefix(value);
    if (into) {
        return {};
    }
    const std::size_t slash = value.find('/');
    return slash != std::string::npos && parse_address(value.substr(0, slash))
               ? "Invalid netmask"
               : "Invalid IP address `" + shown(value) + "'";
}

Problem read_protocol(ConntrackArgs& args, const std::string& value);
Problem read_timeout(ConntrackArgs& args, const std::string& value);
Problem read_mark(ConntrackArgs& args, const std::string& value);
Problem read_state(ConntrackArgs& args, const std::string& value);
Problem read_status(ConntrackArgs& args, const std::string& value);
Problem read_family(ConntrackArgs& args, const std::string& value);
Problem read_events(ConntrackArgs& args, const std::string& value);
Problem read_output(ConntrackArgs& args, const std::string& value);
Problem read_nat(std::uint32_t bits, std::optional<Prefix>& into, ConntrackArgs& args,
                 const std::string& value);

constexpr int kOriginal = 0;
constexpr int kReply = 1;

template <int kDirection, bool kSource>
Problem read_address(ConntrackArgs& args, const std::string& value) {
    TupleFilter& tuple = args.filter.tuples[kDirection];
    return read_prefix(value, kSource ? tuple.source : tuple.destination);
}

template <int kDirection, bool kSource>
Problem read_port(ConntrackArgs& args, const std::string& value) {
    TupleFilter& tuple = args.filter.tuples[kDirection];
    return read_number(value, kSource ? tuple.source_port : tuple.destination_port, "a port");
}

template <bool kSource>
Problem read_mask(ConntrackArgs& args, const std::string& value) {
    TupleFilter& tuple = args.filter.tuples[kOriginal];
    std::optional<IpAddress>& mask = kSource ? tuple.source_mask : tuple.destination_mask;
    mask = parse_address(value);
    return mask ? Problem{} : "Invalid IP address `" + shown(value) + "'";
}

// clang-format off
constexpr ConntrackOption kOptions[] = {
    {'s', {"src", "orig-src"}, Takes::Value, read_address<kOriginal, true>},
    {'d', {"dst", "orig-dst"}, Takes::Value, read_address<kOriginal, false>},
    {'r', {"reply-src"}, Takes::Value, read_address<kReply, true>},
    {'q', {"reply-dst"}, Takes::Value, read_address<kReply, false>},
    {0, {"sport", "orig-port-src"}, Takes::Value, read_port<kOriginal, true>},
    {0, {"dport", "orig-port-dst"}, Takes::Value, read_port<kOriginal, false>},
    {0, {"reply-port-src"}, Takes::Value, read_port<kReply, true>},
    {0, {"reply-port-dst"}, Takes::Value, read_port<kReply, false>},
    {0, {"mask-src"}, Takes::Value, read_mask<true>},
    {0, {"mask-dst"}, Takes::Value, read_mask<false>},
    {'p', {"proto", "protonum"}, Takes::Value, read_protocol},
    {'f', {"family"}, Takes::Value, read_family},
    {'m', {"mark"}, Takes::Value, read_mark},
    {0, {"state"}, Takes::Value, read_state},
    {'u', {"status"}, Takes::Value, read_status},
    {'e', {"event-mask"}, Takes::Value, read_events},
    {'o', {"output"}, Takes::Value, read_output},
    {'t', {"timeout"}, Takes::Value, read_timeout},
    {'w', {"zone"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
         return read_number(v, a.filter.zone, "a zone"); }},
    {0, {"orig-zone"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
         return read_number(v, a.filter.zone_original, "a zone"); }},
    {0, {"reply-zone"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
         return read_number(v, a.filter.zone_reply, "a zone"); }},
    {0, {"icmp-type", "icmpv6-type"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
         return read_number(v, a.filter.icmp_type, "an ICMP type"); }},
    {0, {"icmp-code", "icmpv6-code"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
         return read_number(v, a.filter.icmp_code, "an ICMP code"); }},
    {0, {"icmp-id", "icmpv6-id"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
         return read_number(v, a.filter.icmp_id, "an ICMP id"); }},
    {'i', {"id"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
         return read_number(v, a.filter.id, "an id"); }},
    {0, {"label-del"}, Takes::Maybe, [](ConntrackArgs&, const std::string&) {
         return Problem("--label-del: connections have no labels here"); }},
    {'n', {"src-nat"}, Takes::Maybe, [](ConntrackArgs& a, const std::string& v) {
         return read_nat(kSrcNat, a.filter.nat_source, a, v); }},
    {'g', {"dst-nat"}, Takes::Maybe, [](ConntrackArgs& a, const std::string& v) {
         return read_nat(kDstNat, a.filter.nat_destination, a, v); }},
    {'j', {"any-nat"}, Takes::Maybe, [](ConntrackArgs& a, const std::string& v) {
         return read_nat(kSrcNat | kDstNat, a.filter.nat_either, a, v); }},
    {'z', {"zero"}, Takes::Nothing, [](ConntrackArgs& a, const std::string&) {
         a.output.zero = true; return Problem{}; }},
    {'b', {"buffer-size"}, Takes::Value, [](ConntrackArgs&, const std::string&) {
         return Problem{}; }},
};
// clang-format on

}  // namespace

const ConntrackOption* find_conntrack_option(std::string_view name) {
    const bool is_short = name.size() == 2 && name[0] == '-';
    const bool is_long = name.size() > 2 && name.starts_with("--");
    const ConntrackOption* abbreviated = nullptr;
    bool ambiguous = false;
    for (const ConntrackOption& row : kOptions) {
        if (is_short && row.short_name != 0 && name[1] == row.short_name) {
            return &row;
        }
        for (const std::string_view long_name : row.long_names) {
            if (is_long && long_name == name.substr(2)) {
                return &row;
            }
            if (is_long && long_name.starts_with(name.substr(2))) {
                ambiguous = ambiguous || (abbreviated != nullptr && abbreviated != &row);
                abbreviated = &row;
            }
        }
    }
    return ambiguous ? nullptr : abbreviated;
}

// What was wrong, not all of it if that is long.
std::string shown(std::string_view text) {
    constexpr std::size_t kMost = 60;
    return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "...";
}

namespace {

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return out;
}

struct ProtocolName {
    std::string_view name;
    std::uint8_t number;
};
constexpr ProtocolName kProtocols[] = {
    {"icmp", 1},    {"igmp", 2},       {"ipip", 4},  {"tcp", 6},    {"udp", 17},
    {"dccp", 33},   {"ipv6", 41},      {"gre", 47},  {"esp", 50},   {"ah", 51},
    {"icmpv6", 58}, {"ipv6-icmp", 58}, {"ospf", 89}, {"sctp", 132}, {"udplite", 136}};

Problem read_protocol(ConntrackArgs& args, const std::string& value) {
    for (const ProtocolName& row : kProtocols) {
        if (row.name == lower(value)) {
            args.filter.protocol = row.number;
            return {};
        }
    }
    std::uint8_t number_given = 0;
    if (!number(value, number_given)) {
        return "`" + shown(value) + "' unsupported protocol";
    }
    args.filter.protocol = number_given;
    return {};
}

// A minus wraps round, as strtoul(3) has it: -1 is as long as possible.
Problem read_timeout(ConntrackArgs& args, const std::string& value) {
    const bool negative = value.starts_with('-');
    std::uint32_t seconds = 0;
    if (!number(std::string_view(value).substr(negative ? 1 : 0), seconds)) {
        return "a timeout must be a number, not \"" + shown(value) + "\"";
    }
    args.change.timeout_seconds = negative ? 0 - seconds : seconds;
    return {};
}

// Behind -I and -U marks and status are written, otherwise looked for.
bool writes(const ConntrackArgs& args) {
    return args.command == ConntrackCommand::Update || args.command == ConntrackCommand::Create;
}

Problem read_mark(ConntrackArgs& args, const std::string& value) {
    MarkFilter mark;
    const std::size_t slash = value.find('/');
    const bool good = number(std::string_view(value).substr(0, slash), mark.value) &&
                      (slash == std::string::npos ||
                       number(std::string_view(value).substr(slash + 1), mark.mask));
    if (!good) {
        return "a mark must be VALUE or VALUE/MASK, not \"" + value + "\"";
    }
    if (writes(args)) {
        args.change.mark = {mark.value, mark.mask};
    } else {
        args.filter.mark = mark;
    }
    return {};
}

Problem read_state(ConntrackArgs& args, const std::string& value) {
    constexpr std::string_view kListen = "LISTEN";  // what TCP's SYN_SENT2 was called
    const std::string state = upper(value);
    if (state != kListen && !conntrack::is_state_name(state)) {
        return "unknown state \"" + shown(value) +
               "\"; TCP has SYN_SENT, SYN_RECV, ESTABLISHED, "
               "FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2";
    }
    args.filter.state = state == kListen ? "SYN_SENT2" : state;
    return {};
}

// Calls `take` for each word between commas until one is refused; says which.
Problem each_word(const std::string& value, const std::function<bool(std::string_view)>& take) {
    std::string_view rest = value;
    while (true) {
        const std::size_t comma = rest.find(',');
        if (!take(rest.substr(0, comma))) {
            return "Bad parameter `" + shown(rest.substr(0, comma)) + "'";
        }
        if (comma == std::string_view::npos) {
            return {};
        }
        rest.remove_prefix(comma + 1);
    }
}

constexpr std::pair<std::string_view, std::uint32_t> kStatusBits[] = {
    {"ASSURED", kAssured},
    {"SEEN_REPLY", kSeenReply},
    {"FIXED_TIMEOUT", kFixedTimeout},
    {"EXPECTED", kExpected}};

std::uint32_t status_bit(std::string_view word) {
    for (const auto& [name, bit] : kStatusBits) {
        if (word == name) {
            return bit;
        }
    }
    return 0;
}

// The kernel sets these, takes none away, and answers EBUSY to all others.
// kernel: ctnetlink_change_status
constexpr std::uint32_t kSettable = kAssured | kSeenReply | kFixedTimeout;

bool filter_status(ConntrackFilter& filter, const std::string& word) {
    if (word == "UNSET" || word == "UNREPLIED") {
        filter.status_clear |= kSeenReply | (word == "UNSET" ? kAssured : 0);
        return true;
    }
    const std::uint32_t bit = status_bit(word);
    filter.status_set |= bit;
    return bit != 0;
}

bool set_status(conntrack::Change& change, const std::string& word) {
    const std::uint32_t bit = status_bit(word) & kSettable;
    change.status |= bit;
    return bit != 0;
}

Problem read_status(ConntrackArgs& args, const std::string& value) {
    const bool sets = writes(args);
    Problem problem = each_word(value, [&](std::string_view given) {
        const std::string word = upper(given);
        if (args.command == ConntrackCommand::Create && word == "UNSET") {
            return true;  // what -o save writes where nothing is set
        }
        return sets ? set_status(args.change, word) : filter_status(args.filter, word);
    });
    if (problem.empty()) {
        return problem;
    }
    return problem + (sets ? "; the status that can be set is ASSURED, SEEN_REPLY, FIXED_TIMEOUT"
                           : "; status is ASSURED, SEEN_REPLY, FIXED_TIMEOUT, EXPECTED or UNSET");
}

Problem read_family(ConntrackArgs& args, const std::string& value) {
    if (value != "ipv4" && value != "ipv6") {
        return "a family is ipv4 or ipv6, not \"" + value + "\"";
    }
    args.filter.family = value == "ipv4" ? Family::Ipv4 : Family::Ipv6;
    return {};
}

Problem read_events(ConntrackArgs& args, const std::string& value) {
    ConntrackOutput& output = args.output;
    output.event_new = output.event_update = output.event_destroy = false;
    Problem problem = each_word(value, [&](std::string_view given) {
        const std::string word = upper(given);
        const bool all = word == "ALL";
        output.event_new = output.event_new || all || word == "NEW";
        output.event_update = output.event_update || all || word == "UPDATES";
        output.event_destroy = output.event_destroy || all || word == "DESTROY";
        return all || word == "NEW" || word == "UPDATES" || word == "DESTROY";
    });
    return problem.empty() ? problem : problem + "; events are ALL, NEW, UPDATES, DESTROY";
}

Problem read_output(ConntrackArgs& args, const std::string& value) {
    ConntrackOutput& output = args.output;
    const std::pair<std::string_view, bool*> kinds[] = {{"extended", &output.extended},
                                                        {"xml", &output.xml},
                                                        {"save", &output.save},
                                                        {"id", &output.id},
                                                        {"ktimestamp", &output.ktimestamp},
                                                        {"rules", &output.rules}};
    bool always = true;  // who asked for a change is shown anyway
    const std::pair<std::string_view, bool*> of_events[] = {
        {"timestamp", &output.timestamp}, {"labels", &output.labels}, {"userspace", &always}};
    const auto flag_of = [&](std::string_view word) -> bool* {
        for (const auto& [name, flag] : kinds) {
            if (word == name) {
                return flag;
            }
        }
        for (const auto& [name, flag] : of_events) {
            if (word == name && args.command == ConntrackCommand::Events) {
                return flag;
            }
        }
        return nullptr;
    };
    Problem problem = each_word(value, [&](std::string_view given) {
        bool* flag = flag_of(lower(given));
        if (flag != nullptr) {
            *flag = true;
        }
        return flag != nullptr;
    });
    return problem.empty()
               ? problem
               : problem +
                     "; output is extended, xml, save, id, ktimestamp or rules (there are no "
                     "labels; timestamp and userspace are of events)";
}

Problem read_nat(std::uint32_t bits, std::optional<Prefix>& into, ConntrackArgs& args,
                 const std::string& value) {
    args.filter.nat_any |= bits;
    return value.empty() ? Problem{} : read_prefix(value, into);
}

}  // namespace

}  // namespace nsr::router
