#include "router/changes/reload.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/rules/edit.hpp"
#include "netlink/error.hpp"
#include "router/config/build.hpp"
#include "router/config/load.hpp"

namespace nsr::router {
namespace {

bool same_control(const ControlConfig& a, const ControlConfig& b) {
    return a.address == b.address && a.port == b.port && a.unix_path == b.unix_path &&
           a.netns == b.netns && a.token == b.token && a.events == b.events &&
           a.events_linger == b.events_linger;
}

// What a running router cannot change; empty: nothing of that.
std::string impossible(const Config& now, const Config& next) {
    if (next.name != now.name) {
        return "the name of a running router cannot change";
    }
    if (next.host_netns != now.host_netns) {
        return "[host] cannot change in a reload; stop and run again";
    }
    if (next.shards != now.shards) {
        return "shards cannot change in a reload; stop and run again";
    }
    if (next.offload != now.offload) {
        return "offload cannot change in a reload; stop and run again";
    }
    if (!same_control(next.control, now.control)) {
        return "[control] cannot change in a reload; stop and run again";
    }
    return {};
}

std::vector<std::string> names_of(const std::vector<LostLink>& links) {
    std::vector<std::string> names;
    for (const LostLink& link : links) {
        names.push_back(link.name);
    }
    return names;
}

// As far as routes go.
bool same_links(const routing::InterfaceTable& a, const routing::InterfaceTable& b) {
    return std::equal(a.all().begin(), a.all().end(), b.all().begin(), b.all().end(),
                      [](const routing::Interface& x, const routing::Interface& y) {
                          return x.index == y.index && x.up == y.up && x.addresses == y.addresses;
                      });
}

std::string in_words(const LinkChange& change) {
    switch (change.kind) {
        case LinkChange::Kind::Comes:
            return "interface " + change.name + " is new\n";
        case LinkChange::Kind::Goes:
            return "interface " + change.name + " is gone\n";
        case LinkChange::Kind::Moves:
            return "interface " + change.name + " has a new device\n";
        case LinkChange::Kind::Adjusts:
            return "interface " + change.name + " has changed\n";
        case LinkChange::Kind::Rejoins:
            break;  // Topology tells what was lost
    }
    return {};
}

}  // namespace

// --- before -------------------------------------------------------------------------------------

bool Reload::begin() {
    if (!parts_.router.read_counters(reading_)) {
        return false;
    }
    parts_.topology.begin_change();
    basis_ = parts_.router.rules_basis(reading_);
    interfaces_ = parts_.router.interfaces();
    lost_ = parts_.topology.lost();
    settings_ = parts_.router.settings();
    sets_ = std::make_unique<SetsReload>(parts_.router.sets(), parts_.clock.now());
    return true;
}

void Reload::work() {
    switch (phase_) {
        case Phase::Prepare:
            prepare();
            break;
        case Phase::CleanUp:
            unused_.clear();
            let_go(link_changes_, parts_.topology.setup());
            break;
        case Phase::TakeBack:
            take_back(link_changes_, parts_.topology.setup());
            break;
        case Phase::Judge:
            existing_->judge();
            break;
    }
}

// Nobody but a reload changes the configuration at work: reading it here is safe.
void Reload::prepare() {
    const Config& now = parts_.config;
    std::error_code unknown;
    if (const auto facts = std::filesystem::status(now.path, unknown);
        std::filesystem::exists(facts) && !std::filesystem::is_regular_file(facts)) {
        return refuse(now.path + ": not a regular file: it cannot be read again\n");
    }
    loaded_ = load_config(now.path, parts_.memory_limit_bytes);
    if (!*loaded_) {
        return refuse(in_lines(loaded_->error()));
    }
    Config& next = **loaded_;
    if (const std::string why = impossible(now, next); !why.empty()) {
        return refuse(now.path + ": " + why + "\n");
    }
    interface_changes_ = interface_changes(now, next, interfaces_);
    if (interface_changes_.too_many) {
        return refuse(now.path + ": too many interfaces have come and gone; stop and run again\n");
    }
    const routing::InterfaceTable table = table_after(interface_changes_, lost_, interfaces_);
    ConfigErrors errors = try_routes(next, table);
    const auto settings =
        with_sysctls(settings_, next, table.names_by_index(), parts_.memory_limit_bytes);
    if (!settings) {
        errors.insert(errors.end(), settings.error().begin(), settings.error().end());
    }
    const ConfigErrors wrong_sets = sets_->make(next);
    errors.insert(errors.end(), wrong_sets.begin(), wrong_sets.end());
    if (!errors.empty()) {
        return refuse(in_lines(errors));
    }
    prepare_rules(next, table, *settings);
    if (!request_.dry_run) {
        change_links(next);
    }
}

// A rule that stays the same is the same rule: it goes on counting and remembering, and connections
// know it.
void Reload::prepare_rules(Config& next, const routing::InterfaceTable& table,
                           const pipeline::Settings& settings) {
    rules::keep_identity(basis_->ruleset(), next.ruleset, rules::CountersOf::Kept);
    if (judges()) {
        existing_->prepare(
            {table, routes_of(next, table), settings, next.conntrack.mode, policy_rules_of(next)},
            {basis_->ruleset(), next.ruleset});
    }
    basis_->interfaces = names_after(interface_changes_, basis_->interfaces);
    prepared_ = nsr::prepare_rules(next.ruleset, *basis_);
}

void Reload::change_links(const Config& next) {
    std::vector<LinkChange> changes = link_changes(parts_.config, next, names_of(lost_));
    try {
        carry_out(changes, parts_.topology.setup());
        link_changes_ = std::move(changes);
    } catch (const std::exception& error) {
        refuse(parts_.config.path + ": " + error.what() + "\n");
    }
}

void Reload::refuse(std::string why) {
    answer_ = {true, std::move(why)};
}

// --- between two batches ------------------------------------------------------------------------

Task::Next Reload::finish(const std::string& failure) {
    if (!failure.empty() && phase_ == Phase::Prepare) {
        refuse(parts_.config.path + ": " + failure + "\n");
    } else if (!failure.empty()) {
        answer_.text += failure + "\n";
    }
    switch (phase_) {
        case Phase::Prepare:
            return answer_.refused || request_.dry_run ? go_on() : exchange_or_take_back();
        case Phase::CleanUp:
        case Phase::TakeBack:
            return go_on();
        case Phase::Judge:
            if (!request_.dry_run) {
                existing_->carry_out(parts_.router, parts_.clock.now());
                parts_.engine.deadlines_changed();
            }
            return judge_next();
    }
    return Next::Over;
}

Task::Next Reload::exchange_or_take_back() {
    if (const ConfigErrors errors = ask_again(); !errors.empty()) {
        refuse(in_lines(errors));
        phase_ = Phase::TakeBack;
    } else {
        exchange();
        phase_ = Phase::CleanUp;
    }
    return link_changes_.empty() ? go_on() : Next::WorkAgain;
}

// Links are done with.
Task::Next Reload::go_on() {
    parts_.topology.end_change();
    if (judges() && !answer_.refused) {
        phase_ = Phase::Judge;
        return judge_next();
    }
    end();
    return Next::Over;
}

Task::Next Reload::judge_next() {
    if (existing_->collect(parts_.router, parts_.clock.now())) {
        return Next::WorkAgain;
    }
    answer_.text += existing_->report();
    if (request_.dry_run) {
        answer_.text += "the configuration can be loaded; nothing was changed\n";
    }
    end();
    return Next::Over;
}

bool Reload::judges() const {
    return request_.dry_run || request_.existing != ReloadRequest::Existing::Keep;
}

// The router went on since the file was checked. There may be many routes: they are tried again
// only if links have changed.
ConfigErrors Reload::ask_again() const {
    const Config& next = **loaded_;
    const routing::InterfaceTable table =
        table_after(interface_changes_, parts_.topology.lost(), parts_.router.interfaces());
    ConfigErrors errors;
    if (!same_links(interfaces_, parts_.router.interfaces())) {
        errors = try_routes(next, table);
    }
    const auto settings = with_sysctls(parts_.router.settings(), next, table.names_by_index(),
                                       parts_.memory_limit_bytes);
    if (!settings) {
        errors.insert(errors.end(), settings.error().begin(), settings.error().end());
    }
    const ConfigErrors of_sets =
        sets_->problems(parts_.config.sets, next.sets, parts_.router.sets());
    errors.insert(errors.end(), of_sets.begin(), of_sets.end());
    return errors;
}

void Reload::exchange() {
    const Instant now = parts_.clock.now();
    std::swap(parts_.config, **loaded_);
    for (const LinkChange& change : link_changes_) {
        answer_.text += in_words(change);
    }
    apply(interface_changes_, parts_.router, now);
    exchange_links();
    set_states();
    answer_.text += in_lines(set_routes(parts_.router, parts_.config));
    sets_->exchange((**loaded_).sets, parts_.config.sets, parts_.router.sets(), now);
    const auto timeouts = changed_timeouts(**loaded_, parts_.config, parts_.router);
    answer_.text += in_lines(put_timeouts(parts_.router, timeouts));
    parts_.router.adopt(*prepared_, now);
    sets_->remove_old((**loaded_).sets, parts_.config.sets, parts_.router);
    remove_old_timeouts(parts_.router, **loaded_, parts_.config);
    set_tracking();
    parts_.tree.context().line_format = parts_.config.line_format;
    parts_.router.resize_recorder(parts_.config.records);
    parts_.router.history().resize(parts_.config.capture_ring_bytes);
    parts_.engine.set_spin(parts_.config.spin);
    parts_.engine.set_coalescing(parts_.config.coalesce);
    parts_.engine.ring().set(parts_.config.ring);
    configure();
    answer_.text += in_lines(put_timeouts(parts_.router, timeouts));  // by the new sysctls
    parts_.engine.deadlines_changed();
    follow_host();
    log_warnings(parts_.config.warnings, now, parts_.log);
    parts_.log.log(now, LogLevel::Info, "nsrouter: configuration reloaded");
}

// What the machine does not let us do for one link is told; the others and the rules go on.
void Reload::exchange_links() {
    try {
        unused_ = parts_.topology.exchange(link_changes_, answer_.text);
    } catch (const SystemError& error) {
        answer_.text += std::string(error.what()) + "\n";
    }
}

// Up and down, where the file says it anew.
void Reload::set_states() {
    for (const InterfaceChanges::Changed& changed : interface_changes_.stay) {
        if (changed.up) {
            parts_.router.set_up(changed.index, *changed.up, parts_.clock.now());
            parts_.engine.set_carrier(changed.index, *changed.up);
        }
    }
}

void Reload::set_tracking() {
    const ConntrackConfig& wanted = parts_.config.conntrack;
    const auto set = parts_.router.set_tracking(wanted.mode, parts_.clock.now());
    if (!set) {
        answer_.text += in_lines({{wanted.where, "connection tracking stays on: " + set.error()}});
    }
}

// Behind the rules, which may have switched accounting on.
void Reload::configure() {
    const routing::InterfaceTable& interfaces = parts_.router.interfaces();
    const auto settings = with_sysctls(parts_.router.settings(), parts_.config,
                                       interfaces.names_by_index(), parts_.memory_limit_bytes);
    if (settings) {
        parts_.router.configure(*settings);
    } else {
        answer_.text += in_lines(settings.error());
    }
}

// The namespace is not ours alone: what somebody did there does not undo the rest.
void Reload::follow_host() {
    try {
        parts_.follow_host();
    } catch (const SystemError& error) {
        answer_.text += std::string("[host] is not as it should be: ") + error.what() + "\n";
    }
}

// --- after --------------------------------------------------------------------------------------

void Reload::end() {
    const Reloaded done = std::move(done_);
    parts_.worker.destroy(std::move(basis_));
    parts_.worker.destroy(std::move(loaded_));
    parts_.worker.destroy(std::move(prepared_));
    parts_.worker.destroy(std::move(existing_));
    parts_.worker.destroy(std::move(sets_));
    done(answer_);
}

}  // namespace nsr::router
