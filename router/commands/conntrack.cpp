#include <cstdio>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/commands/conntrack_events.hpp"
#include "router/commands/conntrack_load.hpp"
#include "router/tools/conntrack/parse.hpp"

namespace nsr::router {
namespace {

// conntrack(8) prints entries on standard output and everything else on standard error.
constexpr const char* kBanner = kConntrackBanner;

constexpr const char* kHelp = R"(Commands:
  -L, --dump [conntrack|expect|dying|unconfirmed]   list the entries
  -G, --get [expect] -p PROTOCOL -s IP -d IP ...    show the entry of a whole tuple
  -D, --delete FILTER                               delete the entries selected
  -I, --create -p PROTOCOL -s IP -d IP -t S ...     make an entry, which must not be there
  -A, --add -p PROTOCOL -s IP -d IP -t S ...        make an entry, unless it is there
  -I, -D expect                                     make or delete an expectation
  -U, --update FILTER [-m MARK] [-t S] [-u STATUS]  change the entries selected
  -F, --flush [conntrack|expect] [-f FAMILY]        delete all entries; takes no other filter
  -E, --event [conntrack|expect] [FILTER]           show what happens, until Ctrl-C
  -C, --count [conntrack|expect]                    how many there are
  -S, --stats [conntrack|expect]                    statistics
  -R, --load-file FILE   commands (-I -A -U -D -F) from a file, or from standard input (-)
  -V, --version   -h, --help
Filters, and what a new entry is:
  -s, --src, -d, --dst ADDRESS[/LENGTH], -r, --reply-src, -q, --reply-dst ADDRESS
  --mask-src, --mask-dst MASK
  -p, --proto PROTOCOL, then --sport, --dport, --reply-port-src, --reply-port-dst PORT,
      --state STATE, --icmp-type, --icmp-code, --icmp-id NUMBER, --orig-vtag, --reply-vtag TAG,
      --srckey, --dstkey, --reply-key-src, --reply-key-dst KEY
  -f, --family ipv4|ipv6       -m, --mark MARK[/MASK]      -i, --id ID
  -u, --status [!]ASSURED|SEEN_REPLY|UNREPLIED|UNSET|FIXED_TIMEOUT|EXPECTED[,...]
  -n, --src-nat, -g, --dst-nat, -j, --any-nat [ADDRESS[:PORT]]
  -w, --zone, --orig-zone, --reply-zone ZONE
  -l, --label NUMBER[,...]     -c, --secmark NUMBER
Others:
  -o, --output save|xml|extended|id|ktimestamp|labels[,...]
  -z, --zero     set the counters to 0 while listing
  -e, --event-mask ALL|NEW|UPDATES|DESTROY[,...]   (-E; its -o also takes timestamp)
  -b, --buffer-size BYTES   taken for the sake of the tool: [control] events says how much is kept
  -t, --timeout SECONDS   (-I, -A, -U)
  --label-add NUMBER[,...] (-I, -A, -U), --label-del [NUMBER[,...]] (-U)
  --tuple-src, --tuple-dst, --tuple-port-src, --tuple-port-dst, --mask-port-src, --mask-port-dst
                 what -I expect expects
  --dry-run      show what -D would delete, and delete nothing
  --control NAME|PATH|HOST:PORT, --token TOKEN   which router
Exit codes: 0 done, 1 it failed or -D, -U, -G found nothing, 2 wrong usage.
Examples:
  nsrouter conntrack -L -p tcp --state ESTABLISHED
  nsrouter conntrack -D -s 10.0.1.2
  nsrouter conntrack -U -p udp -m 5
  nsrouter conntrack -I -p udp -s 10.0.1.2 -d 192.0.2.1 --sport 4000 --dport 53 -t 60
  nsrouter conntrack -L -o save > entries; nsrouter conntrack -R entries
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

int run_one(const ControlOptions& control, const std::vector<std::string>& words,
            const ConntrackArgs& args, bool dry_run);
int summarize(const ConntrackArgs& args, const ControlReply& reply, bool dry_run);
void print_warnings(const ConntrackLine& line);

int run(const ControlOptions& control, const std::vector<std::string>& given) {
    std::vector<std::string> words = given;
    const bool dry_run = std::erase(words, "--dry-run") != 0;  // ours, not the tool's
    constexpr std::size_t kLoading = 2;
    if (words.size() >= kLoading && (words[0] == "-R" || words[0] == "--load-file")) {
        return load_conntrack_file(control, words[1]);
    }
    const ConntrackLine line = read_conntrack_line(words);
    print_warnings(line);
    if (!line.problem.empty()) {
        return conntrack_failed(line.problem, line.usage);
    }
    return run_one(control, words, line.args, dry_run);
}

int run_one(const ControlOptions& control, const std::vector<std::string>& words,
            const ConntrackArgs& args, bool dry_run) {
    switch (args.command) {
        case ConntrackCommand::Version:
            std::printf("%s\n", kBanner);
            return kSuccess;
        case ConntrackCommand::None:
        case ConntrackCommand::Help:
            std::printf("%s\n", kHelp);
            return kSuccess;
        case ConntrackCommand::Events:
            return follow_conntrack_events(control, args, one_a_line(words));
        default:
            break;
    }
    const ControlReply reply = ask_conntrack(control, words, dry_run);
    return reply.ok() ? summarize(args, reply, dry_run)
                      : conntrack_failed(reply.body.substr(0, reply.body.find('\n')), false);
}

void print_warnings(const ConntrackLine& line) {
    for (const std::string& warning : line.warnings) {
        std::fprintf(stderr, "%s\n", warning.c_str());
    }
}

// How a command that worked ends: what was done to entries. `done` null: nothing is said.
struct Ending {
    const char* done;
    bool none_is_failure;
};

Ending ending_of(const ConntrackArgs& args, bool dry_run) {
    const bool expectation = args.table == ConntrackTable::Expectations;
    switch (args.command) {
        case ConntrackCommand::List:
            return {"shown", false};
        case ConntrackCommand::Get:
            return {expectation ? nullptr : "shown", true};
        case ConntrackCommand::Delete:
            return {dry_run ? "found, and nothing deleted" : "deleted", true};
        case ConntrackCommand::Update:
            return {"updated", true};
        case ConntrackCommand::Create:
            return {expectation ? nullptr : "created", false};
        case ConntrackCommand::Add:
            return {"added", false};
        default:
            return {nullptr, false};
    }
}

int summarize(const ConntrackArgs& args, const ControlReply& reply, bool dry_run) {
    const bool expectations = args.table == ConntrackTable::Expectations;
    print_refusals(reply);
    if (args.command == ConntrackCommand::Flush) {
        std::fprintf(stderr, "%s: %s table has been emptied.\n", kBanner,
                     expectations ? "expectation" : "connection tracking");
    }
    const Ending ending = ending_of(args, dry_run);
    if (ending.done == nullptr) {
        return kSuccess;
    }
    std::fprintf(stderr, "%s: %zu %s have been %s.\n", kBanner, reply.entries,
                 expectations ? "expectations" : "flow entries", ending.done);
    return ending.none_is_failure && reply.entries == 0 ? kFailure : kSuccess;
}

}  // namespace

}  // namespace nsr::router
