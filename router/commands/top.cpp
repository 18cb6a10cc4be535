#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <boost/json.hpp>
#include <cctype>
#include <cstdio>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/commands/text_table.hpp"
#include "router/tools/conntrack/top.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

struct TopOptions {
    std::string by = "source";
    unsigned rows = 10;
    bool as_json = false;
    std::vector<std::string> filters;  // NAME=VALUE
};

std::string target_of(const TopOptions& options);
std::string top_text(const json::value& top);

}  // namespace

void add_top_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("top", "Show who has the most connections");
    command->footer(
        "Examples:\n  nsrouter top\n  nsrouter top --by destination -n 20\n"
        "  nsrouter top --by port proto=udp\n  nsrouter top --by rule src=10.0.1.0/24\n"
        "The filters are long options of `nsrouter conntrack -L` without their dashes. Packets and "
        "bytes are those of connections that are counted (net.netfilter.nf_conntrack_acct).");
    const ControlOptions control(*command);
    const auto options = std::make_shared<TopOptions>();
    command->add_option("--by", options->by, "what to count by")
        ->check(CLI::IsMember(std::vector<std::string>(kTopByNames.begin(), kTopByNames.end())))
        ->capture_default_str();
    command->add_option("-n,--rows", options->rows, "how many")
        ->check(CLI::Range(1U, static_cast<unsigned>(Top::kMostKeys)))
        ->capture_default_str();
    command->add_flag("-j,--json", options->as_json, "for programs: the JSON of GET /top");
    command->add_option("filters", options->filters, "only connections that fit: NAME=VALUE");
    command->callback([control, options, &exit_code] {
        exit_code = guarded([&] {
            ControlReply reply = ask(control.target(), {"GET", target_of(*options), {}});
            if (reply.ok() && !options->as_json) {
                reply.body = top_text(json::parse(reply.body));
            }
            return print_reply(reply);
        });
    });
}

namespace {

std::string target_of(const TopOptions& options) {
    std::string target = "/top?by=" + options.by + "&n=" + std::to_string(options.rows);
    for (const std::string& filter : options.filters) {
        const std::size_t equals = filter.find('=');
        target += "&" + percent_encode(filter.substr(0, equals));
        if (equals != std::string::npos) {
            target += "=" + percent_encode(filter.substr(equals + 1));
        }
    }
    return target;
}

// "12.5%"
std::string share(double part, double whole) {
    char text[16];
    std::snprintf(text, sizeof text, "%.1f%%", whole == 0 ? 0 : part * 100 / whole);
    return text;
}

std::string top_text(const json::value& top) {
    const auto entries = top.at("entries").to_number<double>();
    std::string heading = text_of(top.at("by"));
    for (char& c : heading) {
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    }
    std::vector<TextRow> rows = {{"ENTRIES", "SHARE", "PACKETS", "BYTES", heading}};
    for (const json::value& row : top.at("top").as_array()) {
        const json::value& own = row.at("entries");
        rows.push_back({text_of(own), share(own.to_number<double>(), entries),
                        text_of(row.at("packets")), bytes(row.at("bytes")),
                        text_of(row.at("key"))});
    }
    std::string text = text_of(top.at("entries")) + " entries\n\n" + text_table(rows);
    if (const std::string missing = text_of(top.at("missing_at_most")); missing != "0") {
        text += "\nToo many to tell apart: each of these has up to " + missing + " more.\n";
    }
    return text;
}

}  // namespace

}  // namespace nsr::router
