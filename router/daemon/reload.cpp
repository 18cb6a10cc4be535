#include "router/daemon/reload.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "router/config/build.hpp"
#include "router/config/load.hpp"
#include "router/daemon/daemon.hpp"

namespace nsr::router {
namespace {

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

void Reload::begin() {
    notify_systemd("RELOADING=1");
    path_ = parts_.config.path;
    basis_ = parts_.router.rules_basis();
}

void Reload::work() {
    loaded_ = load_config(path_, parts_.memory_limit_bytes);
    if (*loaded_) {
        prepared_ = prepare_rules((**loaded_)->ruleset, *basis_);
    }
}

Task::Next Reload::finish(const std::string& failure) {
    ReloadAnswer answer{true, path_ + ": " + failure + "\n"};
    if (failure.empty()) {
        try {
            answer = apply();
        } catch (const std::exception& error) {
            answer.text = path_ + ": " + error.what() + "\n";
        }
    }
    notify_systemd("READY=1");
    const Reloaded done = std::move(done_);
    parts_.worker.destroy(std::move(basis_));
    parts_.worker.destroy(std::move(loaded_));
    parts_.worker.destroy(std::move(prepared_));
    done(answer);
    return Next::Over;
}

ReloadAnswer Reload::apply() {
    if (!*loaded_) {
        return {true, in_lines(loaded_->error())};
    }
    const Config& next = **loaded_;
    const std::string refusal = refuse(next);
    if (!refusal.empty()) {
        return {true, path_ + ": " + refusal + "\n"};
    }
    const auto settings = with_sysctls(parts_.router.settings(), next, parts_.memory_limit_bytes);
    if (!settings) {
        return {true, in_lines(settings.error())};
    }
    // The old configuration wants them, too, and routes need their links.
    const std::string joined = parts_.topology.join_lost();
    ConfigErrors errors = set_routes(parts_.router, next);
    if (!errors.empty()) {
        return {true, joined + in_lines(errors)};
    }
    errors = apply_config();
    return {!errors.empty(), joined + in_lines(errors)};
}

// All of this was tried by the checks of the file: nothing is left that could be refused.
ConfigErrors Reload::apply_config() {
    const Instant now = parts_.clock.now();
    std::swap(parts_.config, **loaded_);
    const Config& config = parts_.config;
    parts_.router.adopt(*prepared_, now);
    ConfigErrors errors;
    if (const auto set = parts_.router.set_tracking(config.conntrack.mode, now); !set) {
        errors.push_back({config.conntrack.where, "connection tracking stays on: " + set.error()});
    }
    parts_.tree.context().line_format = config.line_format;
    const ConfigErrors refused = configure();
    errors.insert(errors.end(), refused.begin(), refused.end());
    parts_.engine.deadlines_changed();
    parts_.follow_host();
    parts_.log.log(now, LogLevel::Info, "nsrouter: configuration reloaded");
    return errors;
}

// Behind the rules, which may have switched accounting on.
ConfigErrors Reload::configure() {
    const auto settings =
        with_sysctls(parts_.router.settings(), parts_.config, parts_.memory_limit_bytes);
    if (!settings) {
        return settings.error();
    }
    parts_.router.configure(*settings);
    return {};
}

std::string Reload::refuse(const Config& next) const {
    const Config& now = parts_.config;
    if (next.name != now.name) {
        return "the name of a running router cannot change";
    }
    const bool same_links =
        std::equal(next.interfaces.begin(), next.interfaces.end(), now.interfaces.begin(),
                   now.interfaces.end(), same_link);
    if (!same_links || next.host_netns != now.host_netns || next.offload != now.offload) {
        return "interfaces, [host] and offload cannot change in a reload; stop and run again";
    }
    if (!same_control(next.control, now.control)) {
        return "[control] cannot change in a reload; stop and run again";
    }
    return {};
}

}  // namespace nsr::router
