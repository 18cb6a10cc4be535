#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"

namespace nsr::router {
namespace {

// What `nat why` says behind a line: of what it has behind "port-kept=" or "why-not-kept=".
struct Explanation {
    std::string_view word;
    const char* text;
};
constexpr std::array kExplanations = std::to_array<Explanation>({
    {"port-kept=yes", "it has its own port outside"},
    {"why-not-kept=range", "its own port is none of those that the rule names"},
    {"why-not-kept=random", "the rule gives any port"},
    {"why-not-kept=sequential", "the rule gives the next port"},
    {"why-not-kept=block", "its own port is not in the block of its host"},
    {"why-not-kept=neighbour", "it has the port behind that of the one before"},
    {"why-not-kept=like-another", "another connection of this endpoint looks like this already"},
    {"why-not-kept=taken-by", "its own port is taken by the endpoint in brackets"},
    {"why-not-kept=taken", "its own port was taken when it came, by one that is gone"},
    {"why-not-kept=unknown", "its rule is gone"},
});

int print_stream(const ControlTarget& target, const std::string& path) {
    const ControlReply reply = ask_streaming(target, {"GET", path, {}}, [](std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stdout);
    });
    std::fflush(stdout);
    if (!reply.ok()) {
        std::fputs(reply.body.c_str(), stderr);
        return kFailure;
    }
    return kSuccess;
}

void add_listing(CLI::App& group, const char* name, const char* description, const char* path,
                 int& exit_code) {
    CLI::App* command = group.add_subcommand(name, description);
    const ControlOptions options(*command);
    command->callback([options, path, &exit_code] {
        exit_code = guarded([&] { return print_stream(options.target(), path); });
    });
}

std::string_view explanation_of(std::string_view line) {
    for (const Explanation& explanation : kExplanations) {
        if (line.find(explanation.word) != std::string_view::npos) {
            return explanation.text;
        }
    }
    return "only its destination is translated";
}

int explain(const ControlTarget& target, const std::string& proto, const std::string& endpoint) {
    const ControlReply reply = ask(
        target, {"GET",
                 "/nat?proto=" + percent_encode(proto) + "&endpoint=" + percent_encode(endpoint),
                 {}});
    if (!reply.ok()) {
        constexpr unsigned kNotUnderstood = 400;
        const int failed = print_reply(reply);
        return reply.status == kNotUnderstood ? kUsage : failed;
    }
    if (reply.body.empty()) {
        std::fprintf(stderr, "nsrouter: nothing is translated from or to %s %s\n", proto.c_str(),
                     endpoint.c_str());
        return kFailure;
    }
    for (std::size_t at = 0; at < reply.body.size();) {
        const std::size_t end = reply.body.find('\n', at);
        const std::string line = reply.body.substr(at, end - at);
        at = end == std::string::npos ? reply.body.size() : end + 1;
        std::printf("%s\n    %s\n", line.c_str(), std::string(explanation_of(line)).c_str());
    }
    return kSuccess;
}

void add_why(CLI::App& group, int& exit_code) {
    CLI::App* command =
        group.add_subcommand("why", "Say why an endpoint looks like it does outside");
    const ControlOptions options(*command);
    const auto proto = std::make_shared<std::string>();
    const auto endpoint = std::make_shared<std::string>();
    command
        ->add_option("protocol", *proto, "tcp, udp, udplite, sctp, icmp or icmpv6, or its number")
        ->required();
    command
        ->add_option("endpoint", *endpoint,
                     "inside or outside: ADDRESS:PORT, [ADDRESS]:PORT of IPv6, or ADDRESS")
        ->required();
    command->callback([options, proto, endpoint, &exit_code] {
        exit_code = guarded([&] { return explain(options.target(), *proto, *endpoint); });
    });
}

bool is_rule_number(std::string_view text) {
    constexpr std::size_t kMostDigits = 18;
    return !text.empty() && text.size() <= kMostDigits && text != std::string(text.size(), '0') &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
}

struct RebootFlags {
    std::size_t rule = 0;  // 0: all
    std::string chain = "POSTROUTING";
    bool v6 = false;
};

void add_reboot(CLI::App& group, int& exit_code) {
    CLI::App* command = group.add_subcommand(
        "reboot", "Forget all mappings and translated connections, as a NAT that was switched off");
    const ControlOptions options(*command);
    const auto flags = std::make_shared<RebootFlags>();
    CLI::Option* rule =
        command->add_option("--rule", flags->rule, "those of this rule: its number in the chain")
            ->check([](const std::string& text) {
                return is_rule_number(text) ? ""
                                            : "needs a rule number from 1 on, not \"" + text + "\"";
            });
    command->add_option("--chain", flags->chain, "of table nat; POSTROUTING if it is not given")
        ->needs(rule);
    command->add_flag("-6,--ipv6", flags->v6, "a rule of IPv6")->needs(rule);
    command->callback([options, flags, &exit_code] {
        exit_code = guarded([&] {
            std::string target = "/nat?action=reboot";
            if (flags->rule != 0) {
                target += "&rule=" + std::to_string(flags->rule) +
                          "&chain=" + percent_encode(flags->chain) +
                          (flags->v6 ? "&family=ipv6" : "");
            }
            return print_reply(ask(options.target(), {"POST", target, {}}));
        });
    });
}

}  // namespace

void add_nat_command(CLI::App& app, int& exit_code) {
    CLI::App* group = app.add_subcommand("nat", "Which endpoints look like which outside");
    group->footer(
        "Examples:\n  nsrouter nat list\n  nsrouter nat why udp 10.0.0.2:4000\n"
        "  nsrouter nat ports\n  nsrouter nat reboot --rule 1\n"
        "A new address from the provider is `nsrouter ip addr add` and `ip addr del`.");
    group->require_subcommand(1);
    group->fallthrough();
    add_listing(*group, "list", "Print every mapping and translated connection",
                "/proc/nsrouter/nat_mappings", exit_code);
    add_listing(*group, "ports", "Print how many ports of each outside address are in use",
                "/proc/nsrouter/nat_ports", exit_code);
    add_why(*group, exit_code);
    add_reboot(*group, exit_code);
}

}  // namespace nsr::router
