#include "router/config/rule_words.hpp"

#include <doctest/doctest.h>

namespace nsr::router {
namespace {

struct Translated {
    std::string line;
    std::string error;
};

Translated translate(const std::string& keys) {
    const auto tree = parse_toml(keys, "rule.toml");
    REQUIRE(tree.ok());
    ConfigErrors errors;
    Translated result;
    if (const auto rule = native_rule(*tree, errors)) {
        result.line = join(rule->words, " ");
    }
    for (const ConfigError& error : errors) {
        result.error += to_string(error) + "\n";
    }
    return result;
}

std::string line(const std::string& keys) {
    const Translated result = translate(keys);
    CHECK(result.error == "");
    return result.line;
}

}  // namespace

TEST_CASE("keys become options: built-ins, then matches in the file's order, then the target") {
    CHECK(line("jump = \"ACCEPT\"\nctstate = [\"NEW\", \"RELATED\"]\nin-interface = \"lan\"\n") ==
          "--in-interface lan -m conntrack --ctstate NEW,RELATED --jump ACCEPT");
}

TEST_CASE("a module is loaded once, whatever stands between its options") {
    CHECK(line("ctstate = \"NEW\"\ncomment = \"web\"\nctproto = \"tcp\"\n") ==
          "-m conntrack --ctstate NEW -m comment --comment web --ctproto tcp");
}

TEST_CASE("the protocol says which module a port belongs to") {
    CHECK(line("protocol = \"udp\"\ndport = 53\njump = \"ACCEPT\"\n") ==
          "--protocol udp -m udp --dport 53 --jump ACCEPT");
    CHECK(translate("dport = 53\n").error.find("give the rule a protocol") != std::string::npos);
}

TEST_CASE("negation, flags and options with two words") {
    CHECK(line("not.source = \"10.0.0.0/8\"\nprotocol = \"tcp\"\nsyn = true\n") ==
          "! --source 10.0.0.0/8 --protocol tcp -m tcp --syn");
    CHECK(line("protocol = \"tcp\"\ntcp-flags = \"SYN,ACK SYN\"\n") ==
          "--protocol tcp -m tcp --tcp-flags SYN,ACK SYN");
    CHECK(line("protocol = \"tcp\"\ntcp-flags = [\"SYN,ACK\", \"SYN\"]\n") ==
          "--protocol tcp -m tcp --tcp-flags SYN,ACK SYN");
}

TEST_CASE("module.option is always allowed, and needed where several modules share a name") {
    CHECK(line("connmark.mark = \"0x1/0xff\"\nconntrack.ctstate = \"NEW\"\n") ==
          "-m connmark --mark 0x1/0xff -m conntrack --ctstate NEW");
    CHECK(line("not.mark.mark = 5\n") == "-m mark ! --mark 5");
    CHECK(translate("mark = 5\n").error.starts_with("rule.toml:1:1: \"mark\" is ambiguous"));
}

TEST_CASE("target options follow the jump") {
    CHECK(line("to-destination = \"10.0.1.2:80\"\nprotocol = \"tcp\"\njump = \"DNAT\"\n") ==
          "--protocol tcp --jump DNAT --to-destination 10.0.1.2:80");
    CHECK(translate("to-destination = \"10.0.1.2\"\njump = \"ACCEPT\"\n")
              .error.find("belongs to the target DNAT") != std::string::npos);
}

TEST_CASE("arrays become lists") {
    CHECK(line("source = [\"10.0.0.1\", \"10.0.0.2\"]\njump = \"DROP\"\n") ==
          "--source 10.0.0.1,10.0.0.2 --jump DROP");
    CHECK(translate("source = []\n").error.find("must not be empty") != std::string::npos);
    CHECK(translate("source = [true]\n").error.find("not a boolean") != std::string::npos);
}

TEST_CASE("a whole rule as iptables text keeps its quotes together") {
    const auto tree = parse_toml("rule = \"-m comment --comment 'to the web' -j ACCEPT\"", "r");
    ConfigErrors errors;
    const auto rule = native_rule(*tree, errors);
    REQUIRE(rule.has_value());
    CHECK(rule->words ==
          std::vector<std::string>{"-m", "comment", "--comment", "to the web", "-j", "ACCEPT"});
}

}  // namespace nsr::router
