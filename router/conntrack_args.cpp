#include "router/conntrack_args.hpp"

#include <algorithm>
#include <charconv>
#include <functional>

#include "core/conntrack/settings.hpp"
#include "core/wire/protocol.hpp"
#include "router/config_file.hpp"
#include "router/conntrack_legal.hpp"

namespace nsr::router {
namespace {

using Words = std::vector<std::string>;
using Parsed = Result<ConntrackArgs, std::string>;
using conntrack::status::kAssured;
using conntrack::status::kDstNat;
using conntrack::status::kExpected;
using conntrack::status::kFixedTimeout;
using conntrack::status::kSeenReply;
using conntrack::status::kSrcNat;

enum class Takes : std::uint8_t { Nothing, Value, Maybe };

// What is wrong with the value; empty: nothing.
using Problem = std::string;
using Reader = Problem (*)(ConntrackArgs& args, const std::string& value);

struct OptionRow {
    char short_name;  // 0: none
    std::string_view long_names[3];
    Takes takes;
    Reader read;
};

struct CommandRow {
    char short_name;
    std::string_view long_names[2];
    ConntrackCommand command;
};

constexpr CommandRow kCommands[] = {
    {'L', {"dump", "list"}, ConntrackCommand::List},
    {'G', {"get", ""}, ConntrackCommand::Get},
    {'D', {"delete", ""}, ConntrackCommand::Delete},
    {'I', {"create", ""}, ConntrackCommand::Create},
    {'A', {"add", ""}, ConntrackCommand::Create},
    {'U', {"update", ""}, ConntrackCommand::Update},
    {'E', {"event", ""}, ConntrackCommand::Events},
    {'F', {"flush", ""}, ConntrackCommand::Flush},
    {'C', {"count", ""}, ConntrackCommand::Count},
    {'S', {"stats", ""}, ConntrackCommand::Statistics},
};

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return out;
}

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

// What was wrong, not all of it if that is long.
std::string shown(std::string_view text) {
    constexpr std::size_t kMost = 60;
    return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "...";
}

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
    return into ? Problem{} : "Invalid IP address `" + shown(value) + "'";
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

// Applied when all words are read: a mask may stand before the address it belongs to.
Problem apply_mask(const std::optional<IpAddress>& mask, std::optional<Prefix>& prefix,
                   const std::string& side) {
    if (!mask) {
        return {};
    }
    if (!prefix) {
        return "Can't use --mask-" + side + " without --" + side;
    }
    if (mask->family != prefix->address.family) {
        return "a mask must be of the family of --" + side + ", not " + to_string(*mask);
    }
    for (unsigned length = 0; length <= mask->bits(); ++length) {
        if (mask_of(mask->family, length) == *mask) {
            prefix->length = static_cast<std::uint8_t>(length);
            return {};
        }
    }
    return "mask " + to_string(*mask) + " is not contiguous";
}

// clang-format off
const OptionRow kOptions[] = {
    {'s', {"src", "orig-src", "tuple-src"}, Takes::Value, read_address<kOriginal, true>},
    {'d', {"dst", "orig-dst", "tuple-dst"}, Takes::Value, read_address<kOriginal, false>},
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
    {0, {"icmp-type"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
         return read_number(v, a.filter.icmp_type, "an ICMP type"); }},
    {0, {"icmp-code"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
         return read_number(v, a.filter.icmp_code, "an ICMP code"); }},
    {0, {"icmp-id"}, Takes::Value, [](ConntrackArgs& a, const std::string& v) {
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

class Parser {
  public:
    explicit Parser(const Words& words) : words_(words) {}
    Parsed run();

  private:
    bool command_word(const std::string& word);
    bool table_word(const std::string& word);
    void option(const std::string& word);
    [[nodiscard]] const OptionRow* find(const std::string& name) const;
    void find_command();
    void check();
    [[nodiscard]] Problem check_together();

    const Words& words_;
    std::size_t next_ = 0;
    ConntrackArgs args_;
    bool have_command_ = false;
    std::vector<std::string_view> given_;  // first long names of the options
    Problem problem_;
};

}  // namespace

Parsed parse_conntrack_args(const Words& words) {
    return Parser(words).run();
}

Parsed parse_conntrack_args(std::string_view line) {
    const Result<Words, std::string> words = split_words(line);
    if (!words) {
        return words.error();
    }
    return parse_conntrack_args(*words);
}

namespace {

Parsed Parser::run() {
    find_command();
    while (next_ < words_.size() && problem_.empty()) {
        const std::string& word = words_[next_++];
        if (command_word(word)) {
            if (next_ < words_.size() && table_word(words_[next_])) {
                ++next_;
            }
        } else {
            option(word);
        }
    }
    check();
    if (!problem_.empty()) {
        return problem_;
    }
    return args_;
}

// What an option means (a mark is looked for, or written) depends on the command, which may stand
// behind it.
void Parser::find_command() {
    if (std::any_of(words_.begin(), words_.end(),
                    [this](const std::string& word) { return command_word(word); })) {
        have_command_ = false;  // the pass that follows counts
    }
}

bool Parser::command_word(const std::string& word) {
    for (const CommandRow& row : kCommands) {
        const bool is_short = word.size() == 2 && word[0] == '-' && word[1] == row.short_name;
        const bool is_long = word.starts_with("--") &&
                             std::any_of(std::begin(row.long_names), std::end(row.long_names),
                                         [&](std::string_view name) {
                                             return !name.empty() && name == word.substr(2);
                                         });
        if (is_short || is_long) {
            if (have_command_) {
                problem_ = "Invalid commands combination";
            }
            have_command_ = true;
            args_.command = row.command;
            return true;
        }
    }
    return false;
}

bool Parser::table_word(const std::string& word) {
    constexpr std::pair<std::string_view, ConntrackTable> kTables[] = {
        {"conntrack", ConntrackTable::Connections},
        {"expect", ConntrackTable::Expectations},
        {"dying", ConntrackTable::Dying},
        {"unconfirmed", ConntrackTable::Unconfirmed}};
    for (const auto& [name, table] : kTables) {
        if (word == name) {
            args_.table = table;
            return true;
        }
    }
    if (!word.starts_with('-')) {
        problem_ =
            "unknown type `" + shown(word) + "'; known: conntrack, expect, dying, unconfirmed";
    }
    return false;
}

void Parser::option(const std::string& word) {
    std::string name = word;
    std::optional<std::string> value;
    if (word.starts_with("--")) {
        if (const std::size_t equals = word.find('='); equals != std::string::npos) {
            name = word.substr(0, equals);
            value = word.substr(equals + 1);
        }
    } else if (word.size() > 2 && word[0] == '-') {
        name = word.substr(0, 2);
        value = word.substr(2);
    }
    const OptionRow* row = find(name);
    if (row == nullptr) {
        problem_ = "unknown option `" + shown(word) + "'";
        return;
    }
    // As getopt_long(3): a value that is needed is the next word, whatever that looks like.
    const bool more =
        next_ < words_.size() && (row->takes == Takes::Value || !words_[next_].starts_with('-'));
    if (!value && row->takes != Takes::Nothing && more) {
        value = words_[next_++];
    }
    given_.push_back(row->long_names[0]);
    if (row->takes == Takes::Value && !value) {
        problem_ = "option `" + name + "' requires an argument";
    } else if (row->takes == Takes::Nothing && value) {
        problem_ = "option `" + name + "' takes no argument";
    } else {
        problem_ = row->read(args_, value.value_or(""));
    }
}

const OptionRow* Parser::find(const std::string& name) const {
    for (const OptionRow& row : kOptions) {
        if (name.size() == 2 && name[0] == '-' && row.short_name != 0 &&
            name[1] == row.short_name) {
            return &row;
        }
        for (const std::string_view known : row.long_names) {
            if (!known.empty() && name.starts_with("--") && name.substr(2) == known) {
                return &row;
            }
        }
    }
    return nullptr;
}

void Parser::check() {
    if (!problem_.empty()) {
        return;
    }
    if (!have_command_) {
        problem_ = "a command is needed: one of -L -G -D -I -U -E -F -C -S";
        return;
    }
    problem_ = check_conntrack_options(args_, given_);
    if (problem_.empty()) {
        problem_ = check_together();
    }
}

Problem Parser::check_together() {
    TupleFilter& original = args_.filter.tuples[kOriginal];
    Problem problem = apply_mask(original.source_mask, original.source, "src");
    if (problem.empty()) {
        problem = apply_mask(original.destination_mask, original.destination, "dst");
    }
    const ConntrackOutput& output = args_.output;
    if (problem.empty() && output.save &&
        (output.extended || output.xml || output.id || output.ktimestamp)) {
        problem = "cannot combine save output with any other output type, use -o save only";
    }
    std::optional<Family> family = args_.filter.family;
    for (const TupleFilter& tuple : args_.filter.tuples) {
        for (const std::optional<Prefix>& prefix : {tuple.source, tuple.destination}) {
            if (prefix && problem.empty() &&
                family.value_or(prefix->address.family) != prefix->address.family) {
                problem = "mismatched address family";
            }
            family = prefix ? prefix->address.family : family;
        }
    }
    return problem;
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
    args.change.timeout = negative ? 0 - seconds : seconds;
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
    (writes(args) ? args.change.mark : args.filter.mark) = mark;
    return {};
}

Problem read_state(ConntrackArgs& args, const std::string& value) {
    constexpr std::string_view kStates[] = {"NONE",
                                            "SYN_SENT",
                                            "SYN_RECV",
                                            "ESTABLISHED",
                                            "FIN_WAIT",
                                            "CLOSE_WAIT",
                                            "LAST_ACK",
                                            "CLOSE",
                                            "TIME_WAIT",
                                            "LISTEN",
                                            "SYN_SENT2",
                                            "CLOSED",
                                            "COOKIE_WAIT",
                                            "COOKIE_ECHOED",
                                            "SHUTDOWN_SENT",
                                            "SHUTDOWN_RECD",
                                            "SHUTDOWN_ACK_SENT",
                                            "HEARTBEAT_SENT"};
    const std::string state = upper(value);
    if (std::find(std::begin(kStates), std::end(kStates), state) == std::end(kStates)) {
        return "unknown state \"" + shown(value) +
               "\"; TCP has SYN_SENT, SYN_RECV, ESTABLISHED, "
               "FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2";
    }
    args.filter.state = state == "LISTEN" ? "SYN_SENT2" : state;
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

bool set_status(ConntrackChange& change, const std::string& word) {
    const std::uint32_t bit = status_bit(word) & kSettable;
    change.status_set |= bit;
    return bit != 0;
}

Problem read_status(ConntrackArgs& args, const std::string& value) {
    const bool sets = writes(args);
    const Problem problem = each_word(value, [&](std::string_view given) {
        const std::string word = upper(given);
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
    const Problem problem = each_word(value, [&](std::string_view given) {
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
                                                        {"ktimestamp", &output.ktimestamp}};
    const Problem problem = each_word(value, [&](std::string_view given) {
        const std::string word = lower(given);
        for (const auto& [name, flag] : kinds) {
            if (word == name) {
                *flag = true;
                return true;
            }
        }
        return false;
    });
    return problem.empty() ? problem
                           : problem +
                                 "; output is extended, xml, save, id or ktimestamp (there are no "
                                 "labels; timestamp and userspace are of events)";
}

Problem read_nat(std::uint32_t bits, std::optional<Prefix>& into, ConntrackArgs& args,
                 const std::string& value) {
    args.filter.nat_any |= bits;
    return value.empty() ? Problem{} : read_prefix(value, into);
}

}  // namespace
}  // namespace nsr::router
