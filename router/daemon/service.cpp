#include "router/daemon/service.hpp"
#include "router/config/load.hpp"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>

#include "netlink/error.hpp"
#include "netlink/netns.hpp"
#include "router/config/build.hpp"
#include "router/daemon/confine.hpp"
#include "router/daemon/daemon.hpp"
#include "router/daemon/memory_limit.hpp"

namespace nsr::router {
namespace {

constexpr std::uint64_t kMemoryIfUnknown = 2ull * 1024 * 1024 * 1024;

std::uint64_t random_seed() {
    std::uint64_t seed = 0;
    netlink::check_call("ask the kernel for randomness",
                        static_cast<int>(::getrandom(&seed, sizeof seed, 0)));
    return seed;
}

bool same_link(const InterfaceConfig& a, const InterfaceConfig& b) {
    const auto same_prefix = [](const Located<Prefix>& x, const Located<Prefix>& y) {
        return x.value == y.value;
    };
    const auto same_route = [](const HostRoute& x, const HostRoute& y) {
        return x.to == y.to && x.via == y.via;
    };
    return a.name == b.name && a.device == b.device && a.netns == b.netns && a.mtu == b.mtu &&
           a.host_forwarding == b.host_forwarding &&
           std::equal(a.addresses.begin(), a.addresses.end(), b.addresses.begin(),
                      b.addresses.end(), same_prefix) &&
           std::equal(a.host_addresses.begin(), a.host_addresses.end(), b.host_addresses.begin(),
                      b.host_addresses.end(), same_prefix) &&
           std::equal(a.host_routes.begin(), a.host_routes.end(), b.host_routes.begin(),
                      b.host_routes.end(), same_route);
}

bool same_control(const ControlConfig& a, const ControlConfig& b) {
    return a.address == b.address && a.port == b.port && a.unix_path == b.unix_path &&
           a.netns == b.netns && a.token == b.token;
}

}  // namespace

Service::Service(Config config)
    : config_(std::move(config)),
      lock_(std::make_unique<InstanceLock>(config_.name)),
      journal_(config_.name),
      log_(clock_),
      memory_limit_bytes_(memory_limit()) {
    memory_limit_bytes_ = memory_limit_bytes_ == 0 ? kMemoryIfUnknown : memory_limit_bytes_;
    make_router();
    log_warnings();
    engine_ = std::make_unique<Engine>(*router_, clock_, log_);
    // A signal that comes while things are being set up waits until they are, and ends them then.
    engine_->on_signal([this](int number) { handle_signal(number); });
    topology_ = std::make_unique<Topology>(
        Topology::Parts{*router_, *engine_, clock_, log_, journal_}, config_);
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
    confine(config_.control.unix_path);
    notify_systemd("READY=1\nSTATUS=forwarding");
    ready();
    log_.reopen_stderr();  // a daemon has let go of the one that it began with
    engine_->run();
    notify_systemd("STOPPING=1");
    shut_down();
}

// --- the beginning ------------------------------------------------------------------------------

void Service::make_router() {
    const auto require_none = [this](const ConfigErrors& errors) {
        if (!errors.empty()) {
            throw SystemError("start router '" + config_.name + "'", EINVAL,
                              "\n" + in_lines(errors));
        }
    };
    auto options = router_options(config_, memory_limit_bytes_);
    require_none(options ? ConfigErrors{} : options.error());
    options->seed = random_seed();
    options->key_seed = random_seed();
    options->log = &log_;
    router_ = std::make_unique<Router>(std::move(*options));
    require_none(fill_router(*router_, config_, clock_.now()));
    if (!config_.host_netns.empty()) {
        routing::Interface host;
        host.name = kHostInterface;
        host.host = true;
        host.mtu = 65535;  // the links behind it are what limits
        router_->add_interface(std::move(host));
    }
    tree_ = std::make_unique<procfs::Tree>(procfs::Context{
        *router_, config_.line_format, [this] { return log_.text(); }, memory_limit_bytes_});
}

void Service::log_warnings() {
    std::istringstream lines(warnings_in_lines(config_.warnings));
    for (std::string line; std::getline(lines, line);) {
        log_.log(clock_.now(), LogLevel::Warning, "nsrouter: " + line);
    }
}

void Service::listen() {
    control_ = std::make_unique<ControlPort>(Controls{
        *router_, *tree_, log_, clock_, *engine_, config_, clock_.now(), memory_limit_bytes_,
        [this] { return reload(); }, [this] { engine_->stop(); }, [this] { return farewell_; },
        [this](const IpArgs& args) { change_link(args); }, [this] { follow_host(); }});
    server_ = std::make_unique<http::Server>(engine_->loop(), [this](const http::Request& request) {
        return control_->handle(request);
    });
    log_.on_line = [this] { server_->wake(); };
    if (!config_.control.unix_path.empty()) {
        server_->listen_unix(config_.control.unix_path, config_.control.token);
    }
    if (!config_.control.address.empty()) {
        listen_tcp();
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
    // The log keeps it (under --daemon there is nothing else), and standard error shows it.
    const ReloadAnswer answer = reload();
    std::string begin = "nsrouter: reload: ";
    if (answer.refused) {
        begin = "nsrouter: reload refused: ";
    }
    std::istringstream lines(answer.text);
    for (std::string line; std::getline(lines, line);) {
        log_.log(clock_.now(), LogLevel::Error, begin + line);
    }
}

ReloadAnswer Service::reload() {
    try {
        return apply_file();
    } catch (const std::exception& failure) {
        return {true, config_.path + ": " + failure.what() + "\n"};
    }
}

ReloadAnswer Service::apply_file() {
    auto next = load_config(config_.path, memory_limit_bytes_);
    if (!next) {
        return {true, in_lines(next.error())};
    }
    const std::string refusal = refuse_reload(*next);
    if (!refusal.empty()) {
        return {true, config_.path + ": " + refusal + "\n"};
    }
    const auto settings = with_sysctls(router_->settings(), *next, memory_limit_bytes_);
    ConfigErrors errors = settings ? ConfigErrors{} : settings.error();
    if (!errors.empty()) {
        return {true, in_lines(errors)};
    }
    // The old configuration wants them, too, and routes need their links.
    const std::string joined = topology_->join_lost();
    errors = set_routes(*router_, *next);
    if (!errors.empty()) {
        return {true, joined + in_lines(errors)};
    }
    notify_systemd("RELOADING=1");
    config_ = std::move(*next);
    log_warnings();
    errors = apply_config();
    notify_systemd("READY=1");
    return {!errors.empty(), joined + in_lines(errors)};
}

// All of this was tried by the checks of the file: nothing is left that could be refused.
ConfigErrors Service::apply_config() {
    const Instant now = clock_.now();
    router_->apply(config_.ruleset, now);
    ConfigErrors errors;
    if (const auto set = router_->set_tracking(config_.conntrack.mode, now); !set) {
        errors.push_back({config_.conntrack.where, "connection tracking stays on: " + set.error()});
    }
    tree_->context().line_format = config_.line_format;
    // Once more: rules may have switched accounting on.
    const auto settings = with_sysctls(router_->settings(), config_, memory_limit_bytes_);
    if (settings) {
        router_->configure(*settings);
    } else {
        errors.insert(errors.end(), settings.error().begin(), settings.error().end());
    }
    engine_->deadlines_changed();
    follow_host();
    log_.log(now, LogLevel::Info, "nsrouter: configuration reloaded");
    return errors;
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

std::string Service::refuse_reload(const Config& next) const {
    if (next.name != config_.name) {
        return "the name of a running router cannot change";
    }
    const bool same_links =
        std::equal(next.interfaces.begin(), next.interfaces.end(), config_.interfaces.begin(),
                   config_.interfaces.end(), same_link);
    if (!same_links || next.host_netns != config_.host_netns || next.offload != config_.offload) {
        return "interfaces, [host] and offload cannot change in a reload; stop and run again";
    }
    if (!same_control(next.control, config_.control)) {
        return "[control] cannot change in a reload; stop and run again";
    }
    return {};
}

// --- the end ------------------------------------------------------------------------------------

void Service::shut_down() {
    if (server_) {
        server_->stop_listening();
    }
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
