#include "router/daemon/service.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>
#include <utility>

#include "netlink/error.hpp"
#include "netlink/netns.hpp"
#include "router/changes/reload.hpp"
#include "router/changes/rule_change.hpp"
#include "router/changes/side_work.hpp"
#include "router/config/load.hpp"
#include "router/daemon/confine.hpp"
#include "router/daemon/core.hpp"
#include "router/daemon/daemon.hpp"
#include "router/daemon/huge_memory.hpp"
#include "router/daemon/memory_limit.hpp"
#include "router/ports/spin.hpp"

namespace nsr::router {
namespace {

constexpr std::uint64_t kMemoryIfUnknown = 2ull * 1024 * 1024 * 1024;
static_assert(kSpinBusy == Spin::kBusy);  // configurations know no event loop

}  // namespace

Service::Service(Config config)
    : config_(std::move(config)),
      lock_(std::make_unique<InstanceLock>(config_.name)),
      journal_(config_.name),
      log_(clock_),
      memory_limit_bytes_(memory_limit()) {
    memory_limit_bytes_ = memory_limit_bytes_ == 0 ? kMemoryIfUnknown : memory_limit_bytes_;
    make_router();
    log_warnings(config_.warnings, clock_.now(), log_);
    engine_ = std::make_unique<Engine>(*router_, clock_, log_);
    engine_->set_spin(config_.spin);
    engine_->set_coalescing(config_.coalesce);
    engine_->ring().make();  // though it be off: a reload may want it
    engine_->ring().set(config_.ring);
    hub_ = std::make_unique<Hub>(*router_);
    make_crew();
    // A signal that comes while things are being set up waits until they are, and ends them then.
    engine_->on_signal([this](int number) { handle_signal(number); });
    topology_ = std::make_unique<Topology>(
        Topology::Parts{*router_, *engine_, clock_, log_, journal_, crew_.get()}, config_);
    if (!config_.host_netns.empty()) {
        begin_host();
        topology_->on_change = [this](IfIndex interface, bool joined) {
            host_changed(interface, joined);
        };
    }
    listen();
}

Service::~Service() {
    shut_down();
}

void Service::run(const std::function<void()>& ready) {
    confine(config_.control.unix_path, [this] { start_threads(); });
    memory_->work_beside([this](Worker::Job job) { worker_->run(std::move(job)); });
    const auto post = [this](std::function<void()> work) {
        engine_->post([this, work = std::move(work)] {
            if (tasks_) {
                work();
            }
        });
    };
    tasks_ = std::make_unique<TaskQueue>(*worker_, post);
    side_tasks_ = std::make_unique<TaskQueue>(*worker_, post);
    copies_ = std::make_unique<StateCopies>(engine_->loop(), *worker_);
    notify_systemd("READY=1\nSTATUS=forwarding");
    ready();
    log_.reopen_stderr();  // a daemon has let go of the one that it began with
    engine_->run();
    notify_systemd("STOPPING=1");
    shut_down();
}

void Service::start_threads() {
    worker_ = std::make_unique<Worker>();
    if (crew_) {
        crew_->start(*worker_);
    }
}

// --- the beginning ------------------------------------------------------------------------------

void Service::make_router() {
    if (config_.shards > 1) {
        links_ =
            std::make_unique<ShardLinks>(config_.shards, static_cast<std::uint32_t>(random_seed()));
    }
    Core core = make_core(config_, memory_limit_bytes_, clock_.now(), log_,
                          links_ ? links_->place_of(0) : conntrack::ShardPlace{});
    router_ = std::move(core.router);
    memory_ = core.memory;
    tree_ = std::make_unique<procfs::Tree>(procfs::Context{
        *router_, config_.line_format, [this] { return log_.text(); }, memory_limit_bytes_});
}

void Service::make_crew() {
    if (links_) {
        crew_ = std::make_unique<Crew>(
            Crew::Parts{config_, *links_, *router_, *engine_, log_, clock_, memory_limit_bytes_});
    }
}

void Service::listen() {
    control_ = std::make_unique<ControlPort>(
        Controls{*router_,
                 *tree_,
                 log_,
                 clock_,
                 *engine_,
                 *hub_,
                 config_,
                 clock_.now(),
                 memory_limit_bytes_,
                 [this](ReloadRequest request, Reloaded done) { reload(request, std::move(done)); },
                 [this](MakeRules make, RulesChanged done) {
                     change_rules(std::move(make), std::move(done));
                 },
                 [this](std::function<void()> work, std::function<void(const std::string&)> done) {
                     side_tasks_->add(std::make_unique<SideWork>(std::move(work), std::move(done)));
                 },
                 [this](std::function<std::string()> work, StateCopies::Done done) {
                     copies_->ask(std::move(work), std::move(done));
                 },
                 [this] { engine_->stop(); },
                 [this] { return farewell_; },
                 [this](const IpArgs& args) { change_link(args); },
                 [this] { follow_host(); },
                 [this] { server_->wake(); },
                 [this] { return server_->clients(); },
                 {},
                 crew_.get()});
    server_ = std::make_unique<http::Server>(
        engine_->loop(), [this](const http::Request& request) { return control_->handle(request); },
        http::Limits{}, [this](std::function<void()> work) { engine_->schedule(std::move(work)); });
    log_.on_line = [this] { server_->wake(); };
    hub_->on_output = [this] { wake_later(); };
    if (!config_.control.unix_path.empty()) {
        server_->listen_unix(config_.control.unix_path, config_.control.token);
    }
    if (!config_.control.address.empty()) {
        listen_tcp();
    }
}

// Once for all that packets of a batch have for their listeners.
void Service::wake_later() {
    if (!std::exchange(wakes_, true)) {
        engine_->post([this] {
            wakes_ = false;
            if (server_) {
                server_->wake();
            }
        });
    }
}

void Service::listen_tcp() {
    const ControlConfig& control = config_.control;
    try {
        const netlink::Enter enter(control.netns);
        server_->listen_tcp(control.address, control.port, control.token);
    } catch (const SystemError& error) {
        throw SystemError(to_string(ConfigError{control.where, error.attempt()}), error.code());
    }
}

// --- the middle ---------------------------------------------------------------------------------

void Service::handle_signal(int number) {
    if (number == SIGUSR1 || number == SIGUSR2) {
        log_.log(clock_.now(), LogLevel::Info,
                 std::string("nsrouter: SIG") + ::sigabbrev_np(number) + " means nothing here");
        return;
    }
    if (number != SIGHUP) {
        engine_->stop();
        return;
    }
    // One may be at work already; one that waits will see all that the file says by then.
    constexpr unsigned kEnough = 2;
    if (reloads_by_signal_ == kEnough) {
        return;
    }
    ++reloads_by_signal_;
    reload({}, [this](const ReloadAnswer& answer) {
        --reloads_by_signal_;
        log_reload(answer);
    });
}

// The log keeps it (under --daemon there is nothing else), and standard error shows it.
void Service::log_reload(const ReloadAnswer& answer) {
    std::string begin = "nsrouter: reload: ";
    if (answer.refused) {
        begin = "nsrouter: reload refused: ";
    }
    std::istringstream lines(answer.text);
    for (std::string line; std::getline(lines, line);) {
        log_.log(clock_.now(), LogLevel::Error, begin + line);
    }
}

void Service::reload(ReloadRequest request, Reloaded done) {
    notify_systemd("RELOADING=1");
    auto answer = [this, done = std::move(done)](const ReloadAnswer& answered) {
        const auto tell = [done, answered] {
            notify_systemd("READY=1");
            done(answered);
        };
        if (!crew_) {
            return tell();
        }
        crew_->follow_config(config_);
        crew_->follow_network();
        crew_->follow_rules([this, tell] {
            crew_->release_ports();
            crew_->follow_settings(tell);
        });
    };
    if (crew_) {
        crew_->hold_ports();
    }
    tasks_->add(std::make_unique<Reload>(
        Reload::Parts{config_, *router_, *tree_, *engine_, *topology_, clock_, log_, *worker_,
                      memory_limit_bytes_, [this] { follow_host(); }},
        request, std::move(answer)));
}

void Service::change_rules(MakeRules make, RulesChanged done) {
    const auto here = [this](MakeRules change, RulesChanged changed) {
        tasks_->add(
            std::make_unique<RuleChange>(RuleChange::Parts{*router_, *engine_, clock_, *worker_},
                                         std::move(change), std::move(changed)));
    };
    if (crew_) {
        crew_->change_rules(here, std::move(make), std::move(done));
    } else {
        here(std::move(make), std::move(done));
    }
}

void Service::begin_host() {
    host_ = std::make_unique<HostNamespace>(config_.host_netns);
    follow_host();
}

// With the device of [host] everything in its namespace is lost, too.
void Service::host_changed(IfIndex interface, bool joined) {
    if (!router_->interfaces().get(interface).host) {
        follow_host();
    } else if (joined) {
        begin_host();
    } else {
        host_.reset();
    }
}

void Service::follow_host() {
    if (host_) {
        host_->follow(host_tables(router_->interfaces(), router_->routes()));
    }
}

void Service::change_link(const IpArgs& args) {
    const InterfaceConfig* link = config_.find_interface(args.interface);
    if (link == nullptr) {
        return;  // the [host] link is the namespace's own business
    }
    const IfIndex interface = router_->interfaces().find(args.interface)->index;
    if (args.mtu) {
        topology_->change_mtu(interface, *args.mtu);
    }
    if (args.up) {
        topology_->set_carrier(interface, *args.up);
    }
}

// --- the end ------------------------------------------------------------------------------------

void Service::shut_down() {
    if (server_) {
        server_->stop_listening();
    }
    copies_.reset();
    if (crew_) {
        crew_->stop();
    }
    memory_->work_beside(nullptr);
    worker_.reset();
    tasks_.reset();
    side_tasks_.reset();
    host_.reset();
    if (topology_) {
        topology_->close();
        farewell_ = std::string();
        for (const std::string& line : topology_->stays()) {
            *farewell_ += line + "\n";
        }
        topology_.reset();
    }
    lock_.reset();
    log_.on_line = nullptr;
    if (server_ && farewell_) {
        server_->wake();  // who asked for the end waits for what is to be said about it
        engine_->run_what_is_ready();
    }
    server_.reset();
}

}  // namespace nsr::router
