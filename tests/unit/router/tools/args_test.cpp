// The small languages of administrators: conntrack(8), ip(8) and sysctl.conf(5).
#include <doctest/doctest.h>

#include <utility>

#include "router/config/sysctl_file.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "router/tools/ip/args.hpp"

namespace nsr::router {
namespace {

ConntrackArgs conntrack(std::string_view line) {
    const auto args = parse_conntrack_args(line);
    REQUIRE_MESSAGE(args.ok(), std::string(line));
    return *args;
}

std::string conntrack_error(std::string_view line) {
    const auto args = parse_conntrack_args(line);
    return args.ok() ? "" : args.error();
}

IpArgs ip(std::string_view line) {
    const auto args = parse_ip_args(line);
    REQUIRE_MESSAGE(args.ok(), std::string(line));
    return *args;
}

std::string ip_error(std::string_view line) {
    const auto args = parse_ip_args(line);
    return args.ok() ? "" : args.error();
}

}  // namespace

TEST_CASE("conntrack: commands and tables") {
    CHECK(conntrack("-L").command == ConntrackCommand::List);
    CHECK(conntrack("--dump expect").table == ConntrackTable::Expectations);
    CHECK(conntrack("-L exp").table == ConntrackTable::Expectations);
    CHECK(conntrack("-F").command == ConntrackCommand::Flush);
    CHECK(conntrack("-E -e NEW,DESTROY").output.event_update == false);
    CHECK(conntrack("").command == ConntrackCommand::None);
    CHECK(conntrack_error("-L -F") == "Invalid commands combination");
    CHECK(conntrack_error("-L frobs") == "unknown type `frobs'");
    CHECK(conntrack_error("-U expect") == "Can't do --update on expectations");
    CHECK(conntrack("-L conntrack stray").command == ConntrackCommand::List);
    for (const char* line : {"-F dying", "-F unconfirmed", "-C dying", "-D unconfirmed"}) {
        CHECK(conntrack_error(line) ==
              "Can't do that command with tables `dying' and `unconfirmed'");
    }
}

TEST_CASE("conntrack: a line that -o save wrote is a command") {
    const ConntrackArgs args = conntrack(
        "-A -t 30 -u UNSET -s 10.0.0.2 -d 198.51.100.7 -r 198.51.100.7 -q 10.0.0.2 -p udp "
        "--sport 1000 --dport 53 --reply-port-src 53 --reply-port-dst 1000 -m 42");
    CHECK(args.command == ConntrackCommand::Add);
    CHECK(args.change.status == 0);
    CHECK(args.change.mark->value == 42);
    CHECK(args.change.timeout_seconds == 30);
    CHECK(conntrack("-A -t 30 -u UNSET -s fd00:1::2 -d 2001:db8:7::7 -p icmpv6 --icmpv6-type 128 "
                    "--icmpv6-code 0 --icmpv6-id 1")
              .filter.icmp_type == 128);
}

TEST_CASE("conntrack: filters, short and long, separate or joined") {
    const ConntrackFilter filter =
        conntrack(
            "-D -p udp -s 10.0.0.0/8 --orig-dst=192.0.2.1 --sport 4000 --dport=53 "
            "-r 192.0.2.2 --reply-port-dst 0xfa0 -f ipv4 -m 0x10/0xf0 -w 3 -t 7")
            .filter;
    CHECK(filter.protocol == 17);
    CHECK(to_string(*filter.tuples[0].source) == "10.0.0.0");
    CHECK(to_string(*filter.tuples[0].source_mask) == "255.0.0.0");
    CHECK(to_string(*filter.tuples[0].destination) == "192.0.2.1");
    CHECK(filter.tuples[0].source_port == 4000);
    CHECK(filter.tuples[0].destination_port == 53);
    CHECK(to_string(*filter.tuples[1].source) == "192.0.2.2");
    CHECK(filter.tuples[1].destination_port == 4000);
    CHECK(filter.family == Family::Ipv4);
    CHECK(filter.mark->value == 0x10);
    CHECK(filter.mark->mask == 0xf0);
    CHECK(filter.zone == 3);
    CHECK(filter.timeout_seconds == 7);
    CHECK(conntrack("-L -ptcp --state ESTABLISHED").filter.state == "ESTABLISHED");
    CHECK(to_string(
              *conntrack("-L -s 10.0.0.1 --mask-src 255.0.255.0").filter.tuples[0].source_mask) ==
          "255.0.255.0");
}

TEST_CASE("conntrack: NAT filters take an address, with a port, or none") {
    CHECK(conntrack("-L -n").filter.source_nat.wanted);
    const ConntrackFilter filter = conntrack("-L -g 10.0.1.2:80 -p tcp").filter;
    CHECK(filter.destination_nat.wanted);
    CHECK_FALSE(filter.source_nat.wanted);
    CHECK(to_string(*filter.destination_nat.address) == "10.0.1.2");
    CHECK(filter.destination_nat.port == 80);
    CHECK(filter.protocol == 6);
    const ConntrackFilter any = conntrack("-L -j [2001:db8::1]:53").filter;
    CHECK(any.any_nat);
    CHECK(to_string(*any.source_nat.address) == "2001:db8::1");
    CHECK(any.destination_nat.port == 53);
    CHECK(to_string(*conntrack("-L --dst-nat=10.0.1.2").filter.destination_nat.address) ==
          "10.0.1.2");
    CHECK(conntrack_error("-L -g 10.0.1.2:") == "No port specified after `:'");
    CHECK(conntrack_error("-L -g 10.0.1.2:70000") == "Invalid port `70000'");
    CHECK(conntrack_error("-L -g [2001:db8::1") == "No closing ']' around IPv6 address");
    CHECK(conntrack_error("-L -g 10.0.1.2/24") == "CIDR notation unavailable for `--dst-nat'");
}

TEST_CASE("conntrack: a mark and a status are looked for, or written") {
    CHECK(conntrack("-L -m 5").filter.mark->value == 5);
    const ConntrackArgs update = conntrack("-U -p udp -m 5/1 -t 100 -u ASSURED");
    CHECK_FALSE(update.filter.mark.has_value());
    CHECK(update.change.mark->value == 5);
    CHECK(update.change.mark->mask == 1);
    CHECK(update.change.timeout_seconds == 100);
    CHECK(update.change.status == conntrack::status::kAssured);
    const ConntrackArgs made = conntrack("-I -p 99 -s 10.0.0.2 -d 10.0.0.3 -t 5 -m 5/1 -u ASSURED");
    CHECK(made.change.mark->value == 5);
    CHECK(made.change.mark->mask == 0xffffffff);
}

// kernel: ctnetlink_alloc_filter
TEST_CASE("conntrack: a status has bits that are set, and bits that are not") {
    using namespace nsr::conntrack::status;
    const ConntrackFilter both = conntrack("-L -u ASSURED,SEEN_REPLY").filter;
    CHECK(both.status == (kAssured | kSeenReply));
    CHECK(both.status_mask == (kAssured | kSeenReply));
    CHECK(conntrack("-L -u '!ASSURED'").filter.status_mask == kAssured);
    CHECK(conntrack("-L -u UNREPLIED").filter.status_mask == kSeenReply);
    CHECK(conntrack("-L -u ASS").filter.status == kAssured);
    CHECK(conntrack("-D -u UNSET").filter.status_mask == 0);
    const ConntrackLine nothing = read_conntrack_line({"-L", "-u", "UNSET"});
    CHECK(nothing.problem == "Operation failed: invalid parameters");
    CHECK_FALSE(nothing.usage);
    const ConntrackLine nat = read_conntrack_line({"-D", "-u", "SRC_NAT"});
    REQUIRE(nat.warnings.size() == 1);
    CHECK(nat.warnings[0] == "WARNING: ignoring SRC_NAT, use --src-nat instead");
}

TEST_CASE("conntrack: mistakes are named") {
    CHECK(conntrack_error("-L --frob 1") == "unknown option `--frob'");
    CHECK(conntrack_error("-L -p") == "option `-p' requires an argument");
    CHECK(conntrack_error("-L -p frob") == "`frob' unsupported protocol");
    CHECK(conntrack_error("-L -p 256") == "`256' unsupported protocol");
    CHECK(conntrack_error("-L -p tcp --sport http").find("a port must be a number") == 0);
    CHECK(conntrack_error("-L -p tcp --sport 65536").find("a port must be a number") == 0);
    CHECK(conntrack_error("-L -s nowhere") == "Invalid IP address `nowhere'");
    CHECK(conntrack_error("-L -u ASSURED,frob,x") == "Bad parameter `frob,x'");
    CHECK(conntrack_error("-L -p tcp --state OPEN") == "unknown TCP state `OPEN'");
    CHECK(conntrack_error("-L -s 10.0.0.1 -f ipv6") == "mismatched address family");
    CHECK(conntrack_error("-L -o save -o xml").find("cannot combine save output") == 0);
    CHECK(conntrack_error("-L -l web") ==
          "unknown label 'web'; labels are numbers here, from 0 to 127");
    CHECK(conntrack_error("-L --mask-src 255.0.0.0") == "Can't use --mask-src without --src");
    CHECK(conntrack_error("-L --mask-src") == "option `--mask-src' requires an argument");
    CHECK(conntrack_error("-L --mask-dst=") == "Invalid IP address `'");
    CHECK(conntrack_error("-L -d 10.0.0.1 --mask-dst ffff::") == "mismatched address family");
    CHECK(conntrack_error("-L -s 10.0.1.2/33") == "Invalid netmask");
    CHECK(conntrack_error("-L -s 10.0.1.2/x") == "Invalid netmask");
    CHECK(conntrack_error("-L -z -p tcp") == "Can't use -z with filtering parameters");
    CHECK(conntrack_error("-L -n -j") ==
          "cannot specify `--src-nat' or `--dst-nat' with `--any-nat'");
    CHECK(conntrack_error("-L --" + std::string(5000, 'x')).size() < 100);
}

TEST_CASE("conntrack: words share and are cut short as getopt_long(3) has it") {
    CHECK(conntrack("-Lp tcp").filter.protocol == 6);
    CHECK(conntrack("-Lptcp").filter.protocol == 6);
    CHECK(conntrack("-L --prot tcp").filter.protocol == 6);
    CHECK(conntrack("-L -p icmp --icmp-t 8").filter.icmp_type == 8);
    CHECK(conntrack("-m 5 -U").change.mark->value == 5);
    CHECK(conntrack("-U -t -1").change.timeout_seconds == 0xffffffff);
    CHECK(conntrack("-D -i 7").filter.id == 7);
    CHECK(conntrack_error("-L --re 10.0.0.1") == "unknown option `--re'");
    CHECK(conntrack_error("-LD") == "Invalid commands combination");
    CHECK(conntrack_error("-Fp udp") == "Illegal option `--protonum' with this command");
    CHECK(conntrack_error("-L -s -zp") == "Invalid IP address `-zp'");
}

TEST_CASE("conntrack: ports, states and types stand behind their protocol") {
    CHECK(conntrack_error("-L --sport 5") == "unknown option `--sport'");
    CHECK(conntrack_error("-L --state ESTABLISHED -p tcp") == "unknown option `--state'");
    CHECK(conntrack_error("-L -p tcp --icmp-type 8") == "unknown option `--icmp-type'");
    CHECK(conntrack_error("-L -p udp --state TIME_WAIT") == "unknown option `--state'");
    CHECK(conntrack_error("-L -p icmpv6 --icmp-type 128") == "unknown option `--icmp-type'");
    CHECK(conntrack("-L -p icmpv6 --icmpv6-type 128").filter.icmp_type == 128);
    CHECK(conntrack("-L -p gre --srckey 0x20").filter.tuples[0].source_port == 32);
}

TEST_CASE("conntrack: parameters of a request stand in any order, and need no protocol") {
    const auto query = [](std::vector<std::string> words) {
        words.insert(words.begin(), "-L");
        const auto args = parse_conntrack_query(std::move(words));
        REQUIRE(args.ok());
        return args->filter;
    };
    CHECK(query({"--dport=53"}).tuples[0].destination_port == 53);
    CHECK(query({"--dport=53", "--proto=udp"}).protocol == 17);
    CHECK(query({"--state=established"}).state == "ESTABLISHED");
    CHECK(query({"--icmp-type=128", "--proto=icmpv6"}).icmp_type == 128);
    CHECK(query({"--src-nat=10.0.0.1"}).source_nat.address == parse_address("10.0.0.1"));
    CHECK_FALSE(parse_conntrack_query({"-L", "--state=ESTABLISHED", "--proto=udp"}).ok());
}

// What conntrack(8) 1.4.7 says, case by case.
TEST_CASE("conntrack: an option that a command has no use for is refused") {
    constexpr std::pair<std::string_view, std::string_view> kIllegal[] = {
        {"-F -p udp", "protonum"},
        {"-F -s 10.0.0.1", "src"},
        {"-F expect -f ipv4", "family"},
        {"-C -p tcp", "protonum"},
        {"-S -s 10.0.0.1", "src"},
        {"-L -e NEW", "event-mask"},
        {"-L -t 10", "timeout"},
        {"-L expect -p udp", "protonum"},
        {"-D -z", "zero"},
        {"-U -w 1", "zone"},
        {"-G -s 10.0.0.1 -d 10.0.0.2 -p tcp -m 1", "mark"},
        {"-E -u ASSURED", "status"},
        {"-I -p tcp -t 1 -o xml", "output"}};
    for (const auto& [line, option] : kIllegal) {
        CAPTURE(std::string(line));
        CHECK(conntrack_error(line) ==
              "Illegal option `--" + std::string(option) + "' with this command");
    }
    CHECK(conntrack_error("-G -s 10.0.0.1 -d 10.0.0.2") ==
          "You need to supply the `--protonum' option for this command");
    CHECK(conntrack_error("-G -p tcp") == "you have to specify `--src' and `--dst'");
    CHECK(conntrack_error("-G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1") ==
          "you have to specify `--sport' and `--dport'");
    CHECK(conntrack_error("-I -p tcp -s 10.0.0.1") ==
          "You need to supply the `--timeout' option for this command");
    CHECK(conntrack_error("-I -p sctp -t 5 -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 --state "
                          "CLOSED") ==
          "You need to supply the `--orig-vtag' option for this command");
    CHECK(conntrack("-F -f ipv6").filter.family == Family::Ipv6);
    CHECK(conntrack("-L dying -p udp").table == ConntrackTable::Dying);
}

TEST_CASE("ip: addresses, routes and links") {
    const auto address = parse_ip_args("addr del 198.51.100.7/24 dev wan");
    REQUIRE(address.ok());
    CHECK(address->action == IpAction::AddressDel);
    CHECK(address->interface == "wan");
    CHECK(to_string(address->prefix) == "198.51.100.7/24");
    const auto route = parse_ip_args("route add default via 10.0.0.9 dev lan");
    REQUIRE(route.ok());
    CHECK(to_string(route->prefix) == "0.0.0.0/0");
    CHECK(to_string(*route->via) == "10.0.0.9");
    const auto hole = parse_ip_args("route add blackhole 192.0.2.0/24");
    REQUIRE(hole.ok());
    CHECK(hole->type == routing::RouteType::Blackhole);
    const auto link = parse_ip_args("link set dev wan mtu 1400 down");
    REQUIRE(link.ok());
    CHECK(link->mtu == 1400);
    CHECK(link->up == false);
}

TEST_CASE("ip: families, abbreviations and what is shown") {
    CHECK(to_string(ip("-6 route add default dev lan").prefix) == "::/0");
    CHECK(to_string(ip("r d default").prefix) == "0.0.0.0/0");
    CHECK(ip("route replace 10.9.0.0/16 via 10.0.0.9").action == IpAction::RouteReplace);
    CHECK(ip("addr del 10.0.0.1 dev lan").any_length);
    CHECK_FALSE(ip("addr del 10.0.0.1/32 dev lan").any_length);
    CHECK_FALSE(ip("addr del fd00::1 dev lan").any_length);
    CHECK(ip("addr add 10.0.1.5/24 brd + dev lan label lan:1").interface == "lan");
    CHECK(ip("a").action == IpAction::AddressShow);
    CHECK(ip("addr show dev wan").interface == "wan");
    CHECK(ip("-6 route").action == IpAction::RouteShow);
    CHECK(ip("-6 route").family == Family::Ipv6);
    CHECK(ip("link list").only_shows());
}

TEST_CASE("ip: mistakes are named") {
    for (const char* line : {"", "-4", "frob", "addr frob", "\"\" add", "route add"}) {
        CHECK_MESSAGE(ip_error(line) != "", line);
    }
    CHECK(ip_error("route show lan").find("unexpected \"lan\"") == 0);
    CHECK(ip_error("addr add 10.0.0.300/24 dev lan").find("is no address") != std::string::npos);
    CHECK(ip_error("addr add 10.0.0.1/24") == "an address needs `dev NAME`");
    CHECK(ip_error("route add 10.0.0.1/8 dev lan").find("host bits") != std::string::npos);
    CHECK(ip_error("route add 10.0.0.0/8").find("a route needs") == 0);
    CHECK(ip_error("link set wan mtu 12").find("68 to 65535") != std::string::npos);
    CHECK(ip_error("link set wan").find("link set needs") == 0);
}

TEST_CASE("sysctl.conf: separators, comments, ignored errors, broken lines") {
    const SysctlFile file = parse_sysctl_file(
        "# comment\n"
        "; comment\n"
        "\n"
        "net.ipv4.ip_forward = 1\n"
        "  net/ipv4/conf/eth0.5/rp_filter=2\r\n"
        "-kernel.unknown = x = y\n"
        "net.ipv4.ip_default_ttl =\n"
        "nonsense\n",
        "sysctl.conf");
    REQUIRE(file.lines.size() == 4);
    CHECK(file.lines[0].name == "net.ipv4.ip_forward");
    CHECK(file.lines[0].value == "1");
    CHECK(file.lines[0].where.line == 4);
    CHECK(file.lines[1].name == "net.ipv4.conf.eth0/5.rp_filter");
    CHECK(file.lines[1].value == "2");
    CHECK(file.lines[2].ignore_errors);
    CHECK(file.lines[2].value == "x = y");
    CHECK(file.lines[3].value == "");
    REQUIRE(file.errors.size() == 1);
    CHECK(to_string(file.errors[0]) == "sysctl.conf:8:1: not a setting; write KEY = VALUE");
}

TEST_CASE("sysctl.conf: a pattern means what fits it and has no line of its own") {
    const SysctlFile file = parse_sysctl_file(
        "net.ipv4.conf.*.rp_filter = 2\n"
        "net.ipv4.conf.lan.rp_filter = 1\n"
        "-net.ipv4.conf.all.rp_filter\n",
        "sysctl.conf");
    REQUIRE(file.lines.size() == 2);
    CHECK(is_pattern(file.lines[0]));
    CHECK_FALSE(is_pattern(file.lines[1]));
    CHECK(file.errors.empty());
    const std::vector<std::string> names = {
        "net.ipv4.conf.all.rp_filter", "net.ipv4.conf.default.rp_filter",
        "net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.conf.lan.rp_filter",
        "net.ipv4.conf.wan.send_redirects"};
    CHECK(names_meant(file.lines[0], file, names) ==
          std::vector<std::string>{"net.ipv4.conf.default.rp_filter",
                                   "net.ipv4.conf.eth0/100.rp_filter"});
}

}  // namespace nsr::router
