#include "router/tools/nfct/command.hpp"

#include "core/pipeline/router.hpp"

namespace nsr::router {

namespace {

using conntrack::TimeoutPolicy;
using conntrack::TimeoutProtocol;
using conntrack::Timeouts;

constexpr std::string_view kExists = "netlink error: Device or resource busy";
constexpr std::string_view kMissing = "netlink error: No such file or directory";

// libnetfilter_cttimeout: nfct_timeout_snprintf_default
std::string body_of(Family family, const TimeoutProtocol& protocol, const Timeouts& timeouts) {
    constexpr int kInet = 2;
    constexpr int kInet6 = 10;
    std::string text = "\t.l3proto = " + std::to_string(family == Family::Ipv6 ? kInet6 : kInet) +
                       ",\n\t.l4proto = " + std::to_string(protocol.number) + ",\n\t.policy = {\n";
    for (const conntrack::TimeoutState& state : protocol.states) {
        text += "\t\t." + std::string(state.name) + " = " +
                std::to_string(timeouts.*state.seconds) + ",\n";
    }
    return text + "\t},\n};\n";
}

std::string text_of(const TimeoutPolicy& policy) {
    return "." + policy.name + " = {\n" +
           body_of(policy.family, conntrack::timeout_protocol(policy.protocol), policy.timeouts);
}

std::string listing(const Router& router) {
    std::string text;
    for (const TimeoutPolicy* policy : router.conntrack().timeout_policies().all()) {
        text += text_of(*policy);
    }
    return text;
}

Timeouts with_values(Timeouts timeouts, const std::vector<NfctValue>& values) {
    for (const NfctValue& value : values) {
        timeouts.*value.state->seconds = value.seconds;
    }
    return timeouts;
}

NfctAnswer add(const NfctArgs& args, Router& router) {
    conntrack::TimeoutPolicies& policies = router.timeout_policies();
    if (policies.find(args.name) != nullptr) {
        return {{}, nfct_error(kExists)};
    }
    const bool added = policies.put(policy_of(args, router.settings().conntrack.timeouts));
    return {{}, added ? std::string() : nfct_error("netlink error: No space left on device")};
}

// kernel: ctnl_timeout_try_del
NfctAnswer remove(const std::string& name, Router& router) {
    if (router.timeout_references().contains(name)) {
        return {{}, nfct_error(kExists)};
    }
    const bool removed = router.timeout_policies().remove(name);
    return {{}, removed ? std::string() : nfct_error(kMissing)};
}

// Those that rules name stay.
void flush(Router& router) {
    for (const auto& [name, kind] : router.timeout_policies().catalogue()) {
        static_cast<void>(remove(name, router));
    }
}

NfctAnswer get(const std::string& name, const Router& router) {
    const TimeoutPolicy* policy = router.conntrack().timeout_policies().find(name);
    return policy == nullptr ? NfctAnswer{{}, nfct_error(kMissing)}
                             : NfctAnswer{text_of(*policy), {}};
}

}  // namespace

// kernel: ctnl_timeout_parse_policy
TimeoutPolicy policy_of(const NfctArgs& args, const Timeouts& otherwise) {
    return {args.name, args.family, args.protocol->number, with_values(otherwise, args.values)};
}

NfctAnswer run_nfct(const NfctArgs& args, Router& router) {
    switch (args.command) {
        case NfctCommand::List:
            return {listing(router), {}};
        case NfctCommand::Add:
            return add(args, router);
        case NfctCommand::Delete:
            return remove(args.name, router);
        case NfctCommand::Get:
            return get(args.name, router);
        case NfctCommand::Flush:
            flush(router);
            return {};
        case NfctCommand::DefaultSet: {
            pipeline::Settings settings = router.settings();
            settings.conntrack.timeouts = with_values(settings.conntrack.timeouts, args.values);
            router.configure(settings);
            return {};
        }
        case NfctCommand::DefaultGet:
            return {body_of(args.family, *args.protocol, router.settings().conntrack.timeouts), {}};
    }
    return {};
}

}  // namespace nsr::router
