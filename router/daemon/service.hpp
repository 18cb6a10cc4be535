// Service: one running instance, from a checked configuration to its last breath.
//
// Theory of operation
//   The constructor does everything that can fail, in an order in which failing leaves nothing
//   behind: lock, core, devices (see topology.hpp), control port. run() then moves packets until a
//   signal or a stop request. The end goes the other way round; a stop request is answered last,
//   with what stays behind, so that `nsrouter stop` returns when all is gone. What takes long and
//   changes the router is a task (tasks.hpp): a reload (reload.hpp), a change of rules
//   (rule_change.hpp).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/procfs/tree.hpp"
#include "router/base/worker.hpp"
#include "router/changes/tasks.hpp"
#include "router/config/config.hpp"
#include "router/control/port.hpp"
#include "router/daemon/crew.hpp"
#include "router/daemon/instance.hpp"
#include "router/daemon/state_copy.hpp"
#include "router/http/http.hpp"
#include "router/log/log.hpp"
#include "router/ports/engine.hpp"
#include "router/topology/host_namespace.hpp"
#include "router/topology/journal.hpp"
#include "router/topology/topology.hpp"

namespace nsr::router {

class HugeMemory;

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
    void make_crew();
    void start_threads();
    void change_rules(MakeRules make, RulesChanged done);
    void listen();
    void listen_tcp();
    void wake_later();
    void handle_signal(int number);
    void reload(ReloadRequest request, Reloaded done);
    void log_reload(const ReloadAnswer& answer);
    void begin_host();
    void host_changed(IfIndex interface, bool joined);
    void follow_host();
    void change_link(const IpArgs& args);
    void shut_down();

    Config config_;
    std::unique_ptr<InstanceLock> lock_;
    Journal journal_;
    SystemClock clock_;
    KernelLog log_;
    std::uint64_t memory_limit_bytes_;
    std::unique_ptr<ShardLinks> links_;  // null: there is one shard
    std::unique_ptr<Router> router_;
    HugeMemory* memory_ = nullptr;  // of its connections
    std::unique_ptr<procfs::Tree> tree_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<Crew> crew_;  // null: likewise
    std::unique_ptr<Hub> hub_;
    std::unique_ptr<Topology> topology_;
    std::unique_ptr<HostNamespace> host_;
    std::unique_ptr<ControlPort> control_;
    std::unique_ptr<http::Server> server_;
    bool wakes_ = false;
    unsigned reloads_by_signal_ = 0;
    std::unique_ptr<TaskQueue> tasks_;
    std::unique_ptr<TaskQueue> side_tasks_;  // that change nothing
    std::unique_ptr<Worker> worker_;         // ends first: what is queued refers to all above
    std::unique_ptr<StateCopies> copies_;
    std::optional<std::string> farewell_;  // what stays behind; set at the very end
};

}  // namespace nsr::router
