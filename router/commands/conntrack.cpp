#include <algorithm>
#include <cstdio>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/commands/conntrack_events.hpp"
#include "router/tools/conntrack/parse.hpp"

namespace nsr::router {
namespace {

// conntrack(8) prints entries on standard output and everything else on standard error.
constexpr const char* kBanner = kConntrackBanner;

constexpr const char* kHelp = R"(Commands:
  -L, --dump [conntrack|expect|dying|unconfirmed]   list the entries
  -G, --get -p PROTOCOL -s IP -d IP --sport ...     show the entry of a whole tuple
  -D, --delete FILTER                               delete the entries selected
  -U, --update FILTER [-m MARK] [-t S] [-u STATUS]  change the entries selected
  -F, --flush [conntrack|expect] [-f FAMILY]        delete all entries; takes no other filter
  -E, --event [conntrack|expect] [FILTER]           show what happens, until Ctrl-C
  -C, --count [conntrack|expect]                    how many there are
  -S, --stats [conntrack|expect]                    statistics
  -V, --version   -h, --help
Filters:
  -s, --src, -d, --dst, -r, --reply-src, -q, --reply-dst ADDRESS[/LENGTH]
  --mask-src, --mask-dst MASK
  -p, --proto PROTOCOL, with it --sport, --dport, --reply-port-src, --reply-port-dst PORT,
      --state STATE (TCP, SCTP), --icmp-type, --icmp-code, --icmp-id NUMBER
  -f, --family ipv4|ipv6       -m, --mark MARK[/MASK]      -i, --id ID
  -u, --status ASSURED|SEEN_REPLY|UNSET|FIXED_TIMEOUT|EXPECTED[,...]
  -n, --src-nat, -g, --dst-nat, -j, --any-nat [ADDRESS]
  -w, --zone, --orig-zone, --reply-zone ZONE
Others:
  -o, --output save|xml|extended|id|ktimestamp[,...]
  -z, --zero     set the counters to 0 while listing
  -e, --event-mask ALL|NEW|UPDATES|DESTROY[,...]   (-E; its -o also takes timestamp, labels)
  -b, --buffer-size BYTES   taken for the sake of the tool: [control] events says how much is kept
  -t, --timeout SECONDS   (-U)
  --dry-run      show what -D would delete, and delete nothing
  --control NAME|PATH|HOST:PORT, --token TOKEN   which router
Exit codes: 0 done, 1 it failed or -D, -U, -G found nothing, 2 wrong usage.
Examples:
  nsrouter conntrack -L -p tcp --state ESTABLISHED
  nsrouter conntrack -D -s 10.0.1.2
  nsrouter conntrack -U -p udp -m 5
  nsrouter conntrack -E -p tcp -e NEW,DESTROY -o timestamp
  nsrouter conntrack -F)";

int run(const ControlOptions& control, const std::vector<std::string>& words);

}  // namespace

void add_conntrack_command(CLI::App& app, int& exit_code) {
    add_word_command(
        app,
        {"conntrack", "Show and change the connection table, with the options of conntrack(8)",
         kHelp, run},
        exit_code);
}

namespace {

int summarize(const ConntrackArgs& args, std::size_t entries, bool dry_run);
int failed(const ControlReply& reply);

int run(const ControlOptions& control, const std::vector<std::string>& given) {
    std::vector<std::string> words = given;
    const bool dry_run = std::erase(words, "--dry-run") != 0;  // ours, not the tool's
    if (words.size() == 1 && (words[0] == "-V" || words[0] == "--version")) {
        std::printf("%s\n", kBanner);
        return kSuccess;
    }
    const auto args = parse_conntrack_args(words);
    if (!args) {
        std::fprintf(stderr, "%s: %s\nTry `nsrouter conntrack --help' for more information.\n",
                     kBanner, args.error().c_str());
        return kUsage;
    }
    if (args->command == ConntrackCommand::Events) {
        return follow_conntrack_events(control, *args, one_a_line(words));
    }
    const ControlReply reply = ask_streaming(
        control.target(),
        {"POST", dry_run ? "/conntrack?dry-run=1" : "/conntrack", one_a_line(words)},
        [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); });
    std::fflush(stdout);
    return reply.ok() ? summarize(*args, reply.entries, dry_run) : failed(reply);
}

int failed(const ControlReply& reply) {
    std::string message = reply.body;
    message.erase(std::min(message.find('\n'), message.size()));
    std::fprintf(stderr, "%s: %s\n", kBanner, message.c_str());
    return kFailure;
}

int summarize(const ConntrackArgs& args, std::size_t entries, bool dry_run) {
    const char* subject =
        args.table == ConntrackTable::Expectations ? "expectations" : "flow entries";
    const char* done = nullptr;
    bool empty_is_failure = false;
    switch (args.command) {
        case ConntrackCommand::List:
        case ConntrackCommand::Get:
            done = "shown";
            break;
        case ConntrackCommand::Delete:
            done = dry_run ? "found, and nothing deleted" : "deleted";
            empty_is_failure = true;
            break;
        case ConntrackCommand::Update:
            done = "updated";
            empty_is_failure = true;
            break;
        case ConntrackCommand::Create:
            done = "created";
            break;
        case ConntrackCommand::Flush:
            std::fprintf(
                stderr, "%s: %s table has been emptied.\n", kBanner,
                args.table == ConntrackTable::Expectations ? "expectation" : "connection tracking");
            return kSuccess;
        default:
            return kSuccess;
    }
    std::fprintf(stderr, "%s: %zu %s have been %s.\n", kBanner, entries, subject, done);
    return empty_is_failure && entries == 0 ? kFailure : kSuccess;
}

}  // namespace

}  // namespace nsr::router
