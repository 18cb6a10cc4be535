// Service: one running instance, from a checked configuration to its last breath.
//
// Theory of operation
//   The constructor does everything that can fail, in an order in which failing leaves nothing
//   behind: lock, core, devices (see topology.hpp), control port. run() then moves packets until a
//   signal or a stop request. The end goes the other way round; a stop request is answered last,
//   with what stays behind, so that `nsrouter stop` returns when all is gone. reload() joins again
//   the interfaces whose devices are gone, builds the new rules, routes and sysctls beside the old
//   ones and swaps them between two batches; whatever is wrong with the new configuration, or
//   impossible by now, the old state stays whole. Interfaces do not change in a reload.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/procfs/tree.hpp"
#include "router/config/config.hpp"
#include "router/control/http.hpp"
#include "router/control/port.hpp"
#include "router/daemon/host_namespace.hpp"
#include "router/daemon/instance.hpp"
#include "router/daemon/journal.hpp"
#include "router/daemon/topology.hpp"
#include "router/log/log.hpp"
#include "router/ports/engine.hpp"

namespace nsr::router {

class Service {
  public:
    explicit Service(Config config);  // throws SystemError
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // Calls `ready` once packets flow; returns after the end of everything.
    void run(const std::function<void()>& ready);

  private:
    void make_router();
    void log_warnings();
    void listen();
    void listen_tcp();
    void handle_signal(int number);
    ReloadAnswer reload();
    ReloadAnswer apply_file();
    [[nodiscard]] ConfigErrors apply_config();
    void begin_host();
    void host_changed(IfIndex interface, bool joined);
    void follow_host();
    void change_link(const IpArgs& args);
    [[nodiscard]] std::string refuse_reload(const Config& next) const;
    void shut_down();

    Config config_;
    std::unique_ptr<InstanceLock> lock_;
    Journal journal_;
    SystemClock clock_;
    KernelLog log_;
    std::uint64_t memory_limit_bytes_;
    std::unique_ptr<Router> router_;
    std::unique_ptr<procfs::Tree> tree_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<Topology> topology_;
    std::unique_ptr<HostNamespace> host_;
    std::unique_ptr<ControlPort> control_;
    std::unique_ptr<http::Server> server_;
    std::optional<std::string> farewell_;  // what stays behind; set at the very end
};

}  // namespace nsr::router
