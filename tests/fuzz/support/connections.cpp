#include "tests/fuzz/support/connections.hpp"

#include <string>
#include <utility>

#include "tests/fuzz/support/router.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::fuzz {
namespace {

void send(Router& router, IfIndex in, const test::PacketBuilder& builder) {
    static BufferPool pool;
    EgressQueue out;
    Packet packet = builder.packet(pool);
    packet.meta.in = in;
    router.receive({&packet, 1}, kLiveNow, out);
}

}  // namespace

std::unique_ptr<Router> live_router(std::unique_ptr<conntrack::Memory> memory) {
    Shape shape;
    shape.memory = std::move(memory);
    shape.conntrack_max = 64;
    shape.rules_v4 =
        "*raw\n-A PREROUTING -p udp --dport 4000 -j CT --zone 7\n"
        "-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n"
        "*mangle\n-A FORWARD -p udp -j CONNMARK --set-mark 0x2a\nCOMMIT\n"
        "*nat\n-A POSTROUTING -o wan -p tcp -j MASQUERADE\nCOMMIT\n";
    auto router = make_router(std::move(shape));
    pipeline::Settings settings = router->settings();
    settings.conntrack.acct = 1;
    settings.conntrack.timestamp = 1;
    router->configure(settings);
    using test::ip, test::ping, test::tcp, test::udp;
    send(*router, kLan, tcp("10.0.0.2:1000", "198.51.100.7:80").syn().seq(999));
    send(*router, kWan, tcp("198.51.100.7:80", "192.0.2.1:1000").syn().seq(4999).ack(1000));
    send(*router, kLan, tcp("10.0.0.3:1000", "198.51.100.7:21").syn().seq(999));
    send(*router, kWan, tcp("198.51.100.7:21", "192.0.2.1:1000").syn().seq(4999).ack(1000));
    send(*router, kLan, tcp("10.0.0.3:1000", "198.51.100.7:21").seq(1000).ack(5000).data("HI\r\n"));
    send(*router, kLan,
         tcp("10.0.0.3:1000", "198.51.100.7:21")
             .seq(1004)
             .ack(5000)
             .data("PORT 10,0,0,3,160,1\r\n"));
    send(*router, kLan, udp("10.0.0.2:1000", "198.51.100.7:53"));
    send(*router, kLan, udp("10.0.0.3:1000", "198.51.100.7:4000"));
    send(*router, kLan, ping("10.0.0.2", "198.51.100.7"));
    send(*router, kLan, ip(47, "10.0.0.2", "198.51.100.7").data(std::string(8, '\0')));
    send(*router, kLan, udp("[fd00:1::2]:1000", "[2001:db8:7::7]:53"));
    send(*router, kLan, ping("fd00:1::2", "2001:db8:7::7"));
    return router;
}

}  // namespace nsr::fuzz
