#include "router/replay/event_changes.hpp"

#include <utility>

#include "core/procfs/sysctl.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/set_use.hpp"
#include "core/rules/timeout_use.hpp"
#include "router/config/sections.hpp"
#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "router/tools/ip/command.hpp"
#include "router/tools/ipset/command.hpp"
#include "router/tools/nfct/command.hpp"

namespace nsr::router {

void EventChanges::carry_out(const ReplayEvent& event, Instant now) {
    change_sets(event, now);
    change_timeouts(event);
    for (const RuleFile& file : event.rules) {
        load_rules(file, now);
    }
    write_sysctls(event);
    for (const Located<std::string>& line : event.conntrack) {
        const auto args = parse_conntrack_args(line.value);
        if (const auto answer = run_conntrack(*args, router_, now); !answer.error.empty()) {
            complain(line.where, "conntrack " + line.value + ": " + answer.error);
        }
    }
    for (const Located<std::string>& line : event.ip) {
        const IpAnswer answer = run_ip(*parse_ip_args(line.value), router_, now, {});
        if (!answer.error.empty()) {
            complain(line.where, "ip " + line.value + ": " + answer.error);
        }
    }
}

void EventChanges::change_sets(const ReplayEvent& event, Instant now) {
    const IpsetContext context{router_.sets(), [this] { return router_.set_references(); }, now};
    for (const Located<std::string>& line : event.ipset) {
        const auto args = parse_ipset_line(line.value);
        if (const IpsetAnswer answer = run_ipset(**args, context); answer.exit_code != 0) {
            complain(line.where, "ipset " + line.value + ": " + answer.errors);
        }
    }
}

void EventChanges::change_timeouts(const ReplayEvent& event) {
    for (const Located<NfctArgs>& args : event.nfct) {
        if (const NfctAnswer answer = run_nfct(args.value, router_); !answer.errors.empty()) {
            complain(args.where, answer.errors.substr(0, answer.errors.find('\n')));
        }
    }
}

// As iptables-restore: all of the file or nothing.
void EventChanges::load_rules(const RuleFile& file, Instant now) {
    rules::Ruleset ruleset = router_.ruleset();
    ConfigErrors errors =
        rules::parse_save(file.text, file.path, file.family, ruleset, config_.host_names);
    if (errors.empty()) {
        errors = rules::check_sets(ruleset, router_.sets().catalogue());
        const ConfigErrors misfits =
            rules::check_timeouts(ruleset, router_.timeout_policies().catalogue());
        errors.insert(errors.end(), misfits.begin(), misfits.end());
    }
    for (const ConfigError& error : errors) {
        complain(error.where, error.message);
    }
    if (!errors.empty()) {
        return;
    }
    router_.apply(std::move(ruleset), now);
    (file.family == Family::Ipv4 ? tables4_ : tables6_) = tables_in(file.text);
}

void EventChanges::write_sysctls(const ReplayEvent& event) {
    procfs::Context context{router_, config_.line_format, {}, memory_bytes_};
    for (const SysctlConfig& setting : event.sysctls) {
        if (const auto done = procfs::write_sysctl(context, setting.name, setting.value); !done) {
            complain(setting.where, setting.name + ": " +
                                        std::string(procfs::text_of(done.error().code)) + " " +
                                        done.error().detail);
        }
    }
}

void EventChanges::complain(const SourceLocation& where, const std::string& what) {
    complaints_.push_back(to_string(ConfigError{where, what}));
}

}  // namespace nsr::router
