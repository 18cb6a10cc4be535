// A firewall of rules alone: text is read, packets are shown to one chain at a time.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/conntrack/conntrack.hpp"
#include "core/packet/dissect.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/ruleset.hpp"
#include "core/sets/sets.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::test {

inline constexpr IfIndex kLan{1};
inline constexpr IfIndex kWan{2};

// lan is 10.0.0.1/24, wan is 198.51.100.7/24 with an MTU of 1400.
struct SmallNetwork final : rules::Network {
    std::string_view interface_name(IfIndex index) const override {
        return index == kLan ? "lan" : index == kWan ? "wan" : "";
    }
    std::optional<IpAddress> primary_address(IfIndex index,
                                             const IpAddress& towards) const override {
        if (towards.is_v6()) {
            return parse_address(index == kLan ? "fd00::1" : "2001:db8::7");
        }
        return parse_address(index == kLan ? "10.0.0.1" : "198.51.100.7");
    }
    std::uint32_t path_mtu(const IpAddress& to) const override {
        return route_interface(to, 0, IfIndex::None) == kLan ? 1500 : 1400;
    }
    std::uint32_t path_mtu() const override { return 1400; }
    std::uint32_t interface_mtu(IfIndex index) const override {
        return index == kLan ? 1500 : 1400;
    }
    AddressType address_type(const IpAddress& address, std::optional<IfIndex> only) const override {
        const bool on_lan = address == *parse_address("10.0.0.1");
        const bool on_wan = address == *parse_address("198.51.100.7");
        if ((on_lan && only.value_or(kLan) == kLan) || (on_wan && only.value_or(kWan) == kWan)) {
            return AddressType::Local;
        }
        return address.is_multicast() ? AddressType::Multicast : AddressType::Unicast;
    }
    std::optional<IfIndex> route_interface(const IpAddress& address, Mark /*mark*/,
                                           IfIndex /*preferred*/) const override {
        return parse_prefix("10.0.0.0/24")->contains(address) ? kLan : kWan;
    }
};

inline rules::Ruleset parsed(std::string_view text, Family family = Family::Ipv4) {
    rules::Ruleset ruleset;
    const ConfigErrors errors = rules::parse_save(text, "rules", family, ruleset);
    for (const ConfigError& error : errors) {
        FAIL_CHECK(to_string(error));
    }
    return ruleset;
}

// The errors of a text, one per line.
inline std::string errors_of(std::string_view text, Family family = Family::Ipv4) {
    rules::Ruleset ruleset;
    std::string lines;
    for (const ConfigError& error : rules::parse_save(text, "rules", family, ruleset)) {
        lines += to_string(error) + "\n";
    }
    return lines;
}

// A filter table whose FORWARD chain has these rules.
inline std::string forward(std::string_view rule_lines, std::string_view table = "filter") {
    return "*" + std::string(table) + "\n" + std::string(rule_lines) + "\nCOMMIT\n";
}

// Sets that rules may name: "hosts" holds 10.0.0.2, "nets" its network without it, "counted" saw
// five packets of 40 bytes of it, "listed" has "counted", "marks" maps it, "seen" holds nobody.
inline sets::Sets some_sets() {
    using sets::SetSpec;
    sets::Sets sets(1, 2);
    const auto make = [&](std::string_view name, std::string_view type, SetSpec spec = {}) {
        spec.type = sets::find_type(type);
        spec.family = type == "list:set" ? Family::None : Family::Ipv4;
        REQUIRE(sets.create(name, spec, false) == sets::Failure::None);
        return *sets.id_of(name);
    };
    const IpAddress host = IpAddress::v4(10, 0, 0, 2);
    const sets::Element element{.ip = host, .prefix = 32};
    sets.add(make("hosts", "hash:ip"), element, {}, false, {});
    const sets::SetId nets = make("nets", "hash:net");
    sets.add(nets, {.ip = host, .prefix = 24}, {}, false, {});
    sets.add(nets, element, {.nomatch = true}, false, {});
    sets.add(make("counted", "hash:ip", {.counters = true}), element, {.packets = 5, .bytes = 200},
             false, {});
    sets.add_member(make("listed", "list:set"), {"counted"}, {}, false, {});
    const sets::SkbInfo mark{.mark = 0x30, .mark_mask = 0xf0};
    sets.add(make("marks", "hash:ip", {.skbinfo = true}), element, {.skbinfo = mark}, false, {});
    make("seen", "hash:ip", {.timeout = 100});
    return sets;
}

struct Firewall {
    explicit Firewall(std::string_view text, Family family = Family::Ipv4)
        : Firewall(parsed(text, family)) {}
    explicit Firewall(rules::Ruleset ruleset)
        : program(std::move(ruleset), {{"lan", kLan}, {"wan", kWan}}) {}

    // A forwarded packet from lan to wan unless `hook` says otherwise.
    Packet packet(const PacketBuilder& builder, Hook hook = Hook::Forward) {
        Packet made = builder.packet(pool);
        REQUIRE(dissect(made).accepted());
        made.meta.in = hook == Hook::Output ? IfIndex::None : kLan;
        const bool before_routing = hook == Hook::Prerouting || hook == Hook::Input;
        made.meta.out = before_routing ? IfIndex::None : kWan;
        return made;
    }
    rules::TableVerdict run(Packet& shown, rules::TableId table = rules::TableId::Filter,
                            Hook hook = Hook::Forward) {
        rules::ActionParam par = {shown,   table,  hook, now,  conntrack,
                                  network, random, log,  sets, hash_key};
        par.copies = &copies;
        return program.run(par);
    }
    rules::TableVerdict forward(const PacketBuilder& builder,
                                rules::TableId table = rules::TableId::Filter) {
        Packet shown = packet(builder);
        return run(shown, table);
    }
    bool accepts(const PacketBuilder& builder) {
        return forward(builder).verdict == rules::TargetVerdict::Accept;
    }
    bool drops(const PacketBuilder& builder) {
        return forward(builder).verdict == rules::TargetVerdict::Drop;
    }
    // packets:bytes of rule `number` (from 1) of a chain of filter.
    std::string count(std::string_view chain, std::size_t number,
                      rules::TableId table = rules::TableId::Filter, Family family = Family::Ipv4) {
        const rules::Counted counted = program.counted();
        const std::size_t found = counted.ruleset.table(family, table).number_of(chain);
        REQUIRE(found != rules::Table::kNone);
        const rules::TableCounters& all = counted.counters.table(family, table);
        const rules::RuleCounters& counters =
            number == 0 ? all.policy(found) : all.rule(found, number - 1);
        return std::to_string(counters.packets) + ":" + std::to_string(counters.bytes);
    }
    void wait(Duration time) { now += time; }

    BufferPool pool;
    RandomSource random{1};
    SipKey hash_key{1, 2};
    sets::Sets sets = some_sets();
    LogLines log;
    SmallNetwork network;
    rules::Copies copies;  // that TEE made
    static conntrack::Settings counting() {
        conntrack::Settings settings;
        settings.acct = 1;
        return settings;
    }
    conntrack::Conntrack conntrack{counting(), {{1, 2}, log, nullptr}};
    Instant now{std::chrono::seconds(1000)};
    rules::Program program;
};

}  // namespace nsr::test
