// Addresses in texts: found where they are, and nothing else is changed.
#include "router/bundle/anonymous_text.hpp"

#include <doctest/doctest.h>

#include <string>

namespace nsr::router {
namespace {

struct Text {
    Anonymizer anonymizer{SipKey{1, 2}};

    std::string of(const std::string& text) const { return anonymous_text(text, anonymizer); }
    std::string a(const char* address) const {
        return to_string(anonymizer.address(*parse_address(address)));
    }
};

}  // namespace

TEST_CASE("anonymous text: addresses in all that a router prints") {
    const Text text;
    const std::string a = text.a("10.1.2.3");
    const std::string b = text.a("198.51.100.7");
    const std::string six = text.a("2001:db8::5");
    REQUIRE(a != "10.1.2.3");
    REQUIRE(b != "198.51.100.7");
    REQUIRE(six != "2001:db8::5");
    for (const auto& [given, expected] : {
             std::pair<std::string, std::string>{"src=10.1.2.3 dst=198.51.100.7 sport=1",
                                                 "src=" + a + " dst=" + b + " sport=1"},
             {"10.1.2.3:4000 > 198.51.100.7:80", a + ":4000 > " + b + ":80"},
             {"[2001:db8::5]:53", "[" + six + "]:53"},
             {"{\"src\":\"2001:db8::5\"}", "{\"src\":\"" + six + "\"}"},
             {"through wan to 198.51.100.7.", "through wan to " + b + "."},
             {"add s 10.1.2.3,tcp:80,198.51.100.7", "add s " + a + ",tcp:80," + b},
             {"-s 10.1.2.3/32 -d 198.51.100.7/32", "-s " + a + "/32 -d " + b + "/32"},
             {"sip:10.1.2.3 and <sip:x@198.51.100.7>", "sip:" + a + " and <sip:x@" + b + ">"},
             {"SRC=2001:0db8:0000:0000:0000:0000:0000:0005 X", "SRC=" + six + " X"},
             {"fe80::1%lan", text.a("fe80::1") + "%lan"},
         }) {
        CHECK(text.of(given) == expected);
    }
}

TEST_CASE("anonymous text: a network stays one, an address in it stays in it") {
    const Text text;
    const std::string network = text.of("10.9.0.0/16");
    CHECK(network.ends_with(".0.0/16"));
    CHECK(parse_prefix(network)->contains(*parse_address(text.a("10.9.8.7"))));
    CHECK(text.of("0.0.0.0/0") == "0.0.0.0/0");
    CHECK(text.of("10.9.0.0/255.255.0.0").ends_with(".0.0/255.255.0.0"));
    CHECK(text.of("10.9.8.7/16") == text.a("10.9.8.7") + "/16");
}

TEST_CASE("anonymous text: what only looks like an address stays") {
    const Text text;
    for (const char* kept :
         {"conntrack v1.4.7", "rules.v4:12:4", "at 1764447600.502311", "12:34:56", "nsr::router",
          "[0:0]", "--dports 1024:65535", "router-10.1.2.3.4", "127.0.0.1:9080", "1.2.3",
          "x10.1.2.3", "10.1.2.3x", "aa:bb:cc:dd:ee:ff", "net.ipv4.ip_forward = 1", "255.255.255.0",
          "::", "dead::beefy", "id:7", ""}) {
        CAPTURE(kept);
        CHECK(text.of(kept) == kept);
    }
}

TEST_CASE("anonymous text: what people have written beside is left out") {
    const Text text;
    CHECK(text.of("-A f -m comment --comment \"alice's box\" -j DROP") ==
          "-A f -m comment --comment \"left out\" -j DROP");
    CHECK(text.of("-m comment --comment alice -j DROP") == "-m comment --comment left-out -j DROP");
    CHECK(text.of("\"rule\":\"-m comment --comment \\\"my \\\" -j DROP\"") ==
          "\"rule\":\"-m comment --comment \\\"left out\\\" -j DROP\"");
    CHECK(text.of("-m comment --comment \"a \\\"b\\\" c\\\\\" -j DROP") ==
          "-m comment --comment \"left out\" -j DROP");
    CHECK(text.of("\"-m comment --comment \\\"say \\\\\\\"hi\\\\\\\" bob\\\" -j DROP\"") ==
          "\"-m comment --comment \\\"left out\\\" -j DROP\"");
    CHECK(text.of("add s 1.2.3.4 comment \"bob\"").ends_with(" comment \"left out\""));
    CHECK(text.of("create s hash:ip comment\nadd") == "create s hash:ip comment\nadd");
    CHECK(text.of("comment = \"a \\\" b\"\nx = 1") == "comment = \"left out\"\nx = 1");
    CHECK(text.of("--comment") == "--comment");
    CHECK(text.of("--comment \"open").starts_with("--comment \"left out\""));
    CHECK(without_toml_comments("a = \"#1\" # bob\n# alice\nb = '''\n# in\n'''#x\n") ==
          "a = \"#1\" \n\nb = '''\n# in\n'''\n");
    CHECK(without_comment_lines("# bob\n; bob\n-A f -j x # not one\n") ==
          "#\n#\n-A f -j x # not one\n");
}

TEST_CASE("anonymous text: a range stays a range, and what cannot stay is named with its line") {
    Text text;
    CHECK(keep_ranges("a\n--src-range 10.1.2.3-10.1.2.9\n", "rules.v4", text.anonymizer).empty());
    const std::string range = text.of("10.1.2.3-10.1.2.9");
    const std::size_t dash = range.find('-');
    CHECK(parse_address(range.substr(dash + 1))->as_v4() -
              parse_address(range.substr(0, dash))->as_v4() ==
          6);
    const auto wrong = [&](const char* given) {
        return keep_ranges(given, "rules.v4", text.anonymizer);
    };
    CHECK(wrong("*filter\n-A f -m iprange --src-range 10.0.0.1-192.0.2.1 -j x\n")
              .find("rules.v4:2: the range 10.0.0.1-192.0.2.1 is so wide") == 0);
    CHECK(wrong("-A f -s 10.0.0.1/255.0.0.255 -j x").find("rules.v4:1: a mask") == 0);
    CHECK(wrong("\n\n-A f -m u32 --u32 \"12=0xa\"").find("rules.v4:3: -m u32 may have") == 0);
    CHECK(wrong("-A f -m string --string x").find("rules.v4:1: -m string") == 0);
    CHECK(wrong("-A f -s 10.0.0.0/8 -p tcp --dport 1:2 -j x").empty());
}

}  // namespace nsr::router
