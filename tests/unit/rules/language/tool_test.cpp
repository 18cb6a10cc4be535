// Where the rule language follows iptables' own tool to the letter, and where it does not.
#include "core/rules/save.hpp"
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

std::string saved(std::string_view rule, std::string_view table = "filter",
                  std::string_view chain = "FORWARD", Family family = Family::Ipv4) {
    const std::string text = "*" + std::string(table) + "\n-A " + std::string(chain) + " " +
                             std::string(rule) + "\nCOMMIT\n";
    rules::Ruleset ruleset;
    if (const ConfigErrors errors = rules::parse_save(text, "rules", family, ruleset);
        !errors.empty()) {
        return "refused: " + errors[0].message;
    }
    const std::string whole = rules::save(ruleset, family, false);
    const std::size_t at = whole.find("-A " + std::string(chain) + " ") + 4 + chain.size();
    return whole.substr(at, whole.find('\n', at) - at);
}

bool refused(std::string_view rule, std::string_view table = "filter",
             std::string_view chain = "FORWARD") {
    return saved(rule, table, chain).starts_with("refused");
}

}  // namespace

TEST_CASE("ports may be services: of the protocol for tcp, of any for udp and NAT") {
    CHECK(saved("-p tcp --dport http") == "-p tcp -m tcp --dport 80");
    CHECK(refused("-p tcp --dport tftp"));
    CHECK(saved("-p udp --dport http") == "-p udp -m udp --dport 80");
    CHECK(saved("-p tcp -m multiport --dports ssh,domain:http") ==
          "-p tcp -m multiport --dports 22,53:80");
    CHECK(saved("-p tcp -j DNAT --to-destination 10.0.0.1:ftp-data", "nat", "PREROUTING") ==
          "-p tcp -j DNAT --to-destination 10.0.0.1:20");
    CHECK(refused("-p tcp -j DNAT --to-destination 10.0.0.1:echo-ssh", "nat", "PREROUTING"));
    CHECK(refused("-p tcp -j DNAT --to-destination 10.0.0.1:80-90/0", "nat", "PREROUTING"));
}

TEST_CASE("numbers are read in any base, with blanks or a plus before them") {
    CHECK(saved("-m mark --mark \" +0x10/020\"") == "-m mark --mark 0x10/0x10");
    CHECK(refused("-m mark --mark 08"));
    CHECK(refused("-m mark --mark -1"));
}

TEST_CASE("options may be abbreviated as long as nothing else begins so") {
    CHECK(saved("--prot tcp --dest 10.0.0.1 --destination-p 80") ==
          "-d 10.0.0.1/32 -p tcp -m tcp --dport 80");
    CHECK(refused("--in lan"));  // --in-interface and --insert
    CHECK(refused("-m conntrack --ct NEW"));
    CHECK(refused("-m icmp6 --help"));
}

TEST_CASE("a rule for the other family is passed over") {
    CHECK(errors_of("*filter\n-A FORWARD -6 -s fd00::1 -j ACCEPT\nCOMMIT\n").empty());
    CHECK(errors_of("*filter\n-A nowhere -6 -j ACCEPT\nCOMMIT\n").empty());
    CHECK(errors_of("*filter\n-A FORWARD -4 -s 10.0.0.1\nCOMMIT\n", Family::Ipv6).empty());
}

TEST_CASE("user chains are saved by their names, behind the built-in ones") {
    rules::Ruleset ruleset;
    REQUIRE(rules::parse_save("*raw\n:b - [0:0]\n:a - [0:0]\n:B - [0:0]\nCOMMIT\n", "x",
                              Family::Ipv4, ruleset)
                .empty());
    CHECK(rules::save(ruleset, Family::Ipv4, false) ==
          "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:B - [0:0]\n:a - [0:0]\n"
          ":b - [0:0]\nCOMMIT\n");
}

TEST_CASE("texts longer than the kernel's field are cut") {
    const std::string letters(40, 'a');
    CHECK(saved("-j LOG --log-prefix " + letters) == "-j LOG --log-prefix " + letters.substr(11));
    CHECK(saved("-m helper --helper " + letters) == "-m helper --helper " + letters.substr(11));
}

TEST_CASE("an accounting object is saved with the blank that iptables-save puts before its name") {
    CHECK(saved("-m nfacct --nfacct-name web") == "-m nfacct --nfacct-name  web");
    CHECK(saved("-m nfacct --nfacct-name a.b") == "-m nfacct --nfacct-name  \"a.b\"");
}

TEST_CASE("a file may hold any command, in any order of its words") {
    const std::string_view text =
        "* raw and more\n: OUTPUT DROP [010:09] more\n:PREROUTING - [0:0]\n:a -\n:b\t- junk\n"
        "-j ACCEPT -A a\n--app a -j RETURN\n--append=a -s 10.0.0.1\n-d 10.0.0.1 -I a 1\n"
        "[3:4]-A b -v\n-L\n-S b\n-L a -n -v\n-Z b 1\n-E b LOG\n[1:2] -P PREROUTING DROP\n"
        "-A a -j LOG\n-A a -g LOG\n-F LOG -v\n-N c\n-X c\n-C a -j ACCEPT\n-D a -j ACCEPT\n-D a 1\n"
        "COMMIT\n";
    CHECK(rules::save(parsed(text), Family::Ipv4, true) ==
          "*raw\n:PREROUTING DROP [1:2]\n:OUTPUT DROP [10:9]\n:LOG - [0:0]\n:a - [0:0]\n"
          "[0:0] -A a -j RETURN\n[0:0] -A a -s 10.0.0.1/32\n[0:0] -A a -j LOG\n"
          "[0:0] -A a -g LOG\nCOMMIT\n");
}

TEST_CASE("what stands behind a command and is not of it is refused") {
    const auto line = [](std::string_view command) {
        return errors_of("*filter\n:a - [0:0]\n:b - [0:0]\n-A a\n" + std::string(command) +
                         "\nCOMMIT\n");
    };
    for (const char* wrong : {"-F a b",
                              "-F !x",
                              "-Z !x",
                              "-L !x",
                              "-X b a",
                              "-N c d",
                              "-P INPUT DROP x",
                              "-E a c d",
                              "-D a 1 -j ACCEPT",
                              "-D a -c 3 4",
                              "-C a -c 3 4",
                              "-S no",
                              "-L no",
                              "-Z a b",
                              "-Z a 2",
                              "-R a 1 -s 10.0.0.1,10.0.0.2",
                              "[1:2] -F a",
                              "[1:2] -A a -c 3 4",
                              "[1:2] -N c",
                              "-N LOG",
                              "-N -c",
                              "--del a 1",
                              "--li"}) {
        CAPTURE(std::string(wrong));
        CHECK_FALSE(line(wrong).empty());
    }
}

TEST_CASE("a chain that a file declares may have a name that -N refuses") {
    const std::string_view text =
        "*filter\n:!y - [0:0]\n:-x - [0:0]\n:LOG - [0:0]\n:a\\b - [0:0]\n:it's - [0:0]\n"
        "-A !y -j a\\b\n-A -x -j !y\n-A it's -j -x\nCOMMIT\n";
    const std::string saved = rules::save(parsed(text), Family::Ipv4, false);
    CHECK(rules::save(parsed(saved), Family::Ipv4, false) == saved);
    CHECK(saved.find("-A it's -j -x\n") != std::string::npos);
    CHECK_FALSE(errors_of("*filter\n:ACCEPT - [0:0]\nCOMMIT\n").empty());
    CHECK_FALSE(errors_of("*filter\n:QUEUE - [0:0]\nCOMMIT\n").empty());
}

TEST_CASE("a text may have a table more than once: each is judged, and the last one stays") {
    CHECK(rules::save(parsed("*raw\n:a -\n-A PREROUTING -j a\nCOMMIT\n*raw\n-A OUTPUT\nCOMMIT\n"),
                      Family::Ipv4, false) ==
          "*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT\nCOMMIT\n");
    CHECK(errors_of("*raw\n:a -\n-A a -j a\n-A OUTPUT -j a\nCOMMIT\n*raw\nCOMMIT\n") ==
          "rules:3:4: chain a would loop back to itself through chain a\n");
}

TEST_CASE("-Z leaves alone what the text itself counts from") {
    const std::string_view text =
        "*raw\n:OUTPUT ACCEPT [1:2]\n[3:4] -A OUTPUT\n-Z\n-Z OUTPUT 1\nCOMMIT\n";
    const std::string saved = rules::save(parsed(text), Family::Ipv4, true);
    CHECK(saved.find(":OUTPUT ACCEPT [1:2]\n[3:4] -A OUTPUT\n") != std::string::npos);
}

TEST_CASE("names of protocols are read in any case by -p, letter by letter by others") {
    CHECK(saved("-p IPv6-Route") == "-p ipv6-route");
    CHECK(refused("-p ipsec-esp"));
    CHECK(saved("-m conntrack --ctproto IPSEC-ESP") == "-m conntrack --ctproto 50");
    CHECK(saved("-m conntrack --ctproto icmpv6") == "-m conntrack --ctproto 58");
    CHECK(refused("-m conntrack --ctproto Tcp"));
}

TEST_CASE("nat may have a policy DROP from a file, and not by -P") {
    CHECK(errors_of("*nat\n:PREROUTING DROP [0:0]\nCOMMIT\n").empty());
    CHECK_FALSE(errors_of("*nat\n-P PREROUTING DROP\nCOMMIT\n").empty());
}

// differs: saved-text-is-read-back
TEST_CASE("what iptables-save would lose is saved whole") {
    CHECK(saved("-p udp ! --dport 0:65535") == "-p udp -m udp ! --dport 0:65535");
    CHECK(saved("-p sctp --chunk-types any I_DATA:U") ==
          "-p sctp -m sctp --chunk-types any I_DATA:U");
    CHECK(saved("-p ipcomp -m ipcomp --ipcompspi :") ==
          "-p ipcomp -m ipcomp --ipcompspi 0:4294967295");
    CHECK(saved("-m physdev --physdev-in \"\"") == "-m physdev --physdev-in \"\"");
    CHECK(saved("-p icmp --icmp-type 8/1:4") == "-p icmp -m icmp --icmp-type 8/1:4");
    CHECK(saved("-m connbytes --connbytes 0:0 --connbytes-dir both --connbytes-mode bytes") ==
          "-m connbytes --connbytes 0:0 --connbytes-mode bytes --connbytes-dir both");
    CHECK(saved("-m recent --rcheck --seconds 3000000000") ==
          "-m recent --rcheck --seconds 3000000000 --name DEFAULT --mask 255.255.255.255"
          " --rsource");
    CHECK(saved("! -i +") == "! -i +");
    CHECK(saved("-j CT --notrack --timeout fifteen --helper \"a b\"", "raw", "PREROUTING") ==
          "-j CT --notrack --helper \"a b\" --timeout fifteen");
    CHECK(saved("-m time --datestop 1970") == "-m time --datestop 1970-01-01T00:00:00");
    CHECK(saved("-m time ! --monthdays 0") == "-m time --datestop 2038-01-19T03:14:07");
    CHECK(saved("-m hashlimit --hashlimit 5kb/s --hashlimit-name a --hashlimit-burst 9999kb") ==
          "-m hashlimit --hashlimit-upto 5kb/s --hashlimit-burst 10000kb --hashlimit-name a");
    CHECK(saved("-p tcp -j DNAT --to-destination 10.0.0.1:88-88/5", "nat", "PREROUTING") ==
          "-p tcp -j DNAT --to-destination 10.0.0.1:88-88/5");
}

// differs: saved-text-is-read-back
TEST_CASE("what iptables-save writes and does not take again is taken") {
    CHECK(saved("-m cluster --cluster-total-nodes 8 --cluster-local-nodemask 33"
                " --cluster-hash-seed 1") ==
          "-m cluster --cluster-local-nodemask 0x00000021 --cluster-total-nodes 8"
          " --cluster-hash-seed 0x00000001");
    const std::string twice =
        "-m rateest --rateest a --rateest-lt --rateest-bps 8bit --rateest-lt --rateest-pps 1";
    CHECK(saved(twice) == twice);
    std::string digits;
    for (int i = 0; i < 128; ++i) {
        digits += "e4";
    }
    CHECK(saved("-m string --algo bm --hex-string |" + digits + "|") ==
          "-m string --hex-string \"|" + digits + "|\" --algo bm");
}

// differs: strict-values
TEST_CASE("values that the tool would cut are refused") {
    CHECK(refused("-p udp --dport 65536"));
    CHECK(refused("-m conntrack --ctorigsrc 10.0.0.1/255.0.255.0"));
    CHECK(refused("-m time --datestart 2030-02-30"));
    CHECK(refused("-m limit --limit 5x/second"));
    CHECK(refused("-p tcp -j MASQUERADE --to-ports 80-90/8000", "nat", "POSTROUTING"));
    CHECK(refused("-m comment --comment \"open"));
    CHECK(refused("-m time --datestart 2030-"));
    CHECK(refused("-m time --weekdays 8"));
    CHECK(refused("-m time --monthdays 123"));
    for (const std::string_view rate : {"512gb/s", "512kB/s", "512kb/minute", "15b/s"}) {
        CHECK(refused("-m hashlimit --hashlimit-name a --hashlimit " + std::string(rate)));
    }
    CHECK(refused("-m hashlimit --hashlimit-name a --hashlimit 5/s --hashlimit-burst 5x"));
    CHECK(refused("-m hashlimit --hashlimit-name a --hashlimit 5kb/s --hashlimit-burst 4096mb"));
    CHECK(refused("-j RATEEST --rateest-name a --rateest-interval 4.1s --rateest-ewmalog 4200s"));
    CHECK(refused("-j TEE --gateway 10.0.0.1%lo"));
    CHECK(refused("-j HMARK --hmark-src-prefix 255.0.255.0 --hmark-mod 5 --hmark-rnd 1"));
    CHECK(refused("-m policy --dir in --mode tunnel --tunnel-src 10.0.0.1/255.0.255.0"));
}

// differs: old-negation
TEST_CASE("negation may stand inside, as old files have it") {
    CHECK(saved("-d ! 10.0.0.0/8") == "! -d 10.0.0.0/8");
    CHECK(saved("-p tcp --dport ! 80 --tcp-flags ! SYN,ACK SYN") ==
          "-p tcp -m tcp ! --dport 80 ! --tcp-flags SYN,ACK SYN");
    CHECK(saved("-m comment --comment !") == "-m comment --comment \"!\"");
    CHECK(refused("! -d ! 10.0.0.0/8"));
    CHECK(refused("-j SET --add-set a src --timeout ! 38"));
    CHECK(refused("-m cpu --cpu ! 0"));
    CHECK(saved("-i ! -j ACCEPT") == "-i ! -j ACCEPT");
}

// differs: lenient-lines
TEST_CASE("lines may be indented and end as they like") {
    CHECK(
        errors_of("  *filter\r\n  # a comment\r\n\t-A FORWARD -j ACCEPT\r\n  COMMIT\r\n").empty());
}

// differs: names-of-files
TEST_CASE("a name stands for the addresses that it has") {
    rules::HostNames names;
    names.add_hosts(
        "10.0.0.1 gate gate.lan # the door\n10.0.0.2 gate\nfd00::1 gate\n10.0.0.3 Web\n");
    names.add_networks("lan 10.1.0.0\n");
    const auto lines = [&](std::string_view rule, Family family = Family::Ipv4) {
        rules::Ruleset ruleset;
        const std::string text = "*filter\n-A FORWARD " + std::string(rule) + "\nCOMMIT\n";
        if (!rules::parse_save(text, "rules", family, ruleset, names).empty()) {
            return std::string("refused");
        }
        const std::string whole = rules::save(ruleset, family, false);
        const std::size_t at = whole.find("-A FORWARD");
        return whole.substr(at, whole.rfind("COMMIT") - at);
    };
    CHECK(lines("-s gate") == "-A FORWARD -s 10.0.0.1/32\n-A FORWARD -s 10.0.0.2/32\n");
    CHECK(lines("-s gate", Family::Ipv6) == "-A FORWARD -s fd00::1/128\n");
    CHECK(lines("-d lan/16,web") == "-A FORWARD -d 10.1.0.0/16\n-A FORWARD -d 10.0.0.3/32\n");
    CHECK(lines("-m conntrack --ctorigsrc web/24") ==
          "-A FORWARD -m conntrack --ctorigsrc 10.0.0.3/24\n");
    CHECK(lines("-m conntrack --ctorigsrc gate") == "refused");
    CHECK(lines("! -s gate") == "refused");
    CHECK(lines("-s nowhere") == "refused");
    CHECK(lines("-s nowhere/0 -j ACCEPT") == "-A FORWARD -j ACCEPT\n");
}
