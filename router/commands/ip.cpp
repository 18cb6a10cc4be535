#include <cstdio>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/tools/ip/args.hpp"
#include "router/tools/ip/form.hpp"

namespace nsr::router {
namespace {

constexpr const char* kHelp = R"(Commands:
  addr  add|del ADDRESS/LENGTH dev NAME
  route add|append|replace|change|del [TYPE] PREFIX [via ADDRESS] [dev NAME]
        [table T] [metric N] [tos T] [src ADDRESS] [mtu [lock] N] [onlink]
        [nexthop [via ADDRESS] [dev NAME] [weight N]]...
        TYPE: unicast, blackhole, prohibit, unreachable, throw
  route [show] | flush [[root|match|exact] PREFIX] [dev NAME] [via ADDRESS] [table T|all] [type TYPE]
  route get ADDRESS [from ADDRESS] [iif NAME] [oif NAME] [mark N] [tos T] [ipproto P] [sport N] [dport N]
  rule  add|del [not] [from PREFIX] [to PREFIX] [fwmark N[/MASK]] [iif NAME] [oif NAME] [tos T]
        [ipproto P] [sport N[-M]] [dport N[-M]] [priority N] [suppress_prefixlength N]
        table T | goto N | nop | blackhole | prohibit | unreachable
  rule  flush
  link  set [dev] NAME [mtu N] [up|down]
  addr | route | rule | link [show]
  -4, -6 before them: of this family; -j: JSON; -br: a line for each interface; -s: what it counts
What changes here lasts until the router stops; `reload` sets the routes and rules of the file again.
Exit codes: 0 done, 1 the router refused, 2 wrong usage.
Examples:
  nsrouter ip addr add 198.51.100.8/24 dev wan
  nsrouter ip route add default via 198.51.100.1
  nsrouter ip route add default via 203.0.113.1 table 100
  nsrouter ip rule add fwmark 1 table 100
  nsrouter ip link set wan mtu 1400
  nsrouter ip -6 route
  nsrouter ip -br addr
  nsrouter ip -j -s link)";

int run(const ControlOptions& control, const std::vector<std::string>& words) {
    std::vector<std::string> command = words;
    take_ip_form(command);
    const auto args = parse_ip_args(command);
    if (!args) {
        std::fprintf(stderr, "nsrouter: ip: %s\n", args.error().c_str());
        return kUsage;
    }
    return print_reply(ask(control.target(), {"POST", "/ip", one_a_line(words)}));
}

}  // namespace

void add_ip_command(CLI::App& app, int& exit_code) {
    add_word_command(
        app,
        {"ip", "Show and change addresses, routes, rules and links, with the words of ip(8)", kHelp,
         run},
        exit_code);
}

}  // namespace nsr::router
