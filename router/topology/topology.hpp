// Topology: the interfaces of the core joined to their devices, and kept so.
//
// Theory of operation
//   Each interface is joined once at the start: its part of the plan is carried out (setup.hpp) and
//   its device becomes a port of the engine. An interface is lost when its namespace ends (its name
//   is gone or stands for another one, its process has ended) or its device is deleted. We keep a
//   namespace without a name alive ourselves, by the device that we hold in it; so losing one means
//   to close that device. A lost interface is down, its routes are kept aside. It is joined again,
//   with them, when a namespace of that name returns, or when a reload asks for it; the latter also
//   makes what is not there, as a start does. A reload may also change links while the others go
//   on: see link_changes.hpp for what it does to the machine. A device that somebody deleted waits
//   for the reload: he meant it. So does a process: its number may be somebody else's by now.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/router.hpp"
#include "router/base/clock.hpp"
#include "router/config/config.hpp"
#include "router/ports/engine.hpp"
#include "router/topology/interface_changes.hpp"
#include "router/topology/link_changes.hpp"
#include "router/topology/namespace_watch.hpp"
#include "router/topology/other_queues.hpp"
#include "router/topology/setup.hpp"

namespace nsr::router {

class Topology {
  public:
    struct Parts {
        Router& router;
        Engine& engine;
        const SystemClock& clock;
        LogSink& log;
        Journal& journal;
        OtherQueues* others = nullptr;  // null: there is one shard
    };
    // Everything that the configuration asks for is there then. Throws SystemError after taking
    // back what was done.
    Topology(Parts parts, const Config& config);
    ~Topology();  // as close()
    Topology(const Topology&) = delete;
    Topology& operator=(const Topology&) = delete;

    // Called after an interface was lost (false) or joined again (true).
    std::function<void(IfIndex, bool)> on_change;

    // A reload changes links. Between begin_change() and end_change() the worker alone uses
    // setup(); what namespaces do meanwhile is looked at afterwards.
    void begin_change();
    void end_change();
    [[nodiscard]] Setup& setup() { return setup_; }
    [[nodiscard]] std::vector<LostLink> lost() const;
    // What carry_out() made of `changes` is joined to the router's interfaces, which are as the new
    // configuration wants them but for those that go: these are removed. Gives the ports that are
    // no longer used: closing a device may take long. `said`: a line for each that was lost.
    std::vector<std::unique_ptr<Port>> exchange(const std::vector<LinkChange>& changes,
                                                std::string& said);

    // Both throw SystemError, EBUSY while a reload changes links.
    void change_mtu(IfIndex interface, std::uint32_t mtu);
    void set_carrier(IfIndex interface, bool carrier);

    // Takes everything back, and logs what stays.
    void close();
    // The same, a line each.
    [[nodiscard]] const std::vector<std::string>& stays() const { return setup_.stays(); }

  private:
    enum class State : std::uint8_t { Joined, DeviceGone, NamespaceGone };
    struct Link {
        Part part;
        IfIndex interface = IfIndex::None;
        std::string netns;
        State state = State::Joined;
        std::uint64_t inode = 0;             // of the namespace it is in
        bool was_up = true;                  // when it was lost
        std::vector<routing::Route> routes;  // that it had
    };

    void join_all(const Config& config);
    void join(Link& link);
    void take_down(const Link& link);
    void attach(Link& link);
    void add_ports(IfIndex interface, netlink::Tun tun);
    void detach(IfIndex interface);
    void network_changed();
    void restore(Link& link);
    void exchange_one(const LinkChange& change, std::vector<std::unique_ptr<Port>>& unused,
                      std::string& said);
    void require_no_change(const std::string& attempt) const;
    [[nodiscard]] Link* find(IfIndex interface);
    [[nodiscard]] Link& at(IfIndex interface);
    void lose(Link& link, State why);
    void look_around();
    void say(const std::string& line);
    [[nodiscard]] std::string name_of(const Link& link) const;

    Parts parts_;
    Setup setup_;
    std::vector<Link> links_;
    bool changing_ = false;
    bool look_again_ = false;  // something happened while a reload changed links
    std::unique_ptr<NamespaceWatch> watch_;
    std::size_t told_ = 0;  // of stays()
};

}  // namespace nsr::router
