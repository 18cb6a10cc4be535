#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Option.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/words.hpp"
#include "router/base/clock.hpp"
#include "router/base/hex.hpp"
#include "router/bundle/bundle.hpp"
#include "router/capture/capture.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/config/build.hpp"
#include "router/config/load.hpp"
#include "router/explain/explain.hpp"
#include "router/replay/replay.hpp"
#include "router/tools/conntrack/saved_table.hpp"

namespace nsr::router {
namespace {

struct ExplainArguments {
    std::vector<std::string> packet;
    std::string config;
    std::string state;
    std::string bundle;
    std::string file;
    std::string interface;
    std::optional<std::uint64_t> record;
    bool reply = false;
    bool as_json = false;
    std::vector<std::string> then;
    std::vector<std::string> rules;
    std::vector<std::string> sysctls;
};

void add_line(std::string& body, const char* key, const std::string& value) {
    if (value.find('\n') != std::string::npos) {
        throw std::runtime_error(std::string(key) + " takes one line");
    }
    body += std::string(key) + " " + value + "\n";
}

// Its packets, in their order.
std::string lines_of_capture(const ExplainArguments& arguments) {
    const auto capture = open_capture(arguments.file, "");
    if (!capture) {
        throw std::runtime_error(capture.error());
    }
    std::string lines;
    Frame frame;
    std::size_t packets = 0;
    while ((*capture)->next(frame)) {
        if (++packets > ExplainRequest::kMostPackets) {
            throw std::runtime_error(arguments.file + " has more than " +
                                     std::to_string(ExplainRequest::kMostPackets) +
                                     " packets: choose some of them, or use `nsrouter replay`");
        }
        const std::string in(arguments.interface.empty() ? frame.interface : arguments.interface);
        if (in.empty()) {
            throw std::runtime_error(arguments.file +
                                     " does not say by which interface its packets come: "
                                     "--interface does");
        }
        add_line(lines, "bytes", in + " " + hex_of(frame.bytes));
    }
    if (!(*capture)->error().empty()) {
        throw std::runtime_error(arguments.file + ": " + (*capture)->error());
    }
    return lines;
}

std::string body_of(const ExplainArguments& arguments) {
    std::string body;
    if (!arguments.packet.empty()) {
        add_line(body, "packet", join(arguments.packet, " "));
    }
    if (arguments.record) {
        add_line(body, "record", std::to_string(*arguments.record));
    }
    if (!arguments.file.empty()) {
        body += lines_of_capture(arguments);
    }
    body += arguments.reply ? "reply\n" : "";
    for (const std::string& line : arguments.then) {
        add_line(body, "then", line);
    }
    for (const std::string& line : arguments.rules) {
        add_line(body, "if-rule", line);
    }
    for (const std::string& line : arguments.sysctls) {
        add_line(body, "if-sysctl", line);
    }
    return body;
}

int complain(const std::string& what) {
    std::fprintf(stderr, "nsrouter: %s\n", what.c_str());
    return kFailure;
}

// False, and it is told: the router does not begin with this table.
bool begin_with_table(const std::string& path, Router& router, Instant now) {
    const auto table = read_saved_table(path);
    if (!table) {
        std::fputs(in_lines(table.error()).c_str(), stderr);
        return false;
    }
    std::fputs(warnings_in_lines(left_out_of(*table)).c_str(), stderr);
    const auto added = add_connections(router, *table, now);
    std::fputs(added ? "" : in_lines(added.error()).c_str(), stderr);
    return added.ok();
}

int complain(const ConfigErrors& errors) {
    std::fputs(in_lines(errors).c_str(), stderr);
    return kFailure;
}

int explain_by(Router& router, const Config& config, const ExplainArguments& arguments,
               Instant now) {
    auto request = parse_explain_request(body_of(arguments));
    if (!request) {
        return complain("explain: " + request.error());
    }
    request->json = arguments.as_json;
    procfs::Context context{router, config.line_format, {}, kReplayMemoryBytes};
    const ExplainAnswer told = nsr::router::explain(context, *request, config.host_names, now);
    if (told.refused) {
        return complain("explain: " + told.text);
    }
    std::fputs(told.text.c_str(), stdout);
    return kSuccess;
}

// By a router made of a configuration for that, in its first moment.
int explain_offline(const ExplainArguments& arguments) {
    const Result<Config, ConfigErrors> config = load_config(arguments.config, kReplayMemoryBytes);
    if (!config) {
        return complain(config.error());
    }
    auto router_options = nsr::router::router_options(*config, kReplayMemoryBytes);
    if (!router_options) {
        return complain(router_options.error());
    }
    const Instant now = SystemClock().now();
    Router router(std::move(*router_options));
    const ConfigErrors errors = fill_router(router, *config, now);
    if (!errors.empty()) {
        return complain(errors);
    }
    if (!arguments.state.empty() && !begin_with_table(arguments.state, router, now)) {
        return kFailure;
    }
    return explain_by(router, *config, arguments, now);
}

// By one that begins as another one was when its bundle was made.
int explain_bundle(const ExplainArguments& arguments) {
    if (arguments.record) {
        return complain(
            "--from-recorder asks a running router; what a bundle knows of it shows "
            "`nsrouter why --bundle FILE`, and the packet may be given in words");
    }
    const auto bundle = open_bundle(arguments.bundle);
    if (!bundle) {
        return complain(bundle.error());
    }
    const auto config = config_of(*bundle, kReplayMemoryBytes);
    if (!config) {
        return complain(config.error());
    }
    auto router_options = nsr::router::router_options(*config, kReplayMemoryBytes);
    if (!router_options) {
        return complain(router_options.error());
    }
    Router router(std::move(*router_options));
    if (const ConfigErrors errors = fill_router(router, *config, bundle->made()); !errors.empty()) {
        return complain(errors);
    }
    for (const ConfigErrors& told : {begin_network(*bundle, *config, router, bundle->made()),
                                     begin_connections(*bundle, router, bundle->made())}) {
        std::fputs(warnings_in_lines(told).c_str(), stderr);
    }
    return explain_by(router, *config, arguments, bundle->made());
}

int explain(const ControlOptions& options, const ExplainArguments& arguments) {
    const int given = (arguments.packet.empty() ? 0 : 1) + (arguments.file.empty() ? 0 : 1) +
                      (arguments.record ? 1 : 0);
    if (given != 1) {
        std::fputs(
            "nsrouter: explain takes a packet in words, --packet FILE or --from-recorder N\n",
            stderr);
        return kUsage;
    }
    if (arguments.config.empty() && !arguments.state.empty()) {
        std::fputs(
            "nsrouter: --state is the table of a router that does not run: it needs --config\n",
            stderr);
        return kUsage;
    }
    if (!arguments.config.empty() && !arguments.bundle.empty()) {
        std::fputs("nsrouter: --bundle has a configuration: --config goes without it\n", stderr);
        return kUsage;
    }
    if (!arguments.config.empty()) {
        return explain_offline(arguments);
    }
    if (!arguments.bundle.empty()) {
        return explain_bundle(arguments);
    }
    const char* target = arguments.as_json ? "/explain.json" : "/explain";
    return print_reply(ask(options.target(), {"POST", target, body_of(arguments)}));
}

constexpr const char* kFooter =
    R"(PACKET is PROTOCOL SOURCE[:PORT] > DESTINATION[:PORT] [FLAGS] [in INTERFACE]
[ttl N] [tos N] [data N] [seq N] [ack N] [win N] [df], for ICMP [type N] [code N]
[id N]. FLAGS are tcpdump's: S S. . P. F. R; S if there are none. Without "in"
it comes by the interface through which its source is reached; without "seq" and
"ack" with the numbers that its connection expects. Nothing is sent, and nothing
that the router has is changed.

Examples:
  nsrouter explain "tcp 10.0.1.2:40000 > 10.0.2.2:80 S in lan"
  nsrouter explain "udp 10.0.1.2:5353 > 192.0.2.2:53" --reply
  nsrouter explain "tcp 10.0.1.2:40000 > 10.0.2.2:22" --if-rule "FORWARD -p tcp --dport 22 -j ACCEPT"
  nsrouter explain --from-recorder 17 --if-sysctl net.netfilter.nf_conntrack_tcp_be_liberal=1
  nsrouter explain --packet in.pcapng -j
  nsrouter explain --config demo.toml "icmp 10.0.1.2 > 10.0.2.2"
  nsrouter explain --config demo.toml --state table.txt "tcp 10.0.1.2:40000 > 10.0.2.2:80 ."
  nsrouter explain --bundle bug.tar "tcp 10.0.1.2:40000 > 10.0.2.2:80")";

}  // namespace

void add_explain_command(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("explain", "Say what a running router would do with a packet, and why");
    command->footer(kFooter);
    const ControlOptions options(*command);
    const auto arguments = std::make_shared<ExplainArguments>();
    command->add_option("PACKET", arguments->packet, "the packet in words");
    command
        ->add_option("--config", arguments->config,
                     "what a router with this configuration would do, without one that runs")
        ->check(file_name_problem)
        ->type_name("FILE");
    command
        ->add_option("--state", arguments->state,
                     "the connections that it begins with: what `conntrack -L` prints (also -o "
                     "save), or /proc/net/nf_conntrack; with --config")
        ->check(file_name_problem)
        ->type_name("TABLE");
    command
        ->add_option("--bundle", arguments->bundle,
                     "what the router would do that `nsrouter bundle` wrote this file of")
        ->check(file_name_problem)
        ->type_name("FILE");
    command->add_option("--packet", arguments->file, "the packets of a pcapng or pcap file")
        ->check(file_name_problem)
        ->type_name("FILE");
    command
        ->add_option("--interface", arguments->interface,
                     "by which those of --packet come; else as the file says")
        ->type_name("NAME");
    command->add_option("--from-recorder", arguments->record, "one that `nsrouter why` shows")
        ->type_name("N");
    command->add_flag("--reply", arguments->reply, "the answer to it, too");
    command->add_option("--then", arguments->then, "what follows; may be given again")
        ->type_name("PACKET")
        ->take_all();
    command
        ->add_option("--if-rule", arguments->rules,
                     "as if this rule stood first: CHAIN and the rest of it, with -t TABLE behind "
                     "or any command of iptables; -6 in front for IPv6")
        ->type_name("RULE")
        ->take_all();
    command->add_option("--if-sysctl", arguments->sysctls, "as if this were set")
        ->type_name("KEY=VALUE")
        ->take_all();
    command->add_flag("-j,--json", arguments->as_json, "an object a line for each packet");
    for (const char* name : {"--then", "--if-rule", "--if-sysctl"}) {
        command->get_option(name)->expected(1)->allow_extra_args(false)->multi_option_policy(
            CLI::MultiOptionPolicy::TakeAll);
    }
    command->callback([options, arguments, &exit_code] {
        exit_code = guarded([&] { return explain(options, *arguments); });
    });
}

}  // namespace nsr::router
