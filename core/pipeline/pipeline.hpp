// Pipeline: the way of one packet. router.hpp is the door; this is the hall behind it.
#pragma once

#include <optional>

#include "core/local/local.hpp"
#include "core/pipeline/icmp_limit.hpp"
#include "core/pipeline/router.hpp"
#include "core/pipeline/world.hpp"

namespace nsr::pipeline {

// Everything that lives as long as the router, in the order in which it is made.
struct State {
    explicit State(Router::Options options, LogSink& log);

    ForwardingSettings forwarding;
    TrackingMode tracking;
    LogSink& log;
    RandomSource random;
    BufferPool pool;
    routing::InterfaceTable interfaces;
    routing::RouteTable routes;
    defrag::Defrag defrag;
    conntrack::Conntrack conntrack;
    nat::Nat nat;
    RoutingWorld world;
    rules::Program program;
    IcmpLimit icmp_limit;
    DropCounters drops;
    Observer* observer = nullptr;
};

// One call's worth of work: the state, the time and where packets leave to.
class Pipeline {
  public:
    Pipeline(State& state, Instant now, EgressQueue& out) : state_(state), now_(now), out_(out) {}

    void receive(Packet& packet);
    void originate(Packet& packet);
    // A datagram that was never completed: tell its sender, where a host or router must.
    void reassembly_timed_out(Packet first);

  private:
    // The hooks, by table (hooks.hpp); stages.cpp has what each stage does.
    template <Hook kHook, const auto& kStages>
    Verdict run_hook(Packet& packet);
    template <Hook kHook>
    Verdict run_stage(StageId stage, Packet& packet);
    Verdict defragment(Packet& packet);
    Verdict track(Packet& packet);
    Verdict confirm(Packet& packet);
    Verdict filter(rules::TableId table, Hook hook, Packet& packet);
    Verdict mangle_output(Packet& packet);
    Verdict translate(Hook hook, Packet& packet);
    Verdict bind(Hook hook, nat::Manip manip, Packet& packet);
    Verdict carry_out(const rules::Outcome& outcome, const Packet& packet);

    Verdict prerouting(Packet& packet);
    void route_input(Packet& packet);
    std::optional<DropReason> source_refused(const Packet& packet, const routing::Decision& decision);
    void deliver(Packet& packet, bool broadcast);
    void forward(Packet& packet, const routing::Decision& decision);
    Verdict may_forward(Packet& packet, const routing::Decision& decision);
    void unroutable(Packet& packet, routing::Destination kind);
    void redirect(const Packet& packet, const routing::Decision& decision);

    void send_local(Packet packet);
    bool route_output(Packet& packet);
    void postroute(Packet& packet);
    void finish_output(Packet& packet);
    void fragment(Packet packet, std::uint32_t mtu);
    void transmit(Packet packet);

    // Errors the router makes about a packet that is still here.
    void send_error(const Packet& about, local::IcmpError error);
    void send_reject(const Packet& about, rules::RejectWith with);
    void drop(Packet& packet, DropReason reason);

    State& state_;
    Instant now_;
    EgressQueue& out_;
};

}  // namespace nsr::pipeline
