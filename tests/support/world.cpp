#include "tests/support/world.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "core/packet/describe.hpp"
#include "core/packet/dissect.hpp"
#include "core/procfs/nf_conntrack.hpp"
#include "core/procfs/sysctl.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/save.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/packet_fields.hpp"
#include "tests/support/story.hpp"
#include "tests/support/trace.hpp"

namespace nsr::test {

namespace {

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

// Rules as one line of the story.
std::string on_one_line(std::string text) {
    std::replace(text.begin(), text.end(), '\n', ' ');
    text.erase(text.find_last_not_of(' ') + 1);
    return text.empty() ? "no rules" : text;
}

}  // namespace

struct World::Impl : TraceWorld {
    LogLines log;
    BufferPool pool;
    std::unique_ptr<Router> router;
    Story story;
    Tracer tracer{story};
    Failure on_failure;
    EgressQueue left;
    Instant time{std::chrono::seconds(1000)};

    void build(const Setup& setup);
    void link_up();  // lan and wan
    void load(const Setup& setup, const Here& here);
    void fail(const Here& here, const std::string& what);
    void advance(Instant until);
    std::optional<Packet> take(std::string_view interface);

    // Between lan and wan, for play(). What leaves is of no interest.
    CtInfo segment(bool from_client, const PacketBuilder& packet) override;
    void wait(Duration passes) override { advance(time + passes); }
    [[nodiscard]] const conntrack::Conntrack& tracking() const override {
        return router->conntrack();
    }
    [[nodiscard]] Instant now() const override { return time; }
};

void World::Impl::build(const Setup& setup) {
    Router::Options options;
    options.settings.conntrack = setup.conntrack;
    options.tracking = setup.tracking;
    options.log = &log;
    options.settings.forwarding.icmp_ratelimit = 0;
    options.settings.forwarding.icmp_msgs_per_sec = 1000000;
    options.settings.forwarding.ipv6_icmp_ratelimit = 0;
    router = std::make_unique<Router>(std::move(options));
    if (!setup.fill) {
        link_up();
    }
}

void World::Impl::link_up() {
    const auto link = [&](const char* name, const char* v4, const char* v6) {
        routing::Interface interface;
        interface.name = name;
        interface.addresses = {*parse_prefix(v4), *parse_prefix(v6)};
        interface.capabilities = {.checksum = true, .gso_tcp = true, .gso_udp = true};
        return router->add_interface(std::move(interface));
    };
    link("lan", "10.0.0.1/24", "fd00:1::1/64");
    const IfIndex wan = link("wan", "192.0.2.1/24", "2001:db8::1/64");
    CHECK(router->add_route({*parse_prefix("0.0.0.0/0"), parse_address("192.0.2.254"), wan,
                             routing::RouteType::Unicast}) == routing::RouteChange::Done);
    CHECK(router->add_route({*parse_prefix("::/0"), parse_address("2001:db8::fe"), wan,
                             routing::RouteType::Unicast}) == routing::RouteChange::Done);
}

void World::Impl::load(const Setup& setup, const Here& here) {
    if (setup.fill) {
        for (const ConfigError& error : setup.fill(*router, time)) {
            fail(here, to_string(error));
        }
        return;
    }
    rules::Ruleset ruleset;
    ConfigErrors errors = rules::parse_save(setup.rules_v4, "given", Family::Ipv4, ruleset);
    const ConfigErrors errors_v6 =
        rules::parse_save(setup.rules_v6, "given6", Family::Ipv6, ruleset);
    errors.insert(errors.end(), errors_v6.begin(), errors_v6.end());
    for (const ConfigError& error : errors) {
        fail(here, to_string(error));
    }
    router->apply(std::move(ruleset), time);
}

void World::Impl::fail(const Here& here, const std::string& what) {
    tracer.finish();
    on_failure(here, story.told(what));
}

void World::Impl::advance(Instant until) {
    while (const auto deadline = router->next_deadline()) {
        if (*deadline > until) {
            break;
        }
        time = std::max(time, *deadline);
        router->expire(time, left);
    }
    time = until;
}

CtInfo World::Impl::segment(bool from_client, const PacketBuilder& builder) {
    Packet packet = builder.packet(pool);
    packet.meta.in = router->interfaces().find(from_client ? "lan" : "wan")->index;
    EgressQueue ignored;
    router->receive({&packet, 1}, time, ignored);
    return tracer.tracked;
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
    impl_->on_failure = std::move(setup.on_failure);
    if (!impl_->on_failure) {
        impl_->on_failure = [](const Here& where, const std::string& story) {
            ADD_FAIL_CHECK_AT(where.file, where.line, story);
        };
    }
    impl_->story.step("given " + (setup.title.empty() ? on_one_line(setup.rules_v4 + setup.rules_v6)
                                                      : setup.title));
    impl_->build(setup);
    impl_->load(setup, here);
    impl_->router->observe(&impl_->tracer);
}

World::World(World&&) noexcept = default;

World::~World() {
    if (impl_ && !impl_->left.empty()) {
        impl_->story.step("the end");
        impl_->fail({}, "packets left that nobody expected: " + describe(impl_->left.front()));
    }
}

World& World::when(std::string_view interface, const PacketBuilder& builder, Here here) {
    Packet packet = builder.packet(impl_->pool);
    const bool readable = dissect(packet).accepted();
    impl_->story.step("when " + std::string(interface) + " " +
                      (readable ? describe(packet) : "a packet that cannot be read"));
    const routing::Interface* found = impl_->router->interfaces().find(interface);
    if (found == nullptr) {
        impl_->fail(here, "no interface " + std::string(interface));
        return *this;
    }
    packet = builder.packet(impl_->pool);
    packet.meta.in = found->index;
    impl_->router->receive({&packet, 1}, impl_->time, impl_->left);
    impl_->tracer.finish();
    return *this;
}

World& World::after(Duration time, Here) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    impl_->story.step("after " + std::to_string(ms) + " ms");
    impl_->advance(impl_->time + time);
    return *this;
}

World& World::play(std::string_view trace, Here here) {
    impl_->story.step("play a trace");
    if (const std::string wrong = test::play(*impl_, trace); !wrong.empty()) {
        impl_->fail(here, wrong);
    }
    return *this;
}

World& World::sysctl(std::string_view name, std::string_view value, Here here) {
    impl_->story.step("sysctl " + std::string(name) + " = " + std::string(value));
    procfs::Context context{*impl_->router};
    if (const auto written = procfs::write_sysctl(context, name, value); !written) {
        impl_->fail(here, std::string(name) + ": " + written.error().detail);
    }
    return *this;
}

World& World::expect(std::string_view interface, const PacketBuilder& builder, Here here) {
    Packet wanted = builder.packet(impl_->pool);
    // No router takes packets that come from a group, but NAT makes such ones.
    const bool well_written = dissect(wanted).accepted() || wanted.layout.source.is_multicast();
    CHECK(well_written);
    impl_->story.step("expect " + std::string(interface) + " " + describe(wanted));
    const auto packet = impl_->take(interface);
    if (!packet) {
        impl_->fail(here, "nothing left through " + std::string(interface));
    } else if (!std::equal(wanted.bytes().begin(), wanted.bytes().end(), packet->bytes().begin(),
                           packet->bytes().end())) {
        impl_->fail(here, "another packet left\n" + difference(wanted, *packet));
    }
    return *this;
}

World& World::expect_icmp(std::string_view interface, std::uint8_t type, std::uint8_t code,
                          Here here) {
    return expect_icmp_from(interface, {}, type, code, here);
}

World& World::expect_icmp_from(std::string_view interface, std::string_view source,
                               std::uint8_t type, std::uint8_t code, Here here) {
    impl_->story.step("expect ICMP " + std::to_string(type) + "/" + std::to_string(code) +
                      " through " + std::string(interface));
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
    impl_->story.step("expect nothing");
    if (!impl_->left.empty()) {
        impl_->fail(here, "expected nothing, got " + describe(impl_->left.front()));
        impl_->left.clear();
    }
    return *this;
}

World& World::expect_drop(DropReason reason, Here here) {
    impl_->story.step("expect a drop for " + std::string(name_of(reason)));
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
    impl_->story.step("expect an entry " + std::string(text));
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
    impl_->story.step("expect " + std::to_string(count) + " entries");
    const auto lines = entries();
    if (lines.size() != count) {
        impl_->fail(here, std::to_string(count) + " entries expected, there are " +
                              std::to_string(lines.size()) +
                              (lines.empty() ? "" : ": " + lines.front()));
    }
    return *this;
}

World& World::expect_rule_packets(std::string_view rule, std::uint64_t packets, Here here) {
    impl_->story.step("expect " + std::to_string(packets) + " packets of " + std::string(rule));
    const auto [ruleset, counters] = impl_->router->counted();
    const std::string text =
        rules::save(ruleset, Family::Ipv4, counters) + rules::save(ruleset, Family::Ipv6, counters);
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

BufferPool& World::pool() {
    return impl_->pool;
}

Instant World::now() const {
    return impl_->time;
}

std::vector<std::string> World::entries() const {
    std::vector<std::string> lines;
    auto& conntrack = impl_->router->conntrack();
    std::optional<ConnId> id;
    while ((id = conntrack.table().next(id))) {
        std::string line;
        procfs::append_nf_conntrack_line(line, conntrack, *id, impl_->time,
                                         procfs::LineFormat::Article);
        lines.push_back(squeeze(line));
    }
    return lines;
}

const std::vector<std::string>& World::log() const {
    return impl_->log.lines;
}

}  // namespace nsr::test
