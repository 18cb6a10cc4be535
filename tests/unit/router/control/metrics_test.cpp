// GET /metrics, read by a strict parser of the text format 0.0.4.
#include "router/control/metrics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/base/drop_reason.hpp"
#include "core/rules/language/parse.hpp"
#include "core/sets/sets.hpp"
#include "router/control/pressure.hpp"
#include "router/ports/spin.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {
namespace {

struct Sample {
    std::string name;
    std::map<std::string, std::string> labels;
    std::string value;
};

struct Exposition {
    std::map<std::string, std::string> types;  // by metric
    std::map<std::string, std::string> help;
    std::vector<Sample> samples;
    std::vector<std::string> order;  // of the metrics

    [[nodiscard]] std::vector<Sample> of(const std::string& name) const {
        std::vector<Sample> found;
        std::copy_if(samples.begin(), samples.end(), std::back_inserter(found),
                     [&](const Sample& each) { return each.name == name; });
        return found;
    }
};

bool is_name(const std::string& text) {
    return !text.empty() && std::isdigit(static_cast<unsigned char>(text[0])) == 0 &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
           });
}

// {a="b",c="d"}; the escapes are \\, \" and \n.
std::map<std::string, std::string> read_labels(const std::string& text, std::size_t& at) {
    std::map<std::string, std::string> labels;
    if (text[at] != '{') {
        return labels;
    }
    do {
        const std::size_t equals = text.find('=', ++at);
        REQUIRE(equals != std::string::npos);
        const std::string name = text.substr(at, equals - at);
        CHECK(is_name(name));
        REQUIRE(text[at = equals + 1] == '"');
        std::string value;
        for (++at; text.at(at) != '"'; ++at) {
            if (text[at] == '\\') {
                const char escaped = text.at(++at);
                REQUIRE((escaped == '\\' || escaped == '"' || escaped == 'n'));
                value += escaped == 'n' ? '\n' : escaped;
            } else {
                value += text[at];
            }
        }
        CHECK_MESSAGE(labels.emplace(name, value).second, "label twice: ", name);
        ++at;
    } while (text.at(at) == ',');
    REQUIRE(text.at(at++) == '}');
    return labels;
}

std::string family_of(const Exposition& read, const std::string& name) {
    for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
        const std::string base = name.substr(0, name.size() - std::min(suffix.size(), name.size()));
        const auto type = read.types.find(base);
        if (name.ends_with(suffix) && type != read.types.end() && type->second == "histogram") {
            return base;
        }
    }
    return name;
}

Exposition parse(const std::string& text) {
    Exposition read;
    REQUIRE(text.ends_with('\n'));
    std::set<std::pair<std::string, std::map<std::string, std::string>>> seen;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        if (line.starts_with("# ")) {
            const bool help = line.starts_with("# HELP ");
            REQUIRE((help || line.starts_with("# TYPE ")));
            const std::size_t end = line.find(' ', 7);
            const std::string name = line.substr(7, end - 7);
            auto& into = help ? read.help : read.types;
            CHECK_MESSAGE(into.emplace(name, line.substr(end + 1)).second, "twice: ", line);
            if (help) {
                read.order.push_back(name);
            } else {
                CHECK(read.order.back() == name);  // HELP, TYPE, samples
            }
            continue;
        }
        Sample sample;
        std::size_t at = line.find_first_of("{ ");
        sample.name = line.substr(0, at);
        CHECK(is_name(sample.name));
        sample.labels = read_labels(line, at);
        REQUIRE(line.at(at) == ' ');
        sample.value = line.substr(at + 1);
        std::size_t used = 0;
        static_cast<void>(std::stod(sample.value, &used));
        CHECK(used == sample.value.size());
        CHECK(family_of(read, sample.name) == read.order.back());  // all of a metric together
        CHECK_MESSAGE(seen.emplace(sample.name, sample.labels).second, "sample twice");
        read.samples.push_back(std::move(sample));
    }
    return read;
}

Exposition scrape(PortFixture& port) {
    const http::Response response = port.ask("GET", "/metrics");
    CHECK(response.status == 200);
    CHECK(response.content_type == "text/plain; version=0.0.4; charset=utf-8");
    return parse(response.body);
}

}  // namespace

TEST_CASE("metrics: every sample belongs to a metric with help and a type, and none comes twice") {
    PortFixture port;
    const Exposition read = scrape(port);
    CHECK(read.samples.size() > 100);
    for (const auto& [name, type] : read.types) {
        CAPTURE(name);
        CHECK((type == "counter" || type == "gauge" || type == "histogram"));
        CHECK(read.help.at(name).ends_with('.'));
    }
    for (const Sample& sample : read.samples) {
        CHECK(sample.labels.contains("router"));
    }
}

TEST_CASE("metrics: names say their unit, and counters that they are some") {
    std::set<std::string_view> names;
    for (const Metrics::Row& row : Metrics::rows()) {
        const std::string name(row.name);
        CAPTURE(name);
        CHECK(names.insert(row.name).second);
        CHECK((name.starts_with("nsrouter_") || name.starts_with("node_nf_conntrack_")));
        CHECK(name.ends_with("_total") == (row.type == "counter"));
        for (const char* wrong : {"_ms", "_us", "_kb", "_minutes", "_milliseconds"}) {
            CHECK((name + "_").find(std::string(wrong) + "_") == std::string::npos);
        }
        CHECK(row.help.find('\n') == std::string_view::npos);
    }
}

TEST_CASE("metrics: node_exporter's names of connection tracking, with the router") {
    PortFixture port;
    const Exposition read = scrape(port);
    for (const char* name :
         {"entries", "entries_limit", "stat_found", "stat_invalid", "stat_ignore", "stat_insert",
          "stat_insert_failed", "stat_drop", "stat_early_drop", "stat_search_restart"}) {
        const auto samples = read.of(std::string("node_nf_conntrack_") + name);
        REQUIRE(samples.size() == 1);
        CHECK(samples[0].labels.size() == 1);
    }
    CHECK(read.of("node_nf_conntrack_entries_limit")[0].value == "65536");
}

TEST_CASE("metrics: drops of every reason and family are there before they happen") {
    PortFixture port;
    const auto drops = scrape(port).of("nsrouter_dropped_packets_total");
    CHECK(drops.size() == 2 * kDropReasonCount);
    CHECK(std::all_of(drops.begin(), drops.end(),
                      [](const Sample& each) { return each.value == "0"; }));
}

// A network inside and one outside, and packets between them.
struct TwoNetworks {
    TwoNetworks() {
        lan = add("lan", "10.0.0.1/24");
        wan = add("wan", "192.0.2.1/24");
    }
    IfIndex add(const char* name, const char* address) {
        return port.router().add_interface({.name = name, .addresses = {*parse_prefix(address)}});
    }
    void rules(const char* text) {
        rules::Ruleset ruleset;
        REQUIRE(rules::parse_save(text, "given", Family::Ipv4, ruleset).empty());
        port.router().apply(std::move(ruleset), now);
    }
    void send(IfIndex in, const test::PacketBuilder& packet) {
        Packet made = packet.packet(pool);
        made.meta.in = in;
        EgressQueue left;
        port.router().receive({&made, 1}, now, left);
    }

    PortFixture port;
    BufferPool pool;
    Instant now = SystemClock().now();
    IfIndex lan = IfIndex::None;
    IfIndex wan = IfIndex::None;
};

std::string value_of(const Exposition& read, const std::string& name,
                     const std::map<std::string, std::string>& labels) {
    for (const Sample& sample : read.of(name)) {
        const bool fits = std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
            const auto found = sample.labels.find(label.first);
            return found != sample.labels.end() && found->second == label.second;
        });
        if (fits) {
            return sample.value;
        }
    }
    return "none";
}

TEST_CASE("metrics: packets by hook and verdict") {
    TwoNetworks net;
    net.rules("*filter\n-A FORWARD -p tcp -j DROP\nCOMMIT\n");
    const auto count = [&](const char* hook, const char* verdict) {
        return value_of(scrape(net.port), "nsrouter_hook_packets_total",
                        {{"family", "ipv4"}, {"hook", hook}, {"verdict", verdict}});
    };
    CHECK(count("FORWARD", "accept") == "0");
    net.send(net.lan, test::udp("10.0.0.2:1", "192.0.2.7:53"));
    net.send(net.lan, test::udp("10.0.0.2:2", "192.0.2.7:53"));
    net.send(net.lan, test::tcp("10.0.0.2:1", "192.0.2.7:80").syn());
    net.send(net.lan,
             test::udp("10.0.0.2:1", "192.0.2.7:53").payload(2000).fragment(0, true, 1000));
    CHECK(count("PREROUTING", "accept") == "3");
    CHECK(count("PREROUTING", "stolen") == "1");
    CHECK(count("FORWARD", "accept") == "2");
    CHECK(count("FORWARD", "drop") == "1");
    CHECK(count("POSTROUTING", "accept") == "2");
    CHECK(count("INPUT", "accept") == "0");
    CHECK(scrape(net.port).of("nsrouter_hook_packets_total").size() == 2 * kHookCount * 3);
}

TEST_CASE("metrics: ports in use of each outside address") {
    TwoNetworks net;
    net.rules(
        "*nat\n-A POSTROUTING -o wan -p udp -j SNAT --to-source "
        "192.0.2.100-192.0.2.101:5000-5009\nCOMMIT\n");
    CHECK(scrape(net.port).of("nsrouter_nat_pool_ports_used").empty());
    for (int i = 0; i < 6; ++i) {
        net.send(net.lan, test::udp("10.0.0." + std::to_string(2 + i) + ":4000", "192.0.2.7:53"));
    }
    const Exposition read = scrape(net.port);
    int used = 0;
    for (const Sample& sample : read.of("nsrouter_nat_pool_ports_used")) {
        CHECK(sample.labels.at("protocol") == "udp");
        CHECK(sample.labels.at("range") == "5000-5009");
        const int here = std::stoi(sample.value);
        CHECK(value_of(read, "nsrouter_nat_pool_ports_free",
                       {{"address", sample.labels.at("address")}}) == std::to_string(10 - here));
        used += here;
    }
    CHECK(used == 6);
    CHECK(read.of("nsrouter_nat_translated_connections")[0].value == "6");
}

TEST_CASE("metrics: buckets grow, and the last one holds all") {
    PortFixture port;
    const Exposition read = scrape(port);
    std::map<std::string, std::pair<double, double>> last;  // by kind: bound, count
    for (const Sample& sample : read.of("nsrouter_loop_turn_seconds_bucket")) {
        auto& [bound, count] = last[sample.labels.at("kind")];
        CHECK(std::stod(sample.labels.at("le")) > bound);
        CHECK(std::stod(sample.value) >= count);
        bound = std::stod(sample.labels.at("le"));
        count = std::stod(sample.value);
    }
    CHECK(last.size() == 3);
    for (const Sample& sample : read.of("nsrouter_loop_turn_seconds_count")) {
        CHECK(last.at(sample.labels.at("kind")).second == std::stod(sample.value));
    }
}

TEST_CASE("metrics: turns, their processor time and ends of spins are those of /status, by name") {
    PortFixture port;
    const Exposition read = scrape(port);
    const boost::json::value status = boost::json::parse(port.ask("GET", "/status").body);
    std::set<std::string> kinds;
    for (const char* kind : {"packets", "timers", "control"}) {
        kinds.insert(kind);
        CHECK(value_of(read, "nsrouter_loop_turn_seconds_count", {{"kind", kind}}) != "none");
        CHECK(value_of(read, "nsrouter_loop_longest_turn_seconds", {{"kind", kind}}) != "none");
    }
    for (const char* kind : {"timers", "control"}) {
        kinds.insert(std::string(kind) + "_cpu");
        CHECK(value_of(read, "nsrouter_loop_turn_cpu_seconds_count", {{"kind", kind}}) != "none");
        CHECK(value_of(read, "nsrouter_loop_longest_turn_cpu_seconds", {{"kind", kind}}) != "none");
    }
    for (const auto& [kind, turns] : status.at("loop").as_object()) {
        CHECK_MESSAGE(kinds.erase(std::string(kind)) == 1, kind);
    }
    CHECK(kinds.empty());
    for (const std::string_view end : kSpinEnds) {
        CHECK(value_of(read, "nsrouter_loop_spins_total", {{"end", std::string(end)}}) == "0");
        CHECK(status.at("spins").at(end).as_int64() == 0);
    }
    CHECK(status.at("spins").as_object().size() == kSpinEnds.size());
    CHECK(read.of("nsrouter_loop_spins_total").size() == kSpinEnds.size());
    const auto& ring = status.at("ring");
    CHECK(value_of(read, "nsrouter_ring_in_use", {}) == (ring.at("in_use").as_bool() ? "1" : "0"));
    CHECK(value_of(read, "nsrouter_ring_frames_total", {}) ==
          std::to_string(ring.at("frames").as_int64()));
    CHECK(value_of(read, "nsrouter_ring_calls_total", {}) ==
          std::to_string(ring.at("calls").as_int64()));
}

TEST_CASE("metrics: labels are escaped, and sets beyond the bound only counted") {
    PortFixture port;
    const std::string odd = "a\\b";
    REQUIRE(port.ask("POST", "/ipset", {.body = "create\n" + odd + "\nhash:ip"}).status == 200);
    for (std::size_t i = 0; i < kMostSets + 5; ++i) {
        port.ask("POST", "/ipset", {.body = "create\ns" + std::to_string(i) + "\nhash:ip"});
    }
    const Exposition read = scrape(port);
    const auto elements = read.of("nsrouter_set_elements");
    CHECK(elements.size() == kMostSets);
    CHECK(elements[0].labels.at("set") == odd);
    CHECK(read.of("nsrouter_sets")[0].value == std::to_string(kMostSets + 6));
}

TEST_CASE("metrics: a parameter is refused by its name") {
    PortFixture port;
    http::Response response = port.ask("GET", "/metrics", {.query = {{"collect", "x"}}});
    CHECK(response.status == 400);
    CHECK(response.body.find("unknown parameter \"collect\"") != std::string::npos);
}

TEST_CASE("pressure: growth over the last minute, and when the table is full") {
    using std::chrono::seconds;
    Pressure pressure;
    const Instant begin{seconds(1'800'000'000)};
    CHECK_FALSE(pressure.growth({begin, 1000}));
    for (int i = 0; i <= 12; ++i) {
        pressure.note(begin + seconds(5 * i), 1000 + 50 * static_cast<std::uint64_t>(i));
    }
    const Instant minute = begin + seconds(60);
    CHECK(*pressure.growth({minute, 1600}) == doctest::Approx(10));
    CHECK(*pressure.full_in({minute, 1600}, 2800) == seconds(120));
    CHECK_FALSE(pressure.full_in({minute, 1600}, 0));
    CHECK(*pressure.full_in({minute, 2800}, 2800) == Duration{});
    // What came since the last note counts at once.
    CHECK(*pressure.growth({minute + seconds(4), 1000 + 20 * 64}) == doctest::Approx(20));
    CHECK(*pressure.full_in({minute + seconds(4), 2280}, 2480) == seconds(10));
    // What was more than a minute ago does not count.
    for (int i = 13; i <= 30; ++i) {
        pressure.note(begin + seconds(5 * i), 1600 - 5 * static_cast<std::uint64_t>(i));
    }
    CHECK(*pressure.growth({begin + seconds(150), 1450}) == doctest::Approx(-1));
    CHECK_FALSE(pressure.full_in({begin + seconds(150), 1450}, 2800));
}

}  // namespace nsr::router
