// Router: the whole router as a value that eats packets and time. The only door into the core.
//
// Theory of operation
//   receive() takes a batch of packets that arrived, each with meta.in; those of the [host]
//   interface were sent by processes "on the router" and begin in OUTPUT. Every packet runs through
//   the hooks to its end before the next one is looked at; what leaves is appended to `out`
//   (meta.out, meta.cause). expire(now) runs what timers owe: connections that ended, datagrams
//   that stayed incomplete. next_deadline() says when to call again. Nothing happens between calls;
//   nothing reads a clock. apply() swaps a ruleset in between two batches. One instance, one
//   thread, no globals: a process may hold many.
// kernel: ip_rcv ... ip_finish_output, the hooks of net/netfilter
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/drop_reason.hpp"
#include "core/base/instant.hpp"
#include "core/base/log.hpp"
#include "core/base/random.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/defrag/defrag.hpp"
#include "core/nat/nat.hpp"
#include "core/packet/packet.hpp"
#include "core/pipeline/counters.hpp"
#include "core/pipeline/hooks.hpp"
#include "core/routing/interface.hpp"
#include "core/routing/route_table.hpp"
#include "core/rules/program/program.hpp"

namespace nsr {

// net.ipv4.*, net.ipv6.* that forwarding itself obeys
struct ForwardingSettings {
    std::uint32_t ip_forward = 1;
    std::uint32_t ipv6_forwarding = 1;
    std::uint32_t ip_default_ttl = 64;
    std::uint32_t icmp_ratelimit = 1000;  // ms between errors to one peer; 0: no limit
    std::uint32_t icmp_msgs_per_sec = 1000;
    std::uint32_t ipv6_icmp_ratelimit = 100;
    // conf.{all,IFACE}; [0] is all, [i] the interface with index i
    std::vector<std::uint32_t> rp_filter{0};
    std::vector<std::uint32_t> send_redirects{0};
};

// auto: tracking is on while a rule needs it
enum class TrackingMode : std::uint8_t { Auto, On, Off };
inline constexpr std::array<std::string_view, 3> kTrackingModeNames = {"auto", "on", "off"};

constexpr std::string_view name_of(TrackingMode mode) {
    return kTrackingModeNames[static_cast<std::size_t>(mode)];
}

// What happened to one packet, stage by stage. Only consulted when set; changes nothing.
class Observer : public rules::RuleObserver {
  public:
    virtual void packet_received(const Packet& packet) = 0;
    virtual void stage_done(Hook hook, pipeline::StageId stage, const Packet& packet,
                            Verdict verdict) = 0;
    virtual void routed(const Packet& packet, const routing::Decision& decision) = 0;
    virtual void dropped(const Packet& packet, DropReason reason) = 0;
    virtual void left(const Packet& packet) = 0;
};

class Router {
  public:
    // The settings are copied; conntrack().settings() and forwarding() are the ones that count
    // then.
    struct Options {
        std::uint64_t seed = 1;                 // of all randomness that can show in packets
        std::optional<std::uint64_t> key_seed;  // of hash keys; nothing: follows from `seed`
        conntrack::Settings conntrack;
        defrag::Settings defrag;
        ForwardingSettings forwarding;
        TrackingMode tracking = TrackingMode::Auto;
        LogSink* log = nullptr;  // must outlive the router
        // Of the connection table; dies with the router, after the last record. Null: anonymous.
        std::unique_ptr<conntrack::Memory> memory;
    };
    explicit Router(Options options);
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // Interfaces are added before the first packet; addresses, MTU and up/down may change at any
    // time (see the methods below).
    IfIndex add_interface(routing::Interface interface);
    // False and nothing changed: the interface has it already.
    bool add_address(IfIndex interface, const Prefix& address);
    // False: it had none such. Connections masqueraded behind the address end. With the first IPv4
    // address of a network those that followed it in that network go, too.
    bool remove_address(IfIndex interface, const Prefix& address, Instant now);
    void set_mtu(IfIndex interface, std::uint32_t mtu);
    // Down: its routes go, and so do the connections masqueraded behind it.
    void set_up(IfIndex interface, bool up, Instant now);
    // A packet could not be written to the device of `interface`.
    void egress_failed(IfIndex interface);
    // As `ip route add`, `replace` and `del`, or all of them at once; see RouteTable.
    [[nodiscard]] routing::RouteChange add_route(const routing::Route& route);
    [[nodiscard]] routing::RouteChange replace_route(const routing::Route& route);
    [[nodiscard]] bool remove_route(const routing::Route& route);
    [[nodiscard]] std::optional<routing::RouteRefusal> set_routes(
        const std::vector<routing::Route>& routes);

    // Replaces the ruleset; connections stay. Tracking starts or stops as the mode and the rules
    // demand.
    void apply(rules::Ruleset ruleset, Instant now);
    [[nodiscard]] const rules::Ruleset& ruleset() const;
    // False and nothing changed if mode is Off and a rule needs tracking; `why` then names the
    // rule.
    bool set_tracking(TrackingMode mode, Instant now, std::string& why);
    [[nodiscard]] TrackingMode tracking_mode() const;

    void receive(std::span<Packet> packets, Instant now, EgressQueue& out);
    [[nodiscard]] std::optional<Instant> next_deadline() const;
    // False: more is due, but packets may come first.
    bool expire(Instant now, EgressQueue& out);

    [[nodiscard]] BufferPool& pool();
    [[nodiscard]] conntrack::Conntrack& conntrack();
    [[nodiscard]] const conntrack::Conntrack& conntrack() const;
    [[nodiscard]] defrag::Defrag& defrag();
    [[nodiscard]] routing::InterfaceTable& interfaces();
    [[nodiscard]] const routing::InterfaceTable& interfaces() const;
    [[nodiscard]] const routing::RouteTable& routes() const;
    // What is written here counts from the next packet on; nothing has to be told.
    [[nodiscard]] ForwardingSettings& forwarding();
    [[nodiscard]] const DropCounters& drops() const;
    [[nodiscard]] const IpCounters& counters(Family family) const;  // Precondition: not None
    [[nodiscard]] RandomSource& random();

    Observer* observer = nullptr;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr
