// nfct(8) against a router: the words and texts are what version 1.4.7 said on a Linux 6.18 kernel.
#include <doctest/doctest.h>

#include "core/base/words.hpp"
#include "core/pipeline/router.hpp"
#include "core/rules/language/parse.hpp"
#include "router/tools/nfct/command.hpp"

namespace nsr::router {
namespace {

struct Bench {
    Router router{{}};

    NfctAnswer run(std::string_view line) {
        std::vector<std::string> words;
        const auto split = split_words(line, Quoting::Shell);
        for (const Word& word : *split) {
            words.push_back(word.text);
        }
        const auto args = parse_nfct_args(words);
        return args ? run_nfct(*args, router) : NfctAnswer{{}, args.error()};
    }
    std::string error(std::string_view line) {
        const std::string errors = run(line).errors;
        constexpr std::string_view kBanner = "nfct v1.4.7: ";
        return errors.starts_with(kBanner)
                   ? errors.substr(kBanner.size(), errors.size() - kBanner.size() - 1)
                   : errors;
    }
    std::string show(std::string_view line) { return run(line).text; }
};

constexpr const char* kListing =
    ".test1 = {\n\t.l3proto = 2,\n\t.l4proto = 6,\n\t.policy = {\n"
    "\t\t.SYN_SENT = 120,\n\t\t.SYN_RECV = 60,\n\t\t.ESTABLISHED = 100,\n\t\t.FIN_WAIT = 120,\n"
    "\t\t.CLOSE_WAIT = 60,\n\t\t.LAST_ACK = 30,\n\t\t.TIME_WAIT = 120,\n\t\t.CLOSE = 10,\n"
    "\t\t.SYN_SENT2 = 120,\n\t\t.RETRANS = 300,\n\t\t.UNACKNOWLEDGED = 300,\n\t},\n};\n"
    ".u6 = {\n\t.l3proto = 10,\n\t.l4proto = 17,\n\t.policy = {\n"
    "\t\t.UNREPLIED = 33,\n\t\t.REPLIED = 22,\n\t},\n};\n";

constexpr const char* kUsage = "Usage: nfct command subsystem [parameters]...";
constexpr const char* kBusy = "netlink error: Device or resource busy";
constexpr const char* kMissing = "netlink error: No such file or directory";

}  // namespace

TEST_CASE_FIXTURE(Bench, "nfct: a policy has what it names, and of the rest what the sysctls say") {
    pipeline::Settings settings = router.settings();
    settings.conntrack.timeouts.udp = 33;
    router.configure(settings);
    CHECK(error("add timeout test1 inet tcp established 100 close 10") == "");
    CHECK(error("add timeout u6 inet6 UDP REPLIED 21 replied 22") == "");
    settings.conntrack.timeouts.udp = 44;
    router.configure(settings);
    CHECK(show("list timeout") == kListing);
    CHECK(show("timeout list") == kListing);
    CHECK(show("l t") == kListing);
    CHECK(show("get timeout test1") + show("get timeout u6") == kListing);
    CHECK(show("default-get timeout inet udp").find(".UNREPLIED = 44") != std::string::npos);
    CHECK(error("default-set timeout inet udp unreplied 55") == "");
    CHECK(router.settings().conntrack.timeouts.udp == 55);
}

TEST_CASE_FIXTURE(Bench, "nfct: names are unique, and cut to 31 bytes") {
    CHECK(error("add timeout a inet tcp close 1") == "");
    CHECK(error("add timeout a inet6 udp replied 1") == kBusy);
    CHECK(error("get timeout b") == kMissing);
    CHECK(error("delete timeout b") == kMissing);
    CHECK(error("add timeout averyveryverylongnamethatisfartoolong inet tcp close 5") == "");
    CHECK(show("list timeout").find(".averyveryverylongnamethatisfart = {") != std::string::npos);
    CHECK(error("delete timeout a") == "");
    CHECK(error("flush timeout") == "");
    CHECK(show("list timeout") == "");
}

TEST_CASE_FIXTURE(Bench, "nfct: a name that a terminal would obey is refused") {
    const std::string said =
        "nfct v1.4.7: the name of a timeout policy has printable characters only\n";
    for (const std::string name : {"a\x1b[2J", "a\x7f", "a\tb"}) {
        const auto args = parse_nfct_args({"add", "timeout", name, "inet", "tcp", "close", "1"});
        REQUIRE(!args);
        CHECK(args.error() == said);
    }
    CHECK(show("list timeout") == "");
}

TEST_CASE_FIXTURE(Bench, "nfct: what a rule names stays") {
    CHECK(error("add timeout a inet tcp close 1") == "");
    CHECK(error("add timeout b inet tcp close 1") == "");
    rules::Ruleset ruleset;
    REQUIRE(rules::parse_save("*raw\n-A PREROUTING -p tcp -j CT --timeout a\nCOMMIT\n", "rules",
                              Family::Ipv4, ruleset)
                .empty());
    router.apply(std::move(ruleset), Instant{});
    CHECK(error("delete timeout a") == kBusy);
    CHECK(error("flush timeout") == "");
    CHECK(error("get timeout a") == "");
    CHECK(error("get timeout b") == kMissing);
    router.apply({}, Instant{});
    CHECK(error("delete timeout a") == "");
}

TEST_CASE_FIXTURE(Bench, "nfct: wrong words") {
    CHECK(error("") == std::string(kUsage) + "\n");
    CHECK(error("list") == std::string(kUsage) + "\n");
    CHECK(error("list foo") == std::string("Unknown subsystem: list\n") + kUsage);
    CHECK(error("help timeout") == std::string("Unknown command: help\n") + kUsage);
    CHECK(error("get timeout") == "missing timeout policy name");
    CHECK(error("list timeout extra") == "too many arguments");
    CHECK(error("delete timeout a b") == "too many arguments");
    const std::string syntax =
        "missing parameters\nsyntax: nfct add timeout name family protocol state1 timeout1 ...";
    CHECK(error("add timeout") == syntax);
    CHECK(error("add timeout a inet") == syntax);
    CHECK(error("add timeout a inet tcp") == "netlink error: Invalid argument");
    CHECK(error("add timeout a inet3 tcp close 1") == "unknown layer 3 protocol");
    CHECK(error("add timeout a INET tcp close 1") == "unknown layer 3 protocol");
    CHECK(error("add timeout a inet foo close 1") == "unknown layer 4 protocol");
    CHECK(error("add timeout a inet dccp respond 1") == "netlink error: Operation not supported");
    CHECK(error("add timeout a inet tcp bogus 7") ==
          "Wrong state name: `bogus' for protocol `tcp'");
    CHECK(error("add timeout a inet tcp close") == "missing value for this timeout");
}

// differs: nfct-seconds
TEST_CASE_FIXTURE(Bench, "nfct: seconds are a number that can be kept") {
    const std::string range = "a timeout is a number of seconds from 0 to 8589934, not `";
    for (const char* word : {"abc", "-1", "0x10", "3x", "8589935", "4294967296"}) {
        CHECK(error("add timeout a inet tcp close " + std::string(word)) == range + word + "'");
    }
    CHECK(error("add timeout a inet tcp close 8589934 established 0") == "");
}

}  // namespace nsr::router
