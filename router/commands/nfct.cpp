#include <cstdio>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/tools/nfct/command.hpp"

namespace nsr::router {
namespace {

constexpr const char* kHelp = R"(Commands:
  list timeout                                    all timeout policies
  get timeout NAME                                one of them
  add timeout NAME FAMILY PROTOCOL STATE SECONDS ...
                                                  a new one; states that are not named have the
                                                  seconds that the sysctls say now
  delete timeout NAME                             unless rules name it
  flush timeout                                   all that no rule names
  default-get timeout FAMILY PROTOCOL             what holds for connections without a policy
  default-set timeout FAMILY PROTOCOL STATE SECONDS ...
FAMILY: inet, inet6
PROTOCOL and STATE:
  tcp            syn_sent, syn_recv, established, fin_wait, close_wait, last_ack, time_wait, close,
                 syn_sent2, retrans, unacknowledged
  udp, udplite, gre          unreplied, replied
  sctp           closed, cookie_wait, cookie_echoed, established, shutdown_sent, shutdown_recd,
                 shutdown_ack_sent
  icmp, icmpv6, generic      timeout
Others:
  --control NAME|PATH|HOST:PORT, --token TOKEN   which router
Rules give a policy to connections: -t raw -A PREROUTING -p tcp -j CT --timeout NAME
What changes here lasts until the router stops; `reload` makes those of the file again that the file
describes in another way than before.
Examples:
  nsrouter nfct add timeout short inet tcp established 100 close 10
  nsrouter nfct list timeout
  nsrouter nfct delete timeout short)";

int run(const ControlOptions& control, const std::vector<std::string>& words) {
    for (const std::string& word : words) {
        if (word.find('\n') != std::string::npos) {
            std::fputs(nfct_error("a word of a command cannot hold a line break").c_str(), stderr);
            return kFailure;
        }
    }
    if (const auto args = parse_nfct_args(words); !args) {
        std::fputs(args.error().c_str(), stderr);
        return kFailure;
    }
    const ControlReply reply = ask(control.target(), {"POST", "/nfct", one_a_line(words)});
    if (!reply.ok() && reply.body.starts_with("nfct ")) {
        std::fputs(reply.body.c_str(), stderr);
        return kFailure;
    }
    return print_reply(reply);
}

}  // namespace

void add_nfct_command(CLI::App& app, int& exit_code) {
    add_word_command(
        app, {"nfct", "Show and change timeout policies, with the words of nfct(8)", kHelp, run},
        exit_code);
}

}  // namespace nsr::router
