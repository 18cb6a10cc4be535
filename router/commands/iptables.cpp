#include <boost/json.hpp>
#include <cstdio>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/tools/iptables/command.hpp"

namespace nsr::router {
namespace {

// kernel: enum xtables_exittype; it may not be done by this user
constexpr int kResourceProblem = 4;

int finish(const IptablesAnswer& answer) {
    std::fwrite(answer.text.data(), 1, answer.text.size(), stdout);
    std::fflush(stdout);
    std::fwrite(answer.errors.data(), 1, answer.errors.size(), stderr);
    return answer.code;
}

int finish(const ControlReply& reply) {
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(reply.body, error);
    const boost::json::object* answer = error ? nullptr : value.if_object();
    if (answer == nullptr) {
        std::fprintf(stderr, "%s", reply.body.c_str());
        return kResourceProblem;
    }
    return finish(IptablesAnswer{.text = boost::json::value_to<std::string>(answer->at("stdout")),
                                 .errors = boost::json::value_to<std::string>(answer->at("stderr")),
                                 .code = static_cast<int>(answer->at("exit").as_int64())});
}

int run(Family family, const ControlOptions& control, const std::vector<std::string>& words) {
    for (const std::string& word : words) {
        if (word.find('\n') != std::string::npos) {
            return finish(wrong_words(family, "a word of a rule cannot hold a line break"));
        }
    }
    // -V and -h need no router.
    if (const auto args = parse_iptables_args(family, words); !args && args.error().code == 0) {
        return finish(args.error());
    }
    const char* target = family == Family::Ipv6 ? "/iptables?family=ipv6" : "/iptables?family=ipv4";
    return finish(ask(control.target(), {"POST", target, one_a_line(words)}));
}

int run_ipv4(const ControlOptions& control, const std::vector<std::string>& words) {
    return run(Family::Ipv4, control, words);
}

int run_ipv6(const ControlOptions& control, const std::vector<std::string>& words) {
    return run(Family::Ipv6, control, words);
}

}  // namespace

void add_iptables_command(CLI::App& app, int& exit_code) {
    static const std::string help = iptables_help(Family::Ipv4);
    add_word_command(app,
                     {"iptables", "Show and change the IPv4 rules, with the options of iptables(8)",
                      help.c_str(), run_ipv4},
                     exit_code);
}

void add_ip6tables_command(CLI::App& app, int& exit_code) {
    static const std::string help = iptables_help(Family::Ipv6);
    add_word_command(
        app,
        {"ip6tables", "Show and change the IPv6 rules, with the options of ip6tables(8)",
         help.c_str(), run_ipv6},
        exit_code);
}

}  // namespace nsr::router
