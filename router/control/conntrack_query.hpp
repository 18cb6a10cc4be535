// What a request selects connections by: long options of conntrack(8) as query parameters.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "router/http/http.hpp"
#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// Their names. None of them changes anything.
std::vector<std::string_view> conntrack_filters(std::initializer_list<std::string_view> more = {});

// `command` (-L, -D) with what the query selects: ?proto=udp&dport=53 is --proto=udp --dport=53.
// `others` are parameters that are no filters.
Result<ConntrackArgs, std::string> conntrack_query(
    const char* command, const http::Request& request,
    std::initializer_list<std::string_view> others = {});

}  // namespace nsr::router
