#include "router/tools/conntrack/legal.hpp"

#include <algorithm>
#include <span>

#include "core/wire/protocol.hpp"
#include "router/tools/conntrack/tuple_args.hpp"

namespace nsr::router {
namespace {

using Command = ConntrackCommand;
using Names = std::span<const std::string_view>;

// In the order in which the tool looks at them, under the names it complains with.
struct Option {
    std::string_view ours;
    std::string_view shown;
};
constexpr Option kOptions[] = {
    {"src", "src"},
    {"dst", "dst"},
    {"reply-src", "reply-src"},
    {"reply-dst", "reply-dst"},
    {"proto", "protonum"},
    {"timeout", "timeout"},
    {"status", "status"},
    {"zero", "zero"},
    {"event-mask", "event-mask"},
    {"mask-src", "mask-src"},
    {"mask-dst", "mask-dst"},
    {"mark", "mark"},
    {"id", "id"},
    {"family", "family"},
    {"src-nat", "src-nat"},
    {"dst-nat", "dst-nat"},
    {"output", "output"},
    {"buffer-size", "buffer-size"},
    {"any-nat", "any-nat"},
    {"zone", "zone"},
    {"label-del", "label-del"},
    {"orig-zone", "orig-zone"},
    {"reply-zone", "reply-zone"},
};

// Those that come with -p: ports, states, ICMP types.
constexpr std::string_view kOfProtocols[] = {"sport",          "dport",  "reply-port-src",
                                             "reply-port-dst", "state",  "icmp-type",
                                             "icmp-code",      "icmp-id"};

constexpr std::string_view kList[] = {"src",    "dst",       "reply-src", "reply-dst", "proto",
                                      "status", "zero",      "mask-src",  "mask-dst",  "mark",
                                      "family", "src-nat",   "dst-nat",   "output",    "any-nat",
                                      "zone",   "orig-zone", "reply-zone"};
constexpr std::string_view kGet[] = {"src",   "dst", "reply-src", "reply-dst",
                                     "proto", "id",  "output"};
constexpr std::string_view kDelete[] = {"src",     "dst",       "reply-src", "reply-dst", "proto",
                                        "timeout", "status",    "mask-src",  "mask-dst",  "mark",
                                        "id",      "family",    "src-nat",   "dst-nat",   "output",
                                        "zone",    "orig-zone", "reply-zone"};
constexpr std::string_view kCreate[] = {"src",     "dst",       "reply-src", "reply-dst", "proto",
                                        "timeout", "status",    "mark",      "src-nat",   "dst-nat",
                                        "zone",    "orig-zone", "reply-zone"};
constexpr std::string_view kUpdate[] = {
    "src",      "dst",  "reply-src", "reply-dst", "proto",   "timeout", "status", "mask-src",
    "mask-dst", "mark", "id",        "family",    "src-nat", "dst-nat", "output", "label-del"};
constexpr std::string_view kEvents[] = {
    "src",      "dst",         "reply-src", "reply-dst", "proto",     "event-mask",
    "mask-src", "mask-dst",    "mark",      "family",    "src-nat",   "dst-nat",
    "output",   "buffer-size", "any-nat",   "zone",      "orig-zone", "reply-zone"};
constexpr std::string_view kFlush[] = {"family"};
constexpr std::string_view kListExpectations[] = {"family", "output"};
constexpr std::string_view kFollowExpectations[] = {"output"};
constexpr std::string_view kProtocol[] = {"proto"};
constexpr std::string_view kProtocolAndTimeout[] = {"proto", "timeout"};

Names legal_for(const ConntrackArgs& args) {
    const bool expectations = args.table == ConntrackTable::Expectations;
    switch (args.command) {
        case Command::List:
            return expectations ? Names(kListExpectations) : Names(kList);
        case Command::Get:
            return kGet;
        case Command::Delete:
            return kDelete;
        case Command::Create:
            return kCreate;
        case Command::Update:
            return kUpdate;
        case Command::Events:
            return expectations ? Names(kFollowExpectations) : Names(kEvents);
        case Command::Flush:
            return expectations ? Names() : Names(kFlush);
        case Command::Count:
        case Command::Statistics:
            break;
    }
    return {};
}

Names needed_for(Command command) {
    switch (command) {
        case Command::Get:
            return kProtocol;
        case Command::Create:
            return kProtocolAndTimeout;
        default:
            return {};
    }
}

bool has(Names names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string check_table(const ConntrackArgs& args) {
    const bool passing =
        args.table == ConntrackTable::Dying || args.table == ConntrackTable::Unconfirmed;
    if (passing && args.command != Command::List) {
        return "Can't do that command with tables `dying' and `unconfirmed'";
    }
    if (args.table == ConntrackTable::Expectations && args.command == Command::Update) {
        return "Can't do --update on expectations";
    }
    return {};
}

// Beyond the tool they may stand without -p; with it, only those of that protocol are known.
bool belongs_to(std::string_view option, std::uint8_t protocol) {
    if (option == "state") {
        return protocol == proto::kTcp || protocol == proto::kSctp || protocol == proto::kDccp;
    }
    return option.starts_with("icmp-") ? proto::is_icmp(protocol) : !proto::is_icmp(protocol);
}

std::string check_tuple(const ConntrackArgs& args) {
    if (args.command != Command::Get || args.table != ConntrackTable::Connections) {
        return {};
    }
    const auto tuple = whole_tuple(args.filter);
    return tuple ? std::string() : tuple.error();
}

}  // namespace

std::string check_conntrack_options(const ConntrackArgs& args,
                                    const std::vector<std::string_view>& given) {
    std::string problem = check_table(args);
    if (!problem.empty()) {
        return problem;
    }
    const Names legal = legal_for(args);
    for (const std::string_view option : given) {
        const auto& protocol = args.filter.protocol;
        if (has(kOfProtocols, option) &&
            (!has(legal, "proto") || (protocol && !belongs_to(option, *protocol)))) {
            return "unknown option `--" + std::string(option) + "'";
        }
    }
    if (has(given, "any-nat") && (has(given, "src-nat") || has(given, "dst-nat"))) {
        return "cannot specify `--src-nat' or `--dst-nat' with `--any-nat'";
    }
    for (const Option& option : kOptions) {
        const bool is_given = has(given, option.ours);
        if (!is_given && has(needed_for(args.command), option.ours)) {
            return "You need to supply the `--" + std::string(option.shown) +
                   "' option for this command";
        }
        if (is_given && !has(legal, option.ours)) {
            return "Illegal option `--" + std::string(option.shown) + "' with this command";
        }
    }
    return check_tuple(args);
}

}  // namespace nsr::router
