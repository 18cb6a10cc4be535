// [timeout.NAME]: timeout policies, and how they come into a router.
#include <algorithm>

#include "core/base/words.hpp"
#include "core/pipeline/router.hpp"
#include "router/config/build.hpp"
#include "router/config/sections.hpp"

namespace nsr::router {
namespace {

std::vector<std::string> protocol_names() {
    std::vector<std::string> names;
    for (const conntrack::TimeoutProtocol& row : conntrack::timeout_protocols()) {
        names.emplace_back(row.name);
    }
    return names;
}

std::string state_names(const conntrack::TimeoutProtocol& protocol) {
    std::string names;
    for (const conntrack::TimeoutState& state : protocol.states) {
        names += (names.empty() ? "" : ", ") + lower(state.name);
    }
    return names;
}

// What `nfct add timeout` would be told.
void read_policy(Section section, const std::string& name, Config& config) {
    NfctArgs add{.command = NfctCommand::Add, .name = name};
    const auto family = section.one_of("family", {"inet", "inet6"});
    const auto protocol = section.one_of("protocol", protocol_names());
    for (const char* key : {"family", "protocol"}) {
        if (section.take(key) == nullptr) {
            section.fail(section.where(),
                         "[timeout." + name + "] needs " + key +
                             (key == std::string_view("family") ? " = \"inet\" or \"inet6\""
                                                                : ", such as protocol = \"tcp\""));
        }
    }
    if (!family || !protocol) {
        return;
    }
    add.family = *family == 0 ? Family::Ipv4 : Family::Ipv6;
    add.protocol = &conntrack::timeout_protocols()[*protocol];
    for (const conntrack::TimeoutState& state : add.protocol->states) {
        std::int64_t seconds = 0;
        if (section.integer(lower(state.name), {0, conntrack::kLongestTimeout}, seconds)) {
            add.values.push_back({&state, static_cast<std::uint32_t>(seconds)});
        }
    }
    if (add.values.empty() && section.value()->members.size() == 2) {
        section.fail(section.where(), "[timeout." + name + "] needs the seconds of a state: " +
                                          state_names(*add.protocol));
    }
    section.finish();
    config.timeouts.push_back({std::move(add), section.where()});
}

std::string name_problem(const std::string& name) {
    const bool fits = !name.empty() && name.size() <= conntrack::kMaxTimeoutNameBytes;
    return fits && is_printable_name(name)
               ? ""
               : "the name of a timeout policy has 1 to " +
                     std::to_string(conntrack::kMaxTimeoutNameBytes) + " printable characters";
}

conntrack::TimeoutPolicies aside_of(const Config& config) {
    conntrack::TimeoutPolicies aside;
    for (const TimeoutConfig& timeout : config.timeouts) {
        static_cast<void>(aside.put(policy_of(timeout.add, {})));
    }
    return aside;
}

}  // namespace

void read_timeouts(Section section, Config& config) {
    if (section.value() == nullptr) {
        return;
    }
    for (const TomlMember& member : section.value()->members) {
        const TomlValue* table = section.table(member.key);
        if (const std::string wrong = name_problem(member.key); !wrong.empty()) {
            section.fail(member.where, wrong);
        } else if (config.timeouts.size() == conntrack::kMostTimeoutPolicies) {
            section.fail(member.where, "there can be " +
                                           std::to_string(conntrack::kMostTimeoutPolicies) +
                                           " timeout policies");
            return;
        } else if (table != nullptr) {
            read_policy(Section(table, "[timeout." + member.key + "]", section.errors()),
                        member.key, config);
        }
    }
}

conntrack::TimeoutCatalogue timeouts_of(const Config& config) {
    return aside_of(config).catalogue();
}

void check_timeouts(const Config& config, ConfigErrors& errors) {
    const ConfigErrors wrong = rules::check_timeouts(config.ruleset, timeouts_of(config));
    errors.insert(errors.end(), wrong.begin(), wrong.end());
}

std::vector<TimeoutConfig> changed_timeouts(const Config& before, const Config& next,
                                            const Router& router) {
    std::vector<TimeoutConfig> changed;
    for (const TimeoutConfig& timeout : next.timeouts) {
        const bool same =
            std::any_of(before.timeouts.begin(), before.timeouts.end(),
                        [&](const TimeoutConfig& old) { return old.add == timeout.add; });
        if (!same || router.conntrack().timeout_policies().find(timeout.add.name) == nullptr) {
            changed.push_back(timeout);
        }
    }
    return changed;
}

ConfigErrors put_timeouts(Router& router, const std::vector<TimeoutConfig>& timeouts) {
    ConfigErrors errors;
    for (const TimeoutConfig& timeout : timeouts) {
        const auto policy = policy_of(timeout.add, router.settings().conntrack.timeouts);
        if (!router.timeout_policies().put(policy)) {
            errors.push_back({timeout.where, "there are too many timeout policies"});
        }
    }
    return errors;
}

void remove_old_timeouts(Router& router, const Config& before, const Config& next) {
    for (const TimeoutConfig& old : before.timeouts) {
        const bool stays = std::any_of(
            next.timeouts.begin(), next.timeouts.end(),
            [&](const TimeoutConfig& timeout) { return timeout.add.name == old.add.name; });
        if (!stays && !router.timeout_references().contains(old.add.name)) {
            router.timeout_policies().remove(old.add.name);
        }
    }
}

}  // namespace nsr::router
