#include "router/tools/iptables/command.hpp"

namespace nsr::router {

namespace {

constexpr const char* kHelp = R"(Commands:
  -A, --append CHAIN RULE                add at the end of a chain
  -I, --insert CHAIN [NUMBER] RULE       add before a rule; 1, the first, if none is named
  -R, --replace CHAIN NUMBER RULE
  -D, --delete CHAIN RULE | NUMBER
  -C, --check CHAIN RULE                 is there such a rule?
  -L, --list [CHAIN [NUMBER]]            as a table
  -S, --list-rules [CHAIN [NUMBER]]      as commands
  -F, --flush [CHAIN]                    remove the rules
  -Z, --zero [CHAIN [NUMBER]]            set counters to 0; together with -L or -S, after that
  -N, --new-chain CHAIN   -X, --delete-chain [CHAIN]   -E, --rename-chain CHAIN NEW
  -P, --policy CHAIN ACCEPT|DROP
Options:
  -t, --table raw|mangle|nat|filter|security     filter if not given
  -n, --numeric   -v, --verbose   -x, --exact   --line-numbers       of -L
  -c, --set-counters PACKETS BYTES               of -A, -I, -R, -P
  -w, --wait [SECONDS]   -W   -M                 accepted; there is nothing to wait for
  -4, --ipv4   -6, --ipv6                        the family of the command, else refused
  -V, --version   -h, --help
Rules: as in files of iptables-save; see docs/configuration.md for matches and targets.
  --control NAME|PATH|HOST:PORT, --token TOKEN   which router
Exit codes: 0 done, 1 the rules refuse, 2 wrong words, 3 no such table.
)";
constexpr const char* kExamples4 = R"(Examples:
  nsrouter iptables -I FORWARD -p tcp --dport 22 -j ACCEPT
  nsrouter iptables -nvL --line-numbers
  nsrouter iptables -t nat -A POSTROUTING -o wan -j MASQUERADE)";
constexpr const char* kExamples6 = R"(Examples:
  nsrouter ip6tables -A FORWARD -s fd00::/8 -j ACCEPT
  nsrouter ip6tables -D FORWARD 3)";

}  // namespace

std::string iptables_help(Family family) {
    return std::string(kHelp) + (family == Family::Ipv6 ? kExamples6 : kExamples4) + "\n";
}

std::string_view iptables_name(Family family) {
    return family == Family::Ipv6 ? "ip6tables" : "iptables";
}

std::string iptables_version(Family family) {
    return std::string(iptables_name(family)) + " v1.8.9 (legacy)";
}

IptablesAnswer wrong_words(Family family, std::string_view message) {
    const std::string name(iptables_name(family));
    IptablesAnswer answer{.code = 2};
    if (!message.empty()) {
        answer.errors = iptables_version(family) + ": " + std::string(message) + "\n";
    }
    answer.errors += "Try `" + name + " -h' or '" + name + " --help' for more information.\n";
    return answer;
}

IptablesAnswer no_table(Family family, std::string_view table) {
    const std::string name(iptables_name(family));
    return {.errors = iptables_version(family) + ": can't initialize " + name + " table `" +
                      std::string(table) +
                      "': Table does not exist (do you need to insmod?)\nPerhaps " + name +
                      " or your kernel needs to be upgraded.\n",
            .code = 3};
}

IptablesAnswer rules_refuse(Family family, std::string_view message) {
    return {.errors = std::string(iptables_name(family)) + ": " + std::string(message) + "\n",
            .code = 1};
}

}  // namespace nsr::router
