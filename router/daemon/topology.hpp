// Topology: the interfaces of the core joined to their devices, and kept so.
//
// Theory of operation
//   Each interface is joined once at the start: its part of the plan is carried out (setup.hpp) and
//   its device becomes a port of the engine. An interface is lost when its namespace ends (its name
//   is gone or stands for another one, its process has ended) or its device is deleted. We keep a
//   namespace without a name alive ourselves, by the device that we hold in it; so losing one means
//   to close that device. A lost interface is down, its routes are kept aside. It is joined again,
//   with them, when a namespace of that name returns, or when a reload asks for it; the latter also
//   makes what is not there, as a start does. A device that somebody deleted waits for the reload:
//   he meant it. So does a process: its number may be somebody else's by now.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/pipeline/router.hpp"
#include "router/base/clock.hpp"
#include "router/config/config.hpp"
#include "router/daemon/namespace_watch.hpp"
#include "router/daemon/setup.hpp"
#include "router/ports/engine.hpp"

namespace nsr::router {

class Topology {
  public:
    struct Parts {
        Router& router;
        Engine& engine;
        const SystemClock& clock;
        LogSink& log;
        Journal& journal;
    };
    // Everything that the configuration asks for is there then. Throws SystemError after taking
    // back what was done.
    Topology(Parts parts, const Config& config);
    ~Topology();  // as close()
    Topology(const Topology&) = delete;
    Topology& operator=(const Topology&) = delete;

    // Called after an interface was lost (false) or joined again (true).
    std::function<void(IfIndex, bool)> on_change;

    // Joins again what is lost, and says what, a line each. Throws SystemError.
    std::string join_lost();
    // Both throw SystemError.
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
    void restore(Link& link);
    void lose(Link& link, State why);
    void look_around();
    void say(const std::string& line);
    [[nodiscard]] std::string name_of(const Link& link) const;

    Parts parts_;
    Setup setup_;
    std::vector<Link> links_;  // [i] is IfIndex i + 1
    std::unique_ptr<NamespaceWatch> watch_;
    std::size_t told_ = 0;  // of stays()
};

}  // namespace nsr::router
