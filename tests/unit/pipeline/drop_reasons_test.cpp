// Every reason of a drop is the reason of some packet's end.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "tests/support/bench.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;

namespace {

constexpr const char* kClient = "10.0.0.2:4000";
constexpr const char* kServer = "192.0.2.7:53";
constexpr const char* kFar = "198.51.100.7:53";  // beyond every route

PacketBuilder query() {
    return udp(kClient, kServer).payload(24);
}

Bytes with(Bytes bytes, std::size_t at, std::uint8_t value) {
    bytes[at] = value;
    return bytes;
}

// With these bytes behind the IPv4 header, whose options they are.
Bytes with_options(Bytes bytes, const Bytes& options) {
    bytes.insert(bytes.begin() + 20, options.begin(), options.end());
    bytes[0] = static_cast<std::uint8_t>(0x45 + options.size() / 4);
    wire::store16(&bytes[2], static_cast<std::uint16_t>(bytes.size()));
    wire::store16(&bytes[10], 0);
    const std::size_t header = 20 + options.size();
    wire::store16(&bytes[10], wire::checksum({bytes.data(), header}));
    return bytes;
}

void add_route(Bench& bench, routing::RouteType type) {
    REQUIRE(bench.router->add_route({*parse_prefix("198.51.100.0/24"), {}, {}, type}) ==
            routing::RouteChange::Done);
    bench.from_lan(udp(kClient, kFar));
}

ConnId first_connection(const Bench& bench) {
    conntrack::Table::Cursor cursor;
    std::size_t looks = 10;
    return bench.router->conntrack().table().next(cursor, looks).value();
}

PacketBuilder piece(std::uint16_t offset, bool more, std::size_t length, std::uint8_t tos = 0) {
    return udp(kClient, kServer).payload(2000).tos(tos).fragment(offset, more, length);
}

class NoMemory : public conntrack::Memory {
  public:
    void* block(unsigned, std::size_t, std::size_t) override { return nullptr; }
};

Router::Options with_max(std::uint32_t max) {
    Router::Options options{.tracking = TrackingMode::On};
    options.settings.conntrack.max = max;
    return options;
}

// Chains that each jump twice to the next: 2^17 ways.
const std::string kDoubling = [] {
    std::string text = "*filter\n";
    for (int i = 0; i <= 17; ++i) {
        text += ":C" + std::to_string(i) + " - [0:0]\n";
    }
    text += "-A FORWARD -j C0\n";
    for (int i = 0; i < 17; ++i) {
        const std::string rule =
            "-A C" + std::to_string(i) + " -p udp -j C" + std::to_string(i + 1) + "\n";
        text += rule + rule;
    }
    return text + "COMMIT\n";
}();

constexpr const char* kHelpFtp =
    "*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n"
    "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n";

PacketBuilder ftp_command(std::uint32_t sequence, std::string_view text) {
    return tcp("10.0.0.2:40000", "192.0.2.7:21").seq(sequence).ack(5001).data(text);
}

// A connection whose next line the helper reads.
void talk_ftp(Bench& b) {
    b.from_lan(tcp("10.0.0.2:40000", "192.0.2.7:21").syn().seq(1000));
    b.from_wan(tcp("192.0.2.7:21", "192.0.2.1:40000").syn().seq(5000).ack(1001));
    b.from_lan(ftp_command(1001, "USER anonymous\r\n"));
}

// Another shard that has no room.
class FullShard : public conntrack::Neighbours {
  public:
    bool hand_over(unsigned, const Packet&) override { return false; }
    void claim(unsigned, const conntrack::Tuple&, bool) override {}
};

Router::Options beside_a_full_shard() {
    static FullShard full;
    return {.tracking = TrackingMode::On, .shard = {.index = 0, .count = 2, .neighbours = &full}};
}

struct Tale {
    DropReason reason;
    void (*happens)(Bench&);
    const char* rules = "";
    Router::Options (*options)() = [] { return Router::Options{.tracking = TrackingMode::On}; };
};

using enum DropReason;
const std::array kTales = {
    Tale{TooShort, [](Bench& b) { b.from_lan(Bytes{0x45}); }},
    Tale{BadVersion, [](Bench& b) { b.from_lan(with(query().bytes(), 0, 0x55)); }},
    Tale{BadHeaderLength, [](Bench& b) { b.from_lan(with(query().bytes(), 0, 0x44)); }},
    Tale{BadTotalLength, [](Bench& b) { b.from_lan(query().truncated(1)); }},
    Tale{BadHeaderChecksum, [](Bench& b) { b.from_lan(with(query().bytes(), 8, 1)); }},
    Tale{BadOption,
         [](Bench& b) {
             b.from_lan(with_options(query().bytes(), {7, 1, 0, 0}));
         }},
    Tale{BadExtensionHeader,
         [](Bench& b) {  // hop by hop: an unknown option that says "discard"
             b.from_lan(
                 ip(0, "fd00:1::2", "2001:db8::7").data(std::string("\x3b\0\x40\4\0\0\0\0", 8)));
         }},
    Tale{BadOffload,
         [](Bench& b) { b.from_lan(ip(47, "10.0.0.2", "192.0.2.7").payload(9).gso(8)); }},
    Tale{SourceRouted,
         [](Bench& b) {
             b.from_lan(with_options(query().bytes(), {131, 7, 4, 192, 0, 2, 9, 0}));
         }},
    Tale{MartianSource, [](Bench& b) { b.from_lan(udp("127.0.0.1:1", kServer)); }},
    Tale{MartianDestination, [](Bench& b) { b.from_lan(udp(kClient, "127.0.0.1:1")); }},
    Tale{ReversePathFilter, [](Bench& b) { b.from_lan(udp("192.0.2.9:1", kServer)); }, "",
         [] {
             Router::Options options;
             options.settings.forwarding.rp_filter.all = 1;
             return options;
         }},
    Tale{ForwardingDisabled, [](Bench& b) { b.from_lan(query()); }, "",
         [] {
             Router::Options options;
             options.settings.forwarding.ipv4_forwarding.otherwise = 0;
             return options;
         }},
    Tale{NoRoute, [](Bench& b) { b.from_lan(udp(kClient, kFar)); }},
    Tale{RouteBlackhole, [](Bench& b) { add_route(b, routing::RouteType::Blackhole); }},
    Tale{RouteProhibited, [](Bench& b) { add_route(b, routing::RouteType::Prohibit); }},
    Tale{RouteUnreachable, [](Bench& b) { add_route(b, routing::RouteType::Unreachable); }},
    Tale{NotForwardable, [](Bench& b) { b.from_lan(udp("[fd00:1::2]:1", "[ff02::fb]:1")); }},
    Tale{TtlExpired, [](Bench& b) { b.from_lan(query().ttl(1)); }},
    Tale{TooBig, [](Bench& b) { b.from_lan(query().payload(1600).dont_fragment()); }},
    Tale{InterfaceDown,
         [](Bench& b) {
             b.add_host();
             b.router->set_up(b.host, false, b.now);
             b.from_lan(udp(kClient, "10.0.0.1:53"));
         }},
    Tale{FragmentMalformed,
         [](Bench& b) {  // it goes on where it has ended
             b.from_lan(piece(8, false, 8));
             b.from_lan(piece(16, true, 8));
         }},
    Tale{FragmentOverlap,
         [](Bench& b) {
             b.from_lan(piece(0, true, 16));
             b.from_lan(piece(8, true, 16));
         }},
    Tale{FragmentDuplicate,
         [](Bench& b) {
             b.from_lan(piece(0, true, 16));
             b.from_lan(piece(0, true, 16));
         }},
    Tale{FragmentTimeout,
         [](Bench& b) {
             b.from_lan(piece(0, true, 16));
             CHECK(b.router->expire(b.now + 31s, b.left));
         }},
    Tale{FragmentTooLarge,
         [](Bench& b) {
             b.from_lan(ip(17, "10.0.0.2", "192.0.2.7").payload(65535).fragment(0, true, 65512));
             b.from_lan(ip(17, "10.0.0.2", "192.0.2.7").payload(65535).fragment(65512, false, 23));
         }},
    Tale{FragmentMemory, [](Bench& b) { b.from_lan(piece(0, true, 16)); }, "",
         [] {
             Router::Options options{.tracking = TrackingMode::On};
             options.settings.defrag.ipfrag_high_thresh = 0;
             return options;
         }},
    Tale{FragmentEcn,
         [](Bench& b) {  // congestion experienced, of a sender that does not do ECN
             b.from_lan(piece(0, true, 1000, 0));
             b.from_lan(piece(1000, false, 1008, 3));
         }},
    Tale{ShardQueueFull,
         [](Bench& b) {
             for (std::uint16_t id = 0; id < 20; ++id) {  // half of them belong elsewhere
                 b.from_lan(ping("10.0.0.2", "192.0.2.7", id));
             }
         },
         "", beside_a_full_shard},
    Tale{TableFull,
         [](Bench& b) {
             b.from_lan(tcp(kClient, kServer).syn().seq(1));
             b.from_wan(tcp(kServer, kClient).syn().seq(9).ack(2));
             b.from_lan(tcp(kClient, kServer).seq(2).ack(10));
             b.from_lan(udp(kClient, kServer));
         },
         "", [] { return with_max(1); }},
    Tale{TrackingFailed, [](Bench& b) { b.from_lan(query()); }, "",
         [] {
             return Router::Options{.tracking = TrackingMode::On,
                                    .memory = std::make_unique<NoMemory>()};
         }},
    Tale{ConfirmClash,
         [](Bench& b) {
             b.from_lan(udp(kClient, kServer));
             b.from_lan(udp("10.0.0.3:4000", kServer));
         },
         "*nat\n-A POSTROUTING -p udp -j SNAT --to-source 192.0.2.1:5000\nCOMMIT\n"},
    Tale{NatUntranslatable,
         [](Bench& b) {  // GRE of an unknown version
             const std::string unknown("\x30\x85\x88\x0b\x00\x04\x00\x01", 8);
             b.from_lan(ip(47, "10.0.0.2", "192.0.2.7").data(unknown));
             b.from_wan(ip(47, "192.0.2.7", "192.0.2.1").data(unknown));
         },
         "*nat\n-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.1\nCOMMIT\n"},
    Tale{NatRefused, [](Bench& b) { b.from_lan(udp(kClient, kServer)); },
         "*nat\n-A POSTROUTING -o wan -j MASQUERADE --no-udp\nCOMMIT\n"},
    Tale{NatFiltered,
         [](Bench& b) {
             b.from_lan(udp(kClient, kServer));
             b.from_wan(udp("192.0.2.99:9", "192.0.2.1:4000"));
         },
         "*nat\n-A POSTROUTING -o wan -j MASQUERADE --profile restricted-cone\nCOMMIT\n"},
    Tale{NatSessionLimit,
         [](Bench& b) {
             b.from_lan(udp(kClient, kServer));
             b.from_lan(udp("10.0.0.2:4001", kServer));
         },
         "*nat\n-A POSTROUTING -o wan -j MASQUERADE --session-limit 1\nCOMMIT\n"},
    Tale{NatPortsUsedUp,
         [](Bench& b) {
             b.from_lan(udp(kClient, kServer));
             b.from_lan(udp("10.0.0.2:4001", kServer));
         },
         "*nat\n-A POSTROUTING -o wan -p udp -j MASQUERADE --to-ports 5000 --mapping "
         "endpoint-independent\nCOMMIT\n"},
    Tale{HelperRefused,
         [](Bench& b) {  // half a command
             talk_ftp(b);
             b.from_lan(ftp_command(1017, "PORT 10,0,0"));
         },
         kHelpFtp},
    Tale{RuleDrop, [](Bench& b) { b.from_lan(query()); }, "*filter\n-A FORWARD -j DROP\nCOMMIT\n"},
    Tale{PolicyDrop, [](Bench& b) { b.from_lan(query()); },
         "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"},
    Tale{RuleReject, [](Bench& b) { b.from_lan(query()); },
         "*filter\n-A FORWARD -j REJECT\nCOMMIT\n"},
    Tale{AwaitsRecheck,
         [](Bench& b) {
             b.from_lan(udp(kClient, kServer));
             b.router->recheck_connection(first_connection(b));
             b.from_wan(udp(kServer, kClient));
         }},
    Tale{RulesExhausted, [](Bench& b) { b.from_lan(query()); }, kDoubling.c_str()},
    Tale{LocalMalformed, [](Bench& b) { b.from_lan(udp(kClient, "10.0.0.1:53").bad_checksum()); }},
    Tale{LocalNoListener, [](Bench& b) { b.from_lan(udp(kClient, "10.0.0.1:53")); }},
    Tale{LocalNoProtocol, [](Bench& b) { b.from_lan(ip(99, "10.0.0.2", "10.0.0.1").payload(8)); }},
    Tale{EgressQueueFull, [](Bench& b) { b.router->egress_failed(b.wan, EgressQueueFull); }},
    Tale{EgressFailed, [](Bench& b) { b.router->egress_failed(b.wan, EgressFailed); }},
};

}  // namespace

TEST_CASE("each reason of a drop has a packet that ends by it") {
    for (std::size_t i = 0; i < kDropReasonCount; ++i) {
        const auto reason = static_cast<DropReason>(i);
        CAPTURE(std::string(name_of(reason)));
        const auto* tale = std::find_if(kTales.begin(), kTales.end(),
                                        [&](const Tale& each) { return each.reason == reason; });
        REQUIRE_MESSAGE(tale != kTales.end(), "this reason has no packet here");
        Bench bench(tale->rules, Family::Ipv4, tale->options());
        tale->happens(bench);
        CHECK(bench.router->drops().of(reason) >= 1);
    }
}
