// The comparison itself: what was recorded equals itself, and any damage to it is noticed.
#include <doctest/doctest.h>

#include <filesystem>
#include <functional>
#include <span>

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "tests/oracle/recorded_case.hpp"

namespace oracle {
namespace {

RecordedCase recorded(const std::string& name) {
    return load_case(std::string(CONFORMANCE_CASES) + "/" + name);
}

Actual faithful(const RecordedCase& recorded) {
    return {recorded.departures, recorded.conntrack, recorded.stats, recorded.events.value_or("")};
}

void replace(std::string& text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    text.replace(at, from.size(), to);
}

struct Damage {
    const char* what;
    std::function<void(Actual&)> apply;
};

void check_noticed(const RecordedCase& original, std::span<const Damage> damages) {
    for (const Damage& damage : damages) {
        CAPTURE(damage.what);
        Actual actual = faithful(original);
        damage.apply(actual);
        CHECK_FALSE(compare(original, actual).empty());
    }
}

}  // namespace

TEST_CASE("comparison: every recording equals itself") {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(CONFORMANCE_CASES)) {
        const std::string name = entry.path().filename().string();
        CAPTURE(name);
        const RecordedCase original = recorded(name);
        for (const Difference& difference : compare(original, faithful(original))) {
            FAIL_CHECK(difference.text);
        }
        ++count;
    }
    CHECK(count >= 876);
}

TEST_CASE("comparison: damage to packets, tables and counters is noticed") {
    const RecordedCase original = recorded("udp-accounting");
    REQUIRE(original.departures.size() >= 2);
    const Damage damages[] = {
        {"a packet is missing", [](Actual& a) { a.departures.pop_back(); }},
        {"a packet comes twice", [](Actual& a) { a.departures.push_back(a.departures.back()); }},
        {"the last byte differs", [](Actual& a) { a.departures[0].bytes.back() ^= 1; }},
        {"the TTL differs", [](Actual& a) { a.departures[0].bytes[8] ^= 1; }},
        {"a packet is shorter", [](Actual& a) { a.departures[0].bytes.pop_back(); }},
        {"a packet is late", [](Actual& a) { a.departures[0].time += 0.005; }},
        {"a packet leaves elsewhere",
         [](Actual& a) {
             a.departures[0].interface = a.departures[0].interface == "wan" ? "lan" : "wan";
         }},
        {"an entry is missing", [](Actual& a) { replace(a.conntrack, "ipv4 2 udp", "# "); }},
        {"an address differs", [](Actual& a) { replace(a.conntrack, "src=10.", "src=11."); }},
        {"a counter of an entry differs",
         [](Actual& a) { replace(a.conntrack, "packets=", "packets=9"); }},
        {"the mark differs", [](Actual& a) { replace(a.conntrack, "mark=0", "mark=1"); }},
        {"the lifetime differs by far",
         [](Actual& a) { replace(a.conntrack, " udp 17 ", " udp 17 9"); }},
        {"a checkpoint is missing", [](Actual& a) { replace(a.conntrack, "# t=", "# u="); }},
        {"an entry too many",
         [](Actual& a) { a.conntrack += "ipv4 2 udp 17 29 src=192.0.2.1 dst=192.0.2.2\n"; }},
        {"a statistic differs",
         [](Actual& a) { replace(a.stats, "stat invalid 0", "stat invalid 1"); }},
        {"the number of entries differs", [](Actual& a) { replace(a.stats, "count ", "count 9"); }},
        {"a rule counter differs",
         [](Actual& a) { replace(a.stats, "v4 filter [", "v4 filter [9"); }},
        {"a policy counter differs",
         [](Actual& a) { replace(a.stats, ":FORWARD ACCEPT [", ":FORWARD ACCEPT [9"); }},
        {"a rule is missing", [](Actual& a) { replace(a.stats, "v4 filter [", "# ["); }},
        {"the table is not listed",
         [](Actual& a) {
             for (std::size_t at; (at = a.stats.find("v4 filter")) != std::string::npos;) {
                 a.stats.replace(at, 9, "# ");
             }
         }},
    };
    check_noticed(original, damages);
}

TEST_CASE("comparison: damage to events is noticed") {
    const RecordedCase original = recorded("tcp-reopen-timewait-lower");
    const auto line_at = [](std::string& text, const char* begin) {
        const std::size_t at = text.find(begin);
        REQUIRE(at != std::string::npos);
        return text.substr(at, text.find('\n', at) + 1 - at);
    };
    const Damage damages[] = {
        {"a NEW is missing", [&](Actual& a) { replace(a.events, line_at(a.events, "[NEW]"), ""); }},
        {"an end is missing",
         [&](Actual& a) { replace(a.events, line_at(a.events, "[DESTROY]"), ""); }},
        {"an end too many", [&](Actual& a) { a.events += line_at(a.events, "[DESTROY]"); }},
        {"an end is that of another", [](Actual& a) { replace(a.events, "TIME_WAIT", "CLOSE"); }},
        {"an UPDATE comes twice",
         [&](Actual& a) {
             const std::string line = line_at(a.events, "[UPDATE]");
             replace(a.events, line, line + line);
         }},
        {"two change places",
         [&](Actual& a) {
             const std::string line = line_at(a.events, "[NEW]");
             const std::string next = line_at(a.events, "[UPDATE]");
             replace(a.events, line + next, next + line);
         }},
        {"the state differs", [](Actual& a) { replace(a.events, "SYN_RECV", "SYN_SENT"); }},
        {"a flag is missing", [](Actual& a) { replace(a.events, " [ASSURED]", ""); }},
        {"the time left differs by far",
         [](Actual& a) { replace(a.events, " 60 SYN", " 58 SYN"); }},
        {"the time left is not told", [](Actual& a) { replace(a.events, " 60 SYN", " SYN"); }},
    };
    check_noticed(original, damages);
}

TEST_CASE("comparison: when an end is told is not compared, nor how much time was left") {
    const RecordedCase original = recorded("tcp-reopen-timewait-lower");
    Actual actual = faithful(original);
    const std::size_t at = actual.events.find("[DESTROY]");
    const std::string line = actual.events.substr(at, actual.events.find('\n', at) + 1 - at);
    replace(actual.events, line, "");
    std::string moved = line;
    replace(moved, " 119 ", " 7 ");
    actual.events += moved;
    CHECK(compare(original, actual).empty());
}

TEST_CASE("comparison: identifications that the router chose are its own business, others not") {
    const RecordedCase original = recorded("nat-masquerade-address-removed");
    Actual actual = faithful(original);
    REQUIRE(actual.departures.size() == 2);
    // The router's own error goes to the lan.
    const std::size_t own = actual.departures[1].interface == "lan" ? 1 : 0;
    const auto renumber = [](Bytes& bytes) {
        bytes[4] ^= 0x55;
        nsr::wire::store16(bytes.data() + 10, 0);
        nsr::wire::store16(bytes.data() + 10, nsr::wire::checksum({bytes.data(), 20}));
    };
    renumber(actual.departures[own].bytes);
    CHECK(compare(original, actual).empty());
    actual = faithful(original);
    actual.departures[own].bytes[10] ^= 1;  // a wrong checksum never is
    CHECK(compare(original, actual).size() == 1);

    const RecordedCase forwarded = recorded("udp-accounting");
    Actual renumbered = faithful(forwarded);
    renumber(renumbered.departures[0].bytes);
    CHECK(compare(forwarded, renumbered).size() == 1);
}

}  // namespace oracle
