#include "router/control/conntrack_query.hpp"

#include <algorithm>
#include <utility>

#include "router/tools/conntrack/parse.hpp"

namespace nsr::router {

using Names = std::initializer_list<std::string_view>;

std::vector<std::string_view> conntrack_filters(Names more) {
    // clang-format off
    std::vector<std::string_view> names = {
        "family", "proto", "protonum", "src", "orig-src", "dst", "orig-dst", "mask-src", "mask-dst",
        "reply-src", "reply-dst", "sport", "dport", "orig-port-src", "orig-port-dst",
        "reply-port-src", "reply-port-dst", "icmp-type", "icmp-code", "icmp-id", "state", "status",
        "mark", "zone", "orig-zone", "reply-zone", "src-nat", "dst-nat", "any-nat", "id"};
    // clang-format on
    names.insert(names.end(), more);
    return names;
}

// One word each: a value that looks like an option stays a value.
Result<ConntrackArgs, std::string> conntrack_query(const char* command,
                                                   const http::Request& request, Names others) {
    std::vector<std::string> words{command};
    for (const auto& [name, value] : request.query) {
        if (std::find(others.begin(), others.end(), name) == others.end()) {
            words.push_back("--" + name + "=" + value);
        }
    }
    return parse_conntrack_query(std::move(words));
}

}  // namespace nsr::router
