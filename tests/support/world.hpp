// World: a router in a test, told as a story. given() rules, when() a packet comes in, expect()
// what leaves, expect_entry() what the table says, after() some time. A step that fails prints the
// story so far, numbered, what each packet met on its way, and what differs (story.hpp).
//
//   World w = given("*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n");
//   w.when("lan", tcp("10.0.0.2:40000", "198.51.100.7:80").syn().seq(1000));
//   w.expect("wan", tcp("192.0.2.1:40000", "198.51.100.7:80").syn().seq(1000).ttl(63));
//   w.expect_entry("tcp 6 SYN_SENT src=10.0.0.2 ...");
//
// Interfaces unless given others: lan 10.0.0.1/24 fd00:1::1/64, wan 192.0.2.1/24 2001:db8::1/64
// with a default route via 192.0.2.254. What nobody expected is a failure when the World ends.
// Setup::fill makes another router: interfaces, routes, sets and rules are then its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/drop_reason.hpp"
#include "core/pipeline/router.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::test {

struct Here {
    const char* file = __builtin_FILE();
    int line = __builtin_LINE();
};

// Takes the story of a failed step.
using Failure = std::function<void(const Here&, const std::string& story)>;

class World {
  public:
    struct Setup {
        std::string rules_v4;
        std::string rules_v6;
        conntrack::Settings conntrack;
        TrackingMode tracking = TrackingMode::On;
        std::function<ConfigErrors(Router&, Instant)> fill = {};
        std::string title = {};   // what the story says is given; unset: the rules
        Failure on_failure = {};  // unset: the test fails where the step stands
    };
    explicit World(Setup setup, Here here = {});
    World(World&&) noexcept;
    ~World();

    World& when(std::string_view interface, const PacketBuilder& packet, Here here = {});
    World& after(Duration time, Here here = {});
    // A TCP connection of 10.0.0.2:40000 with 198.51.100.7:80, segment by segment; see trace.hpp.
    World& play(std::string_view trace, Here here = {});
    // An administrator writes `value` into this sysctl.
    World& sysctl(std::string_view name, std::string_view value, Here here = {});

    // The next packet that left through `interface` is this one, byte for byte (IPv4 id of packets
    // the router made is ignored).
    World& expect(std::string_view interface, const PacketBuilder& packet, Here here = {});
    // An ICMP error of this type and code left.
    World& expect_icmp(std::string_view interface, std::uint8_t type, std::uint8_t code,
                       Here here = {});
    World& expect_icmp_from(std::string_view interface, std::string_view source, std::uint8_t type,
                            std::uint8_t code, Here here = {});
    World& expect_nothing(Here here = {});
    World& expect_drop(DropReason reason, Here here = {});
    // A line of /proc/net/nf_conntrack (article format, timeout and padding squeezed out) begins
    // with or contains `text`.
    World& expect_entry(std::string_view text, Here here = {});
    World& expect_no_entry(Here here = {});
    World& expect_entries(std::size_t count, Here here = {});
    // [packets] of the rule that iptables-save prints as `rule` in `table`.
    World& expect_rule_packets(std::string_view rule, std::uint64_t packets, Here here = {});

    // Shortcuts through the three segments of a handshake between lan and wan, without NAT.
    World& established(std::string_view client, std::string_view server, Here here = {});
    World& forget();  // what left so far is of no interest

    [[nodiscard]] Router& router();
    [[nodiscard]] BufferPool& pool();  // for packets that are made by hand
    [[nodiscard]] Instant now() const;
    [[nodiscard]] std::vector<std::string> entries() const;
    [[nodiscard]] const std::vector<std::string>& log() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// IPv4 rules in iptables-save form.
World given(std::string_view rules, Here here = {});
World given(World::Setup setup, Here here = {});

}  // namespace nsr::test
