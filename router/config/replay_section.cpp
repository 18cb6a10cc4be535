#include <algorithm>

#include "core/rules/language/parse.hpp"
#include "router/base/text_file.hpp"
#include "router/config/sections.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "router/tools/ip/args.hpp"
#include "router/tools/ipset/args.hpp"
#include "router/tools/nfct/command.hpp"

namespace nsr::router {
namespace {

void checkpoints(Section& section, ReplayConfig& replay);
ReplayEvent event(Section section, Config& config);
void event_rules(Section& section, Config& config, ReplayEvent& event);
void event_commands(Section& section, Config& config, ReplayEvent& event);
void event_sets(Section& section, ReplayEvent& event);
void event_timeouts(Section& section, ReplayEvent& event);
void try_rules(const Config& config, ConfigErrors& errors);

}  // namespace

void read_replay(Section section, Config& config) {
    ReplayConfig& replay = config.replay;
    checkpoints(section, replay);
    section.seconds("settle", replay.settle);
    for (const TomlValue* table : section.tables("event")) {
        replay.events.push_back(
            event(Section(table, "[[replay.event]]", section.errors()), config));
    }
    std::stable_sort(replay.events.begin(), replay.events.end(),
                     [](const ReplayEvent& a, const ReplayEvent& b) { return a.at < b.at; });
    try_rules(config, section.errors());
    section.finish();
}

namespace {

void checkpoints(Section& section, ReplayConfig& replay) {
    const TomlMember* member = section.take("checkpoints");
    if (member == nullptr) {
        return;
    }
    if (member->value.kind != TomlKind::Array) {
        section.wrong_type(*member, "an array of seconds");
        return;
    }
    for (const TomlValue& item : member->value.items) {
        if (const std::optional<Duration> at = to_duration(item)) {
            replay.checkpoints.push_back(*at);
        } else {
            section.fail(item.where, "checkpoints must be numbers of seconds, 0 or more");
        }
    }
    std::sort(replay.checkpoints.begin(), replay.checkpoints.end());
}

ReplayEvent event(Section section, Config& config) {
    ReplayEvent event;
    if (!section.seconds("at", event.at) && section.take("at") == nullptr) {
        section.fail(section.where(), "[[replay.event]] needs at = SECONDS");
    }
    event_rules(section, config, event);
    event_commands(section, config, event);
    if (section.value()->members.size() < 2 && section.take("at") != nullptr) {
        section.fail(section.where(),
                     "[[replay.event]] needs something to do: ipv4, ipv6, sysctl, conntrack, ip, "
                     "ipset or nfct");
    }
    section.finish();
    return event;
}

void event_rules(Section& section, Config& config, ReplayEvent& event) {
    for (const auto& [key, family] :
         {std::pair{"ipv4", Family::Ipv4}, std::pair{"ipv6", Family::Ipv6}}) {
        Located<std::string> name;
        if (section.string(key, name.value)) {
            name.where = section.take(key)->value.where;
            if (auto file = read_rule_file(name, family, config, section.errors())) {
                event.rules.push_back(std::move(*file));
            }
        }
    }
}

void event_commands(Section& section, Config& config, ReplayEvent& event) {
    if (const TomlValue* table = section.table("sysctl")) {
        event.sysctls = sysctl_settings(*table, section.errors());
        for (const SysctlConfig& setting : event.sysctls) {
            check_sysctl_setting(setting, config, section.errors());
        }
    }
    section.strings("conntrack", event.conntrack);
    for (const Located<std::string>& line : event.conntrack) {
        if (const auto args = parse_conntrack_args(line.value); !args) {
            section.fail(line.where, "conntrack: " + args.error());
        }
    }
    event_sets(section, event);
    event_timeouts(section, event);
    section.strings("ip", event.ip);
    for (const Located<std::string>& line : event.ip) {
        const auto args = parse_ip_args(line.value);
        if (!args) {
            section.fail(line.where, "ip: " + args.error());
        } else if (args->only_shows()) {
            section.fail(line.where, "ip: an event changes something; `" + line.value +
                                         "` only shows what there is");
        } else if (!args->interface.empty() && config.find_interface(args->interface) == nullptr) {
            section.fail(line.where, "ip: unknown interface \"" + args->interface + "\"" +
                                         suggestion(args->interface, config.interface_names()));
        }
    }
}

void event_timeouts(Section& section, ReplayEvent& event) {
    std::vector<Located<std::string>> lines;
    section.strings("nfct", lines);
    for (const Located<std::string>& line : lines) {
        std::vector<std::string> words;
        for (const Word& word :
             split_words(line.value, Quoting::Shell).value_or(std::vector<Word>{})) {
            words.push_back(word.text);
        }
        const auto args = parse_nfct_args(words);
        if (!args) {
            section.fail(line.where, args.error().substr(0, args.error().find('\n')));
        } else if (args->only_shows()) {
            section.fail(line.where,
                         "nfct: an event changes something; `" + line.value + "` does not");
        } else {
            event.nfct.push_back({*args, line.where});
        }
    }
}

void event_sets(Section& section, ReplayEvent& event) {
    section.strings("ipset", event.ipset);
    for (const Located<std::string>& line : event.ipset) {
        const auto args = parse_ipset_line(line.value);
        if (!args) {
            section.fail(line.where, "ipset: " + args.error().text);
        } else if (!*args || (*args)->only_shows() || (*args)->command == IpsetCommand::Restore) {
            section.fail(line.where,
                         "ipset: an event changes something; `" + line.value + "` does not");
        }
    }
}

// The rule files of events one after the other, on a copy, so that a replay cannot stop half-way.
void try_rules(const Config& config, ConfigErrors& errors) {
    rules::Ruleset ruleset = config.ruleset;
    for (const ReplayEvent& event : config.replay.events) {
        for (const RuleFile& file : event.rules) {
            const ConfigErrors wrong =
                rules::parse_save(file.text, file.path, file.family, ruleset, config.host_names);
            errors.insert(errors.end(), wrong.begin(), wrong.end());
        }
    }
}

}  // namespace
}  // namespace nsr::router
