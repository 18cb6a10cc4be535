#include "router/replay/replay.hpp"
#include "router/config/load.hpp"

#include <doctest/doctest.h>

#include <sstream>

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"

namespace nsr::router {
namespace {

using Bytes = std::vector<std::uint8_t>;

const std::string kConfig = R"([[interface]]
name = "lan"
address = ["10.0.1.1/24"]

[[interface]]
name = "wan"
address = ["198.51.100.1/24"]

[conntrack]
mode = "on"

[sysctl]
"net.netfilter.nf_conntrack_udp_timeout" = 30
)";

constexpr IpAddress kServer = IpAddress::v4(198, 51, 100, 9);
constexpr IpAddress kRouter = IpAddress::v4(198, 51, 100, 1);

Bytes udp(std::uint16_t source_port, std::uint16_t fragment = 0,
          const IpAddress& destination = kServer) {
    Bytes packet(28, 0);
    packet[0] = 0x45;
    packet[3] = 28;
    packet[5] = static_cast<std::uint8_t>(source_port);
    packet[6] = static_cast<std::uint8_t>(fragment >> 8);
    packet[7] = static_cast<std::uint8_t>(fragment);
    packet[8] = 64;
    packet[9] = 17;
    IpAddress::v4(10, 0, 1, 2).to_wire(packet.data() + 12);
    destination.to_wire(packet.data() + 16);
    wire::store16(packet.data() + 10, wire::checksum({packet.data(), 20}));
    wire::store16(packet.data() + 20, source_port);
    wire::store16(packet.data() + 22, 53);
    wire::store16(packet.data() + 24, 8);
    return packet;
}

struct Sent {
    std::int64_t time_ns = 0;
    std::uint32_t interface = 0;
    std::string comment;
};

class Memory : public ReplayOutput {
  public:
    void packet(std::int64_t time_ns, std::uint32_t interface, const Packet&,
                std::string_view comment) override {
        sent.push_back({time_ns, interface, std::string(comment)});
    }
    void connections(std::string_view text) override { tables += text; }
    void event(std::string_view line) override { events += std::string(line) + "\n"; }
    void trace(std::string_view line) override { lines += std::string(line) + "\n"; }
    [[nodiscard]] bool good() const override { return true; }

    std::vector<Sent> sent;
    std::string tables;
    std::string lines;
    std::string events;
};

struct Replayed {
    ReplayResult result;
    Memory output;
};

struct Input {
    std::int64_t time_ns;
    Bytes bytes;
};

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMillisecond = 1'000'000;

// Time 0 of the router is the capture's 0, whenever its first packet comes.
ReplayOptions from_epoch() {
    ReplayOptions options;
    options.start_ns = 0;
    return options;
}

Replayed replay(const std::string& config_text, const std::vector<Input>& inputs,
                const ReplayOptions& options = {}, const char* interface = "lan") {
    std::ostringstream out;
    PcapngWriter writer(out, {interface});
    for (const Input& input : inputs) {
        writer.packet(input.time_ns, 0, input.bytes, "");
    }
    std::istringstream in(out.str());
    const auto capture = capture_from(in);
    const auto config = parse_config(config_text, "replay.toml");
    REQUIRE(config.ok());
    Replayed replayed;
    replayed.result = run_replay(*config, *capture, options, replayed.output);
    return replayed;
}

}  // namespace

TEST_CASE("a packet leaves at its own time, marked with its index") {
    const Replayed replayed =
        replay(kConfig, {{5 * kMillisecond, udp(4000)}, {7 * kMillisecond, udp(4001)}});
    CHECK(replayed.result.error == "");
    REQUIRE(replayed.output.sent.size() == 2);
    CHECK(replayed.output.sent[0].time_ns == 5 * kMillisecond);
    CHECK(replayed.output.sent[0].interface == 1);
    CHECK(replayed.output.sent[0].comment == "in=0");
    CHECK(replayed.output.sent[1].comment == "in=1");
}

TEST_CASE(
    "packets that are prepared together arrive each at its own time, with timers in between") {
    ReplayOptions options;
    options.events = true;
    std::vector<Input> inputs;
    for (int i = 0; i < 100; ++i) {
        inputs.push_back({i * 31 * kSecond, i % 3 == 1 ? Bytes{0x45} : udp(4000)});
    }
    const Replayed replayed = replay(kConfig, inputs, options);
    CHECK(replayed.result.packets_in == 100);
    std::size_t sent = 0;
    std::size_t ended = 0;
    for (int i = 0; i < 100; ++i) {
        if (i % 3 != 1) {
            REQUIRE(sent < replayed.output.sent.size());
            CHECK(replayed.output.sent[sent].time_ns == i * 31 * kSecond);
            CHECK(replayed.output.sent[sent].comment == "in=" + std::to_string(i));
            ++sent;
        }
    }
    CHECK(replayed.output.sent.size() == sent);
    const std::string& events = replayed.output.events;
    for (std::size_t at = events.find("[DESTROY]"); at != std::string::npos;
         at = events.find("[DESTROY]", at + 1)) {
        ++ended;
    }
    CHECK(ended >= sent - 1);
}

TEST_CASE("time 0 is the second in which the capture begins, and output keeps the capture's time") {
    const std::string config = kConfig + "[replay]\ncheckpoints = [0.5]\nsettle = 1\n";
    const std::int64_t begin = 1'700'000'000 * kSecond + 250 * kMillisecond;
    const Replayed replayed = replay(config, {{begin, udp(4000)}});
    REQUIRE(replayed.output.sent.size() == 1);
    CHECK(replayed.output.sent[0].time_ns == begin);
    CHECK(replayed.output.tables.starts_with("# t=0.5\nipv4 2 udp 17 29 src=10.0.1.2"));
}

TEST_CASE("a checkpoint is the end when none is given; entries expire on the virtual clock") {
    const Replayed soon = replay(kConfig + "[replay]\nsettle = 29\n", {{0, udp(4000)}});
    CHECK(soon.output.tables.starts_with("# t=29\nipv4 2 udp"));
    const Replayed late = replay(kConfig + "[replay]\nsettle = 31\n", {{0, udp(4000)}});
    CHECK(late.output.tables == "# t=31\n");
    CHECK(late.result.stats.find("count 0\n") != std::string::npos);
}

TEST_CASE("at one instant packets come first, then events, then checkpoints") {
    const std::string config = kConfig + R"([replay]
checkpoints = [1]
[[replay.event]]
at = 1
conntrack = ["-D -p udp --orig-port-src 4000"]
)";
    const Replayed replayed =
        replay(config, {{kSecond / 2, udp(4000)}, {kSecond, udp(4000)}, {kSecond, udp(4001)}},
               from_epoch());
    CHECK(replayed.result.complaints.empty());
    CHECK(replayed.output.tables.find("sport=4000") == std::string::npos);
    CHECK(replayed.output.tables.find("sport=4001") != std::string::npos);
}

TEST_CASE("what a timer sends carries the timer's time") {
    const std::string config = kConfig + "\"net.ipv4.ipfrag_time\" = 2\n[replay]\nsettle = 10\n";
    const Replayed replayed =
        replay(config, {{kSecond / 4, udp(4000, 0x2000, kRouter)}}, from_epoch());
    REQUIRE(replayed.output.sent.size() == 1);  // fragment reassembly time exceeded
    CHECK(replayed.output.sent[0].comment == "timer");
    CHECK(replayed.output.sent[0].interface == 0);
    CHECK(replayed.output.sent[0].time_ns >= 2 * kSecond + kSecond / 4);
    CHECK(replayed.output.sent[0].time_ns < 2 * kSecond + kSecond / 3);
}

TEST_CASE("--map: what the capture calls an interface is not what the configuration does") {
    ReplayOptions options;
    options.interface_names["eth0"] = "lan";
    options.interface_names["lan"] = "wan";  // names are changed once, not again
    const Replayed mapped = replay(kConfig, {{0, udp(4000)}}, options, "eth0");
    CHECK(mapped.result.error == "");
    REQUIRE(mapped.output.sent.size() == 1);
    CHECK(mapped.output.sent[0].interface == 1);
    const Replayed unknown = replay(kConfig, {{0, udp(4000)}}, options, "eth1");
    CHECK(unknown.result.error.find("no interface \"eth1\"; --map NAME=INTERFACE") !=
          std::string::npos);
}

TEST_CASE("an interface that the configuration lacks ends the replay; --interface helps") {
    const Replayed unknown = replay(kConfig, {{0, udp(4000)}}, {}, "eth7");
    CHECK(unknown.result.error ==
          "packet 0: the configuration has no interface \"eth7\"; --map NAME=INTERFACE and "
          "--interface take one of lan, wan");
    ReplayOptions options;
    options.interface = "lan";
    const Replayed placed = replay(kConfig, {{0, udp(4000)}}, options, "eth7");
    CHECK(placed.result.error == "");
    CHECK(placed.output.sent.size() == 1);
}

TEST_CASE(
    "--state: connections that were there before the capture are known from its first packet") {
    const std::string filter = std::string(kConfig) +
                               "[rules]\npolicy.filter.FORWARD = \"DROP\"\n"
                               "[[rules.filter.FORWARD]]\nctstate = \"ESTABLISHED\"\njump = "
                               "\"ACCEPT\"\n";
    CHECK(replay(filter, {{0, udp(4000)}}).output.sent.empty());
    const std::string to = to_string(kServer);
    ReplayOptions options;
    options.begin = begin_with(*parse_saved_table("udp 17 20 src=10.0.1.2 dst=" + to +
                                                      " sport=4000 dport=53 src=" + to +
                                                      " dst=10.0.1.2 sport=53 dport=4000 mark=0\n",
                                                  "table.txt"));
    CHECK(replay(filter, {{0, udp(4000)}}, options).output.sent.size() == 1);
    CHECK(replay(filter, {{0, udp(4001)}}, options).output.sent.empty());
    options.start_ns = -21 * kSecond;  // by then it is over
    CHECK(replay(filter, {{0, udp(4000)}}, options).output.sent.empty());
}

TEST_CASE("--state: a table that cannot be loaded begins nothing") {
    const std::string idle = "[[interface]]\nname = \"lan\"\naddress = [\"10.0.1.1/24\"]\n";
    ReplayOptions options;
    options.begin = begin_with(*parse_saved_table(
        "udp 17 20 src=10.0.1.2 dst=10.0.1.3 src=10.0.1.3 dst=10.0.1.2 mark=0\n", "table.txt"));
    const Replayed refused = replay(idle, {{0, udp(4000)}}, options);
    CHECK(refused.result.refused.starts_with("table.txt: connections are not tracked"));
    CHECK(refused.result.packets_in == 0);
}

TEST_CASE("older packets do not turn the clock back") {
    const Replayed replayed =
        replay(kConfig, {{kSecond, udp(4000)}, {kSecond / 2, udp(4001)}}, from_epoch());
    REQUIRE(replayed.output.sent.size() == 2);
    CHECK(replayed.output.sent[1].time_ns == kSecond);
}

TEST_CASE("rules loaded by the configuration are listed with what they counted") {
    const std::string config = kConfig + R"(
[[rules.filter.FORWARD]]
protocol = "udp"
jump = "ACCEPT"
)";
    const Replayed replayed = replay(config, {{0, udp(4000)}});
    CHECK(replayed.result.stats.find("v4 filter :FORWARD ACCEPT [0:0]\n") != std::string::npos);
    CHECK(replayed.result.stats.find("v4 filter [1:28] -A FORWARD -p udp -j ACCEPT\n") !=
          std::string::npos);
}

TEST_CASE("events are the lines of conntrack -E, in the order in which they happen") {
    const std::string config = kConfig + R"([replay]
settle = 40
[[replay.event]]
at = 1
conntrack = ["-U -p udp --orig-port-src 4000 -m 7"]
[[replay.event]]
at = 2
conntrack = ["-D -p udp --orig-port-src 4001"]
)";
    ReplayOptions options = from_epoch();
    options.events = true;
    const Replayed replayed = replay(config, {{0, udp(4000)}, {0, udp(4001)}}, options);
    const std::string flow =
        "src=10.0.1.2 dst=198.51.100.9 sport=4000 dport=53 [UNREPLIED] "
        "src=198.51.100.9 dst=10.0.1.2 sport=53 dport=4000";
    const auto other = [&](std::string text) {
        for (std::size_t at; (at = text.find("4000")) != std::string::npos;) {
            text.replace(at, 4, "4001");
        }
        return text;
    };
    CHECK(replayed.output.events == "    [NEW] udp      17 30 " + flow + "\n" +
                                        "    [NEW] udp      17 30 " + other(flow) + "\n" +
                                        " [UPDATE] udp      17 29 " + flow + " mark=7\n" +
                                        "[DESTROY] udp      17 28 " + other(flow) + "\n" +
                                        "[DESTROY] udp      17 " + flow + " mark=7\n");
    CHECK(replay(config, {{0, udp(4000)}}, from_epoch()).output.events.empty());
}

TEST_CASE("the trace tells a packet's way") {
    ReplayOptions options;
    options.trace = true;
    const Replayed replayed = replay(kConfig, {{0, udp(4000)}}, options);
    const std::string& lines = replayed.output.lines;
    CHECK(lines.find("trace id 1 at 0.000000 #0 in lan: IPv4 10.0.1.2 > 198.51.100.9") == 0);
    CHECK(lines.find("\ntrace id 1 PREROUTING conntrack: NEW, ") != std::string::npos);
    CHECK(lines.find("\ntrace id 1 route: forwarded through wan") != std::string::npos);
    CHECK(lines.find("\ntrace id 1 out wan: IPv4 ") != std::string::npos);
}

}  // namespace nsr::router
