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

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/defrag/defrag.hpp"
#include "core/nat/nat.hpp"
#include "core/packet/packet.hpp"
#include "core/pipeline/counters.hpp"
#include "core/pipeline/drop_places.hpp"
#include "core/pipeline/history.hpp"
#include "core/pipeline/made_connection.hpp"
#include "core/pipeline/observer.hpp"
#include "core/pipeline/recorder.hpp"
#include "core/pipeline/rule_names.hpp"
#include "core/pipeline/settings.hpp"
#include "core/pipeline/shard_duties.hpp"
#include "core/routing/interface_table.hpp"
#include "core/routing/route_table.hpp"
#include "core/rules/counters.hpp"
#include "core/rules/packet_log.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/timeout_use.hpp"
#include "core/sets/catalogue.hpp"

namespace nsr {

struct PreparedRules;  // prepared_rules.hpp
struct RulesBasis;
namespace pipeline {
struct State;
}
namespace rules {
class CountersReading;
}
namespace sets {
class Sets;
}

class Router {
  public:
    using Options = RouterOptions;
    explicit Router(Options options);
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // Interfaces come, go and change at any time between two batches. One that comes gets an index
    // that no other one had, and what the sysctls of net.*.conf.default say; the names of rules
    // mean it from then on, at once or (Later) with the next rules that are adopted.
    enum class BindRules : std::uint8_t { Now, Later };
    IfIndex add_interface(routing::Interface interface, BindRules when = BindRules::Now);
    // Its routes go, and so do connections masqueraded behind it and fragments that wait. Rules
    // that name it match nothing by that name any more.
    void remove_interface(IfIndex interface, Instant now);
    // False and nothing changed: the interface has it already.
    bool add_address(IfIndex interface, const Prefix& address);
    // False: it had none such. Connections masqueraded behind the address end. With the first IPv4
    // address of a network those that followed it in that network go, too.
    bool remove_address(IfIndex interface, const Prefix& address, Instant now);
    // These in the place of all that it had.
    void set_addresses(IfIndex interface, const std::vector<Prefix>& addresses, Instant now);
    void set_mtu(IfIndex interface, std::uint32_t mtu);
    // What its device takes as it is; nothing, unless the router is told so.
    void set_capabilities(IfIndex interface, const routing::LinkCapabilities& capabilities);
    // Down: its routes go, and so do the connections masqueraded behind it.
    void set_up(IfIndex interface, bool up, Instant now);
    // The device of `interface` gave a frame that is no packet, or did not take one; it is lost.
    void ingress_failed(IfIndex interface, DropReason reason);
    void egress_failed(IfIndex interface, DropReason reason);
    // As `ip route add`, `append`, `replace`, `change` and `del`, or all at once; see RouteTable.
    [[nodiscard]] routing::RouteChange add_route(const routing::Route& route);
    [[nodiscard]] routing::RouteChange append_route(const routing::Route& route);
    [[nodiscard]] routing::RouteChange replace_route(const routing::Route& route);
    [[nodiscard]] routing::RouteChange change_route(const routing::Route& route);
    [[nodiscard]] bool remove_route(const routing::Route& route);
    [[nodiscard]] Result<Done, routing::RouteRefusal> set_routes(
        const std::vector<routing::Route>& routes);
    // As `ip rule add`, `del` and `flush`, or all but the kernel's own at once; see RuleList.
    [[nodiscard]] routing::RuleChange add_policy_rule(const routing::PolicyRule& rule,
                                                      std::optional<std::uint32_t> priority);
    [[nodiscard]] routing::RuleChange remove_policy_rule(const routing::RuleQuery& query);
    void flush_policy_rules(Family family);
    void set_policy_rules(const routing::RuleList& rules);

    // Replaces the ruleset; connections stay. Tracking starts or stops as the mode and the rules
    // demand.
    void apply(rules::Ruleset ruleset, Instant now);
    // The same in two steps, of which only the second one is in the way of packets. `prepared` must
    // come from the latest basis; afterwards it holds what was at work before.
    [[nodiscard]] RulesBasis rules_basis() const;
    // With the counters in `reading`; see Program::base().
    [[nodiscard]] RulesBasis rules_basis(rules::CountersReading& reading) const;
    // See Program::read_counters().
    bool read_counters(rules::CountersReading& reading) const;
    void adopt(PreparedRules& prepared, Instant now);
    [[nodiscard]] const rules::Ruleset& ruleset() const;
    // A copy of it with its counters as they are now.
    [[nodiscard]] rules::Counted counted() const;
    // Null: no rule at work has this id.
    [[nodiscard]] const rules::Rule* find_rule(RuleId id) const;
    // An error, and nothing changed: mode is Off, and a rule needs tracking ("file:line: rule").
    Result<Done, std::string> set_tracking(TrackingMode mode, Instant now);
    [[nodiscard]] TrackingMode tracking_mode() const;
    // The rule that needs tracking, as "file:line: rule"; empty: none of that family.
    [[nodiscard]] const std::string& tracking_user(Family family) const;
    // In one family at least.
    [[nodiscard]] bool tracking_active() const;

    // What an administrator does to one connection (conntrack(8)); see Conntrack.
    [[nodiscard]] pipeline::MadeConnections made_connections();
    void zero_counters(ConnId id);
    void destroy_connection(ConnId id, Instant now);
    void flush_expectations(Instant now);
    // See Nat::forget.
    void forget_translations(std::optional<RuleId> rule, Instant now);
    // Its next packet of the original direction meets the filter as if it were the first one;
    // packets of the other direction are dropped until one was accepted.
    void recheck_connection(ConnId id);
    // Tells `subscriber` what happens to connections, until it unsubscribes; it must outlive that.
    void subscribe(conntrack::EventSubscriber& subscriber);
    void unsubscribe(conntrack::EventSubscriber& subscriber);

    // The address sets: an administrator changes them between two batches, packets that reach
    // rules with -m set and -j SET in one.
    [[nodiscard]] sets::Sets& sets();
    [[nodiscard]] const sets::Sets& sets() const;
    // How often the rules name each of them, which then can be neither destroyed nor renamed.
    [[nodiscard]] const sets::References& set_references() const;
    // The timeout policies, and how often the rules name each of them, which then cannot go.
    [[nodiscard]] conntrack::TimeoutPolicies& timeout_policies();
    [[nodiscard]] const rules::TimeoutReferences& timeout_references() const;

    // What the sysctls say. A write counts from the next packet on, and does what the kernel does
    // beside (resizes the index of connections).
    void configure(const pipeline::Settings& settings);
    [[nodiscard]] pipeline::Settings settings() const;

    // A batch of packets that arrived, each with meta.in and (for EgressQueue) meta.cause. They
    // bring their buffers: the pool of a fragment must live as long as expire() is called.
    void receive(std::span<Packet> packets, Instant now, EgressQueue& out);
    // The two parts of receive(), for packets that come one soon after the other, but each at its
    // own time: all of them are prepared, so that what they need is on its way to the cache; then
    // they are received in their order, with expire() in between where it is due. Until the last
    // one is, they stay where they are.
    void prepare(std::span<Packet> packets);
    void receive_prepared(std::span<Packet> packets, Instant now, EgressQueue& out);
    [[nodiscard]] std::optional<Instant> next_deadline() const;
    // False: more is due, but packets may come first.
    bool expire(Instant now, EgressQueue& out);

    // Tells `observer` what happens from now on; null: nobody. It must outlive that.
    void observe(Observer* observer);
    // Gives `log` the packets that meet -j NFLOG; null: nobody. It must outlive that.
    void hand_packets_to(rules::PacketLog* log);
    // What went wrong, kept always.
    [[nodiscard]] const pipeline::Recorder& recorder() const;
    void resize_recorder(std::size_t records);
    // The last packets of all, if it is given memory. It is resized between two batches.
    [[nodiscard]] pipeline::History& history();
    [[nodiscard]] const pipeline::DropPlaces& drop_places() const;
    // Of a rule at work, or of one that both name. Nothing: of no other.
    [[nodiscard]] std::optional<pipeline::RuleName> name_of_rule(RuleId id) const;

    [[nodiscard]] pipeline::ShardDuties shard_duties();
    // Of all shards, as far as their last tally knew.
    [[nodiscard]] std::size_t connections() const;
    [[nodiscard]] std::size_t table_bytes() const;

    [[nodiscard]] const conntrack::Conntrack& conntrack() const;
    [[nodiscard]] const nat::Nat& nat() const;
    [[nodiscard]] const defrag::Defrag& defrag() const;
    [[nodiscard]] const routing::InterfaceTable& interfaces() const;
    [[nodiscard]] const routing::RouteTable& routes() const;
    [[nodiscard]] const DropCounters& drops() const;
    [[nodiscard]] const IpCounters& counters(Family family) const;  // Precondition: not None

  private:
    std::unique_ptr<pipeline::State> state_;
};

}  // namespace nsr
