#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>

#include "core/packet/describe.hpp"
#include "core/packet/dissect.hpp"
#include "core/procfs/nf_conntrack.hpp"
#include "core/procfs/sysctl.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/save.hpp"

namespace nsr::test {

namespace {

class LogLines : public LogSink {
  public:
    void log(Instant, LogLevel, std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

// Follows the last packet through the hooks, for the story of a failure.
class Tracer : public Observer {
  public:
    void rule_tried(rules::TableId, std::string_view, const rules::Rule&, bool) override {}
    void policy_applied(rules::TableId, std::string_view, rules::Policy) override {}
    void packet_received(const Packet& packet) override {
        lines.push_back("  in   " + describe(packet));
    }
    void stage_done(Hook hook, pipeline::StageId stage, const Packet&, Verdict verdict) override {
        std::string line =
            "       " + std::string(name_of(hook)) + '/' + std::string(pipeline::name_of(stage));
        if (verdict.dropped()) {
            lines.push_back(line + ": drop " + std::string(name_of(verdict.reason())));
        } else if (verdict.was_stolen()) {
            lines.push_back(line + ": kept for reassembly");
        }
    }
    void routed(const Packet&, const routing::Decision&) override {}
    void dropped(const Packet&, DropReason reason) override {
        lines.push_back("  drop " + std::string(name_of(reason)));
        drops.push_back(reason);
    }
    void left(const Packet& packet) override { lines.push_back("  out  " + describe(packet)); }

    std::vector<std::string> lines;
    std::vector<DropReason> drops;
};

// "ipv4     2 tcp      6 119 SYN_SENT src=..." -> "tcp 6 SYN_SENT src=..."
std::string squeeze(std::string_view line) {
    std::vector<std::string> words(1);
    for (const char c : line) {
        if (c == ' ' || c == '\n') {
            if (!words.back().empty()) {
                words.emplace_back();
            }
        } else {
            words.back() += c;
        }
    }
    std::string out;
    for (std::size_t i = 2; i < words.size(); ++i) {
        if (i != 4 && !words[i].empty()) {
            out += (out.empty() ? "" : " ") + words[i];
        }
    }
    return out;
}

}  // namespace

struct World::Impl {
    LogLines log;
    std::unique_ptr<Router> router;
    Tracer tracer;
    EgressQueue left;
    Instant now{std::chrono::seconds(1000)};

    void fail(const Here& here, const std::string& what) const;
    void advance(Instant until);
    std::optional<Packet> take(std::string_view interface);
};

void World::Impl::fail(const Here& here, const std::string& what) const {
    std::string story = what + "\nthe story so far:";
    const std::size_t from = tracer.lines.size() > 60 ? tracer.lines.size() - 60 : 0;
    for (std::size_t i = from; i < tracer.lines.size(); ++i) {
        story += '\n' + tracer.lines[i];
    }
    ADD_FAIL_CHECK_AT(here.file, here.line, story);
}

void World::Impl::advance(Instant until) {
    while (const auto deadline = router->next_deadline()) {
        if (*deadline > until) {
            break;
        }
        now = std::max(now, *deadline);
        router->expire(now, left);
    }
    now = until;
}

std::optional<Packet> World::Impl::take(std::string_view interface) {
    const auto found = std::find_if(left.begin(), left.end(), [&](const Packet& packet) {
        return router->interfaces().get(packet.meta.out).name == interface;
    });
    if (found == left.end()) {
        return std::nullopt;
    }
    Packet packet = std::move(*found);
    left.erase(found);
    return packet;
}

World given(std::string_view rules, Here here) {
    World::Setup setup;
    setup.rules_v4 = rules;
    return World(std::move(setup), here);
}

World given(World::Setup setup, Here here) {
    return World(std::move(setup), here);
}

World::World(Setup setup, Here here) : impl_(std::make_unique<Impl>()) {
    Router::Options options;
    options.settings.conntrack = setup.conntrack;
    options.tracking = setup.tracking;
    options.log = &impl_->log;
    options.settings.forwarding.icmp_ratelimit = 0;
    options.settings.forwarding.icmp_msgs_per_sec = 1000000;
    options.settings.forwarding.ipv6_icmp_ratelimit = 0;
    impl_->router = std::make_unique<Router>(std::move(options));
    Router& router = *impl_->router;
    const auto link = [&](const char* name, const char* v4, const char* v6) {
        routing::Interface interface;
        interface.name = name;
        interface.addresses = {*parse_prefix(v4), *parse_prefix(v6)};
        interface.capabilities = {.checksum = true, .gso_tcp = true, .gso_udp = true};
        return router.add_interface(std::move(interface));
    };
    link("lan", "10.0.0.1/24", "fd00:1::1/64");
    const IfIndex wan = link("wan", "192.0.2.1/24", "2001:db8::1/64");
    CHECK(router.add_route({*parse_prefix("0.0.0.0/0"), parse_address("192.0.2.254"), wan,
                            routing::RouteType::Unicast}) == routing::RouteChange::Done);
    CHECK(router.add_route({*parse_prefix("::/0"), parse_address("2001:db8::fe"), wan,
                            routing::RouteType::Unicast}) == routing::RouteChange::Done);
    rules::Ruleset ruleset;
    ConfigErrors errors = rules::parse_save(setup.rules_v4, "given", Family::Ipv4, ruleset);
    const ConfigErrors errors_v6 =
        rules::parse_save(setup.rules_v6, "given6", Family::Ipv6, ruleset);
    errors.insert(errors.end(), errors_v6.begin(), errors_v6.end());
    for (const ConfigError& error : errors) {
        impl_->fail(here, to_string(error));
    }
    router.apply(std::move(ruleset), impl_->now);
    router.observe(&impl_->tracer);
}

World::World(World&&) noexcept = default;

World::~World() {
    if (impl_ && !impl_->left.empty()) {
        impl_->fail({}, "packets left that nobody expected: " + describe(impl_->left.front()));
    }
}

World& World::when(std::string_view interface, const PacketBuilder& builder, Here here) {
    const routing::Interface* found = impl_->router->interfaces().find(interface);
    if (found == nullptr) {
        impl_->fail(here, "no interface " + std::string(interface));
        return *this;
    }
    Packet packet = builder.packet(impl_->router->pool());
    packet.meta.in = found->index;
    impl_->router->receive({&packet, 1}, impl_->now, impl_->left);
    return *this;
}

World& World::after(Duration time, Here) {
    impl_->advance(impl_->now + time);
    return *this;
}

World& World::sysctl(std::string_view name, std::string_view value, Here here) {
    procfs::Context context{*impl_->router};
    if (const auto written = procfs::write_sysctl(context, name, value); !written) {
        impl_->fail(here, std::string(name) + ": " + written.error().detail);
    }
    return *this;
}

World& World::expect(std::string_view interface, const PacketBuilder& builder, Here here) {
    auto packet = impl_->take(interface);
    if (!packet) {
        impl_->fail(here, "nothing left through " + std::string(interface));
        return *this;
    }
    Packet wanted = builder.packet(impl_->router->pool());
    CHECK(dissect(wanted).accepted());
    const bool same = std::equal(wanted.bytes().begin(), wanted.bytes().end(),
                                 packet->bytes().begin(), packet->bytes().end());
    if (!same) {
        impl_->fail(here, "expected " + describe(wanted) + "\n" + hexdump(wanted.bytes()) +
                              "\nbut got  " + describe(*packet) + "\n" + hexdump(packet->bytes()));
    }
    return *this;
}

World& World::expect_icmp(std::string_view interface, std::uint8_t type, std::uint8_t code,
                          Here here) {
    return expect_icmp_from(interface, {}, type, code, here);
}

World& World::expect_icmp_from(std::string_view interface, std::string_view source,
                               std::uint8_t type, std::uint8_t code, Here here) {
    const auto packet = impl_->take(interface);
    if (!packet) {
        impl_->fail(here, "nothing left through " + std::string(interface));
    } else if (!source.empty() && packet->layout.source != parse_address(source)) {
        impl_->fail(
            here, "expected it to come from " + std::string(source) + ", got " + describe(*packet));
    } else if (packet->l4().size() < 8 || packet->l4()[0] != type || packet->l4()[1] != code) {
        impl_->fail(here, "expected ICMP " + std::to_string(type) + '/' + std::to_string(code) +
                              ", got " + describe(*packet));
    }
    return *this;
}

World& World::expect_nothing(Here here) {
    if (!impl_->left.empty()) {
        impl_->fail(here, "expected nothing, got " + describe(impl_->left.front()));
        impl_->left.clear();
    }
    return *this;
}

World& World::expect_drop(DropReason reason, Here here) {
    auto& drops = impl_->tracer.drops;
    if (drops.empty() || drops.front() != reason) {
        impl_->fail(here, "expected a drop for " + std::string(name_of(reason)) + ", got " +
                              (drops.empty() ? "none" : std::string(name_of(drops.front()))));
    }
    if (!drops.empty()) {
        drops.erase(drops.begin());
    }
    return *this;
}

World& World::expect_entry(std::string_view text, Here here) {
    const auto lines = entries();
    const bool found = std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
        return line.find(text) != std::string::npos;
    });
    if (!found) {
        std::string table = "no entry with '" + std::string(text) + "' in";
        for (const std::string& line : lines) {
            table += "\n  " + line;
        }
        impl_->fail(here, table);
    }
    return *this;
}

World& World::expect_no_entry(Here here) {
    return expect_entries(0, here);
}

World& World::expect_entries(std::size_t count, Here here) {
    const auto lines = entries();
    if (lines.size() != count) {
        impl_->fail(here, std::to_string(count) + " entries expected, there are " +
                              std::to_string(lines.size()) +
                              (lines.empty() ? "" : ": " + lines.front()));
    }
    return *this;
}

World& World::expect_rule_packets(std::string_view rule, std::uint64_t packets, Here here) {
    const rules::Ruleset ruleset = impl_->router->ruleset();
    const std::string text =
        rules::save(ruleset, Family::Ipv4, true) + rules::save(ruleset, Family::Ipv6, true);
    const auto at = text.find("] " + std::string(rule) + '\n');
    const auto start = at == std::string::npos ? at : text.rfind('[', at);
    if (start == std::string::npos ||
        !text.substr(start).starts_with('[' + std::to_string(packets) + ':')) {
        impl_->fail(here, "rule '" + std::string(rule) + "' should have matched " +
                              std::to_string(packets) + " packets:\n" + text);
    }
    return *this;
}

World& World::established(std::string_view client, std::string_view server, Here here) {
    when("lan", tcp(client, server).syn().seq(1000), here);
    when("wan", tcp(server, client).syn().seq(5000).ack(1001), here);
    when("lan", tcp(client, server).seq(1001).ack(5001), here);
    return forget();
}

World& World::forget() {
    impl_->left.clear();
    impl_->tracer.drops.clear();
    return *this;
}

Router& World::router() {
    return *impl_->router;
}

Instant World::now() const {
    return impl_->now;
}

std::vector<std::string> World::entries() const {
    std::vector<std::string> lines;
    auto& conntrack = impl_->router->conntrack();
    std::optional<ConnId> id;
    while ((id = conntrack.table().next(id))) {
        std::string line;
        procfs::append_nf_conntrack_line(line, conntrack, *id, impl_->now,
                                         procfs::LineFormat::Article);
        lines.push_back(squeeze(line));
    }
    return lines;
}

const std::vector<std::string>& World::log() const {
    return impl_->log.lines;
}

}  // namespace nsr::test
