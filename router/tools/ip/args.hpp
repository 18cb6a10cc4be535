// The words of ip(8) that a router of one process can honour:
//
//   [-4|-6] addr  [show [dev NAME]] | add|del ADDRESS/LENGTH dev NAME
//   [-4|-6] route add|append|replace|change|del ROUTE | show|flush SELECTION | get ADDRESS ...
//   [-4|-6] rule  [show] | add|del RULE | flush
//           link  [show [dev NAME]] | set [dev] NAME [mtu N] [up|down]
//
//   ROUTE: [TYPE] [to] PREFIX [via ADDRESS] [dev NAME] [table T] [metric N] [tos T] [src ADDRESS]
//          [mtu [lock] N] [onlink] [nexthop [via ADDRESS] [dev NAME] [weight N] [onlink]]...
//   RULE:  [not] [from PREFIX] [to PREFIX] [fwmark N[/MASK]] [iif NAME] [oif NAME] [tos T]
//          [ipproto P] [sport N[-M]] [dport N[-M]] [priority N] [suppress_prefixlength N]
//          table T | goto N | nop | blackhole | prohibit | unreachable
//
// Words may be shortened as far as ip(8) lets them (`a`, `r`, `l`, `d`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "router/tools/ip/ip_args.hpp"

namespace nsr::router {

// The error says what would be right.
Result<IpArgs, std::string> parse_ip_args(const std::vector<std::string>& words);
Result<IpArgs, std::string> parse_ip_args(std::string_view line);

}  // namespace nsr::router
