// The words of `ip route`.
#pragma once

#include <span>
#include <string>

#include "core/base/result.hpp"
#include "router/tools/ip/ip_args.hpp"

namespace nsr::router {

// add, append, replace, change, del
Result<IpArgs, std::string> parse_route_words(IpArgs args, std::span<const std::string> words);
// show, flush
Result<IpArgs, std::string> parse_route_selection(IpArgs args, std::span<const std::string> words);
// get
Result<IpArgs, std::string> parse_route_question(IpArgs args, std::span<const std::string> words);

}  // namespace nsr::router
