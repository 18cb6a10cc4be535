#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/words.hpp"
#include "router/bundle/past_why.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"

namespace nsr::router {
namespace {

struct TraceArguments {
    std::vector<std::string> filter;
    bool as_json = false;
    bool every_rule = false;
    FollowBounds bounds;
};

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

int trace(const ControlOptions& options, const TraceArguments& arguments) {
    std::string target = arguments.as_json ? "/trace.json" : "/trace";
    target += "?rules=" + std::string(arguments.every_rule ? "all" : "matched");
    target += "&" + in_query(arguments.bounds);
    target += "&filter=" + percent_encode(join(arguments.filter, " "));
    return print_reply(ask_streaming(options.target(), {"GET", target, {}}, print));
}

}  // namespace

void add_follow_bounds(CLI::App& command, FollowBounds& bounds) {
    command.add_option("-c,--count", bounds.count, "end after so many packets")->type_name("N");
    command
        .add_option("-r,--rate", bounds.rate,
                    "so many packets a second at most; what is left out is counted")
        ->type_name("N")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
}

std::string in_query(const FollowBounds& bounds) {
    return "rate=" + std::to_string(bounds.rate) + "&count=" + std::to_string(bounds.count);
}

void add_trace_command(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("trace", "Show packet by packet what a running router does with it");
    command->footer(
        "FILTER is words of the router, then a tcpdump expression (names are not looked up).\n"
        "Words: state: in: out: hook: table: chain: verdict: reason: rule: zone: mark:\n"
        "connection: traced:, each with values separated by commas, ! in front for none of "
        "them.\n\n"
        "Examples:\n"
        "  nsrouter trace\n"
        "  nsrouter trace host 10.0.1.2 and tcp port 80\n"
        "  nsrouter trace state:INVALID -c 10\n"
        "  nsrouter trace -j 'reason:any in:wan' 'udp port 53'\n"
        "  nsrouter trace traced:yes        packets that met -j TRACE");
    const ControlOptions options(*command);
    const auto arguments = std::make_shared<TraceArguments>();
    command->add_option("FILTER", arguments->filter, "which packets; without it all");
    command->add_flag("-j,--json", arguments->as_json, "an object a line");
    command->add_flag("-a,--all-rules", arguments->every_rule,
                      "rules that do not match, too; it makes packets slower");
    add_follow_bounds(*command, arguments->bounds);
    command->callback([options, arguments, &exit_code] {
        exit_code = guarded([&] { return trace(options, *arguments); });
    });
}

namespace {

struct WhyArguments {
    std::vector<std::string> filter;
    bool as_json = false;
    std::uint64_t last = 20;
    std::string bundle;
};

int why_bundle(const WhyArguments& arguments) {
    const auto bundle = open_bundle(arguments.bundle);
    if (!bundle) {
        throw std::runtime_error(bundle.error());
    }
    const auto filter = Filter::parse(join(arguments.filter, " "));
    if (!filter) {
        throw std::runtime_error(to_string(filter.error()));
    }
    const auto told = why_of(*bundle, *filter, arguments.last, arguments.as_json);
    if (!told) {
        throw std::runtime_error(arguments.bundle + ": " + told.error().text);
    }
    print(*told);
    return kSuccess;
}

int why(const ControlOptions& options, const WhyArguments& arguments) {
    if (!arguments.bundle.empty()) {
        return why_bundle(arguments);
    }
    const std::string target = std::string(arguments.as_json ? "/why.json" : "/why") +
                               "?last=" + std::to_string(arguments.last) +
                               "&filter=" + percent_encode(join(arguments.filter, " "));
    return print_reply(ask_streaming(options.target(), {"GET", target, {}}, print));
}

}  // namespace

void add_why_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand(
        "why", "Show the last packets that were dropped or INVALID, and what lets them through");
    command->footer(
        "FILTER is that of `nsrouter trace`; the expression sees the first 96 bytes.\n\n"
        "Examples:\n"
        "  nsrouter why\n"
        "  nsrouter why -n 0 host 10.0.1.2 and tcp port 80\n"
        "  nsrouter why -j state:INVALID\n"
        "  nsrouter why reason:policy_drop,rule_drop in:wan\n"
        "  nsrouter why --bundle bug.tar in:wan");
    const ControlOptions options(*command);
    const auto arguments = std::make_shared<WhyArguments>();
    command->add_option("FILTER", arguments->filter, "which packets; without it all");
    command->add_flag("-j,--json", arguments->as_json, "an object a line");
    command->add_option("-n,--last", arguments->last, "the last so many; 0: all that are kept")
        ->type_name("N")
        ->capture_default_str();
    command
        ->add_option("--bundle", arguments->bundle,
                     "what a router knew that `nsrouter bundle` wrote this file of")
        ->check(file_name_problem)
        ->type_name("FILE");
    command->callback([options, arguments, &exit_code] {
        exit_code = guarded([&] { return why(options, *arguments); });
    });
}

}  // namespace nsr::router
