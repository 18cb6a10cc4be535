#include "core/rules/language/rule_draft.hpp"

#include <algorithm>
#include <utility>

#include "core/rules/language/foreign.hpp"
#include "core/rules/matches/basic.hpp"
#include "core/rules/targets/standard.hpp"
#include "core/rules/targets/targets.hpp"

namespace nsr::rules {

void RuleDraft::set_protocol(const GivenOption& given) {
    const auto protocol = parse_protocol(given.value);
    if (!protocol) {
        const std::vector<std::string_view> names = {
            "tcp", "udp", "icmp", "icmpv6", "sctp", "dccp", "gre", "esp", "ah", "udplite", "all"};
        context_.error(
            given, "unknown protocol " + in_quotes(given.value) + did_you_mean(given.value, names));
        return;
    }
    if (protocol_given_) {
        context_.error(given, "-p stands twice in one rule");
    }
    protocol_given_ = true;
    if (*protocol == 0 && given.inverted) {
        context_.error(given, "\"! -p all\" would never match anything");
    }
    context_.protocol = *protocol;
    context_.protocol_inverted = given.inverted;
    if (*protocol != 0) {
        basic_[2] = std::make_shared<ProtocolMatch>(*protocol, given.inverted);
    }
}

void RuleDraft::set_addresses(const GivenOption& given, bool source) {
    auto& list = addresses_[source ? 0 : 1];
    if (!list.empty()) {
        context_.error(given, std::string(source ? "-s" : "-d") + " stands twice in one rule");
    }
    for (std::string_view part : split(given.value, ',')) {
        part.remove_prefix(std::min(part.find_first_not_of(" \t"), part.size()));
        const auto networks = parse_networks(part, context_.family, context_.names);
        list.insert(list.end(), networks.begin(), networks.end());
        if (networks.empty()) {
            context_.error(given, in_quotes(part) + " is not an " + wanted_address());
        }
    }
    address_inverted_[source ? 0 : 1] = given.inverted;
    const bool several = addresses_[0].size() > 1 || addresses_[1].size() > 1;
    if (several && (address_inverted_[0] || address_inverted_[1])) {
        context_.error(given,
                       "\"!\" cannot stand before a list of addresses; write one rule for each");
    }
}

std::string RuleDraft::wanted_address() const {
    return std::string(context_.v6() ? "IPv6 address or prefix, such as fd00::/8"
                                     : "IPv4 address or prefix, such as 10.0.0.0/8") +
           ", nor a name in /etc/hosts; the DNS is not asked";
}

void RuleDraft::set_interface(const GivenOption& given, bool in) {
    auto& match = basic_[in ? 0 : 1];
    if (std::exchange(interface_given_[in ? 0 : 1], true)) {
        context_.error(given, std::string(in ? "-i" : "-o") + " stands twice in one rule");
    }
    if (given.value.empty() || given.value.size() > 15) {
        context_.error(
            given, "interface name " + in_quotes(given.value) + " must have 1 to 15 characters");
    }
    check_interface_chain(given, in);
    if (given.value != "+" || given.inverted) {
        match = std::make_shared<InterfaceMatch>(in, given.value, given.inverted);
    }
}

void RuleDraft::check_interface_chain(const GivenOption& given, bool in) const {
    const std::string_view chain = context_.chain;
    if (in && (chain == "OUTPUT" || chain == "POSTROUTING")) {
        context_.error(given, "-i cannot be used in " + std::string(chain) +
                                  ", whose packets are on their way out; write -o");
    }
    if (!in && (chain == "PREROUTING" || chain == "INPUT")) {
        context_.error(given, "-o cannot be used in " + std::string(chain) +
                                  ", where the way out is not known; write -i");
    }
}

void RuleDraft::set_fragments(const GivenOption& given) {
    if (basic_[3] != nullptr) {
        context_.error(given, "-f stands twice in one rule");
    }
    if (context_.v6()) {
        context_.error(given, "-f is for IPv4 only; in IPv6 write -m frag");
    }
    basic_[3] = std::make_shared<FragmentMatch>(given.inverted);
}

void RuleDraft::set_counters(const GivenOption& given) {
    if (counters_given_) {
        context_.error(given, "-c stands twice in one rule");
    }
    counters_given_ = true;
    const std::size_t comma = given.value.find(',');  // "5,77" is one word
    const bool one_word = comma != std::string::npos;
    const auto packets = parse_decimal(std::string_view(given.value).substr(0, comma));
    const auto bytes =
        parse_decimal(one_word ? std::string_view(given.value).substr(comma + 1) : given.second);
    if (!packets || !bytes) {
        context_.error(given, "-c needs a number of packets and a number of bytes");
        return;
    }
    counters_ = {*packets, *bytes};
}

RuleDraft::TargetKind RuleDraft::set_target(const GivenOption& given, bool is_goto) {
    if (target_given_) {
        context_.error(given, "a rule has only one -j or -g");
        return TargetKind::Unknown;
    }
    target_given_ = true;
    const Chain* chain = chains_.find(given.value);
    if (chain != nullptr && chain->policy == Policy::None) {
        const auto kind = is_goto ? StandardTarget::Kind::Goto : StandardTarget::Kind::Jump;
        target_ = std::make_shared<StandardTarget>(kind, given.value);
        return TargetKind::Standard;
    }
    if (chain != nullptr) {
        context_.refuse(given, "a rule cannot jump to the built-in chain " + given.value);
        return TargetKind::Unknown;
    }
    if (!is_goto && set_verdict(given)) {
        return TargetKind::Standard;
    }
    if (!is_goto && find_target(given.value) != nullptr) {
        return TargetKind::Module;
    }
    if (!is_goto && tolerates_target(tolerance_, given.value)) {
        return TargetKind::Tolerated;
    }
    unknown_target(given, is_goto);
    return TargetKind::Unknown;
}

bool RuleDraft::set_verdict(const GivenOption& given) {
    using Kind = StandardTarget::Kind;
    const std::string& name = given.value;
    if (name != "ACCEPT" && name != "DROP" && name != "RETURN") {
        return false;
    }
    Kind kind = Kind::Return;
    if (name != "RETURN") {
        kind = name == "ACCEPT" ? Kind::Accept : Kind::Drop;
    }
    if (kind == Kind::Drop && context_.table == TableId::Nat) {
        context_.error(given,
                       "the nat table is not for filtering, so DROP is not allowed in it;"
                       " drop in filter, or in raw");
    }
    target_ = std::make_shared<StandardTarget>(kind, name);
    return true;
}

void RuleDraft::unknown_target(const GivenOption& given, bool is_goto) const {
    std::vector<std::string_view> names;
    for (const Chain& known : chains_.chains) {
        if (known.policy == Policy::None) {
            names.push_back(known.name);
        }
    }
    if (!is_goto) {
        names.insert(names.end(), {"ACCEPT", "DROP", "RETURN"});
        for (const TargetModule* row : target_modules()) {
            names.push_back(row->name);
        }
    }
    if (!is_goto && is_foreign(given.value)) {
        context_.error(given, not_supported("target " + given.value, given.value, {}));
        return;
    }
    context_.error(given, (is_goto ? "no chain " : "no chain or target ") + in_quotes(given.value) +
                              " in table " + std::string(name_of(context_.table)) +
                              did_you_mean(given.value, names));
}

std::vector<Rule> RuleDraft::expand() const {
    const auto sources = address_matches(0);
    const auto destinations = address_matches(1);
    if (sources.size() * destinations.size() > kMostRulesOfALine) {
        context_.error("the lists of -s and -d stand for " +
                       std::to_string(sources.size() * destinations.size()) +
                       " rules; one line may stand for " + std::to_string(kMostRulesOfALine) +
                       ", and an address set (-m set) for any number of addresses");
        return {};
    }
    std::vector<Rule> rules;
    rules.reserve(sources.size() * destinations.size());
    for (const auto& source : sources) {
        for (const auto& destination : destinations) {
            rules.push_back(rule_for(source, destination));
        }
    }
    return rules;
}

// Null in it: any address.
std::vector<std::shared_ptr<const Match>> RuleDraft::address_matches(std::size_t which) const {
    std::vector<std::shared_ptr<const Match>> matches;
    const bool inverted = address_inverted_[which];
    for (const MaskedAddress& address : addresses_[which]) {
        if (inverted || !address.mask.is_unspecified()) {
            matches.push_back(std::make_shared<AddressMatch>(which == 0, address, inverted));
        } else {
            matches.push_back(nullptr);
        }
    }
    if (matches.empty()) {
        matches.push_back(nullptr);
    }
    return matches;
}

Rule RuleDraft::rule_for(const std::shared_ptr<const Match>& source,
                         const std::shared_ptr<const Match>& destination) const {
    Rule rule;
    rule.target = target_;
    rule.counters = counters_;
    rule.where = context_.where;
    const auto add = [&](const std::shared_ptr<const Match>& match) {
        if (match != nullptr) {
            rule.matches.push_back(match);
        }
    };
    rule.matches.reserve(2 + basic_.size() + matches_.size());
    add(source);
    add(destination);
    std::for_each(basic_.begin(), basic_.end(), add);
    rule.matches.insert(rule.matches.end(), matches_.begin(), matches_.end());
    return rule;
}

}  // namespace nsr::rules
