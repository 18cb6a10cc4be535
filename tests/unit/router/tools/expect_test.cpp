// conntrack(8) and expectations. The text is that of conntrack 1.4.7 on Linux 6.18, of the same
// announcements: FTP by PORT and EPRT, TFTP, a registration and a call by SIP.
#include <doctest/doctest.h>

#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "tests/support/bench.hpp"

using namespace nsr;
using namespace nsr::router;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kHelp =
    "*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\n"
    "-A PREROUTING -p udp --dport 69 -j CT --helper tftp\n"
    "-A PREROUTING -p udp --dport 5060 -j CT --helper sip\nCOMMIT\n";

struct Announced : Bench {
    explicit Announced(Family family = Family::Ipv4) : Bench(kHelp, family) {}

    void ftp(const std::string& client, const std::string& server, std::string_view command) {
        from_lan(tcp(client, server).syn().seq(1000));
        from_wan(tcp(server, client).syn().seq(5000).ack(1001));
        from_lan(tcp(client, server).seq(1001).ack(5001).data("USER x\r\n"));
        from_lan(tcp(client, server).seq(1009).ack(5001).data(command));
    }
    void tftp() {
        from_lan(udp("10.0.0.2:40004", "192.0.2.2:69").data(std::string("\0\1file\0octet\0", 13)));
    }
    void sip() {
        const std::string headers =
            "Via: SIP/2.0/UDP 10.0.0.2:5062\r\nFrom: <sip:a@10.0.0.2>\r\nTo: <sip:a@10.0.0.2>\r\n"
            "Contact: <sip:a@10.0.0.2:5062>\r\n";
        from_lan(udp("10.0.0.2:5062", "192.0.2.2:5060")
                     .data("REGISTER sip:192.0.2.2 SIP/2.0\r\n" + headers +
                           "CSeq: 1 REGISTER\r\nExpires: 60\r\n\r\n"));
    }

    ConntrackAnswer run(std::string_view line) {
        const auto args = parse_conntrack_args(line);
        REQUIRE_MESSAGE(args.ok(), std::string(line));
        return run_conntrack(*args, *router, now);
    }
};

const std::string kV4 = " mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 ";
const std::string kV6 =
    " mask-src=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
    " mask-dst=ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff sport=0 dport=65535 ";

}  // namespace

TEST_CASE("conntrack: expectations as the tool prints them") {
    Announced bench;
    bench.ftp("10.0.0.2:40000", "192.0.2.2:21", "PORT 10,0,0,2,160,1\r\n");
    bench.tftp();
    bench.sip();
    bench.now += 3s;
    const ConntrackAnswer listed = bench.run("-L expect");
    CHECK(listed.entries == 3);
    CHECK(listed.text ==
          "297 proto=6 src=192.0.2.2 dst=10.0.0.2 sport=0 dport=40961" + kV4 +
              "master-src=10.0.0.2 master-dst=192.0.2.2 sport=40000 dport=21 class=0 helper=ftp\n"
              "297 proto=17 src=192.0.2.2 dst=10.0.0.2 sport=0 dport=40004" +
              kV4 +
              "master-src=10.0.0.2 master-dst=192.0.2.2 sport=40004 dport=69 class=0 helper=tftp\n"
              "177 proto=17 src=192.0.2.2 dst=10.0.0.2 sport=0 dport=5062" +
              kV4 +
              "master-src=10.0.0.2 master-dst=192.0.2.2 sport=5062 dport=5060 PERMANENT,INACTIVE "
              "class=0 helper=sip\n");
    CHECK(bench.run("-L expect -o extended").text == listed.text);
    CHECK(bench.run("-C expect").text == "3\n");
    CHECK(bench.run("-S expect").text ==
          "cpu=0   \texpect_new=0 expect_create=3 expect_delete=0 \n");
    CHECK(bench.run("-L expect -f ipv6").entries == 0);
    CHECK(bench.run("-L -p tcp").text.find(" helper=ftp use=") != std::string::npos);
    bench.now += 298s;
    CHECK(bench.run("-L expect").entries == 0);
    CHECK(bench.run("-C expect").text == "0\n");
}

TEST_CASE("conntrack: expectations of IPv6, and the statistics when one has come") {
    Announced bench(Family::Ipv6);
    bench.ftp("[fd00:1::2]:40002", "[2001:db8::2]:21", "EPRT |2|fd00:1::2|41001|\r\n");
    CHECK(bench.run("-L expect").entries == 0);
    CHECK(bench.run("-L expect -f ipv6").text ==
          "300 proto=6 src=2001:db8::2 dst=fd00:1::2 sport=0 dport=41001" + kV6 +
              "master-src=fd00:1::2 master-dst=2001:db8::2 sport=40002 dport=21 class=0 "
              "helper=ftp\n");
    CHECK(bench.run("-C expect").text == "1\n");
    bench.from_wan(tcp("[2001:db8::2]:20", "[fd00:1::2]:41001").syn());
    CHECK(bench.run("-S expect").text ==
          "cpu=0   \texpect_new=1 expect_create=1 expect_delete=1 \n");
}

TEST_CASE("conntrack: expectations as XML, and flushed") {
    Announced bench;
    bench.sip();
    CHECK(bench.run("-L expect -o xml").text ==
          "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<expect>\n"
          "<flow><layer3 protonum=\"2\" protoname=\"ipv4\">"
          "<expected><src>192.0.2.2</src><dst>10.0.0.2</dst></expected>"
          "<mask><src>255.255.255.255</src><dst>255.255.255.255</dst></mask>"
          "<master><src>10.0.0.2</src><dst>192.0.2.2</dst></master></layer3>"
          "<layer4 protonum=\"17\" protoname=\"udp\">"
          "<expected><sport>0</sport><dport>5062</dport></expected>"
          "<mask><sport>0</sport><dport>65535</dport></mask>"
          "<master><sport>5062</sport><dport>5060</dport></master></layer4>"
          "<meta><helper-name>sip</helper-name><timeout>180</timeout><class>0</class><permanent/>"
          "<inactive/></meta></flow>\n</expect>\n");
    CHECK(bench.run("-F expect").text.empty());
    CHECK(bench.run("-C expect").text == "0\n");
    CHECK(bench.run("-C").text == "1\n");
    const auto refused = parse_conntrack_args("-D expect -s 10.0.0.1");
    CHECK((!refused || !run_conntrack(*refused, *bench.router, bench.now).error.empty()));
}
