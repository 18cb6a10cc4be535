#include "tests/oracle/ways.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>

#include "core/pipeline/router.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "tests/oracle/conformance.hpp"
#include "tests/oracle/far_end.hpp"
#include "tests/oracle/fates.hpp"
#include "tests/oracle/super_packets.hpp"
#include "tests/oracle/text_line.hpp"

namespace oracle {
namespace {

namespace app = nsr::router;

constexpr std::int64_t kRecordedWait = 10'000'000;  // nanoseconds
constexpr std::size_t kMostShown = 12;

struct Amount {
    std::size_t cases = 0;
    std::size_t whole = 0;  // super-packets
    std::size_t packets = 0;

    void add(std::size_t more_whole, std::size_t more_packets) {
        cases += more_whole == 0 ? 0 : 1;
        whole += more_whole;
        packets += more_packets;
    }
    [[nodiscard]] std::string text() const {
        return std::to_string(packets) + " packets as " + std::to_string(whole) + " in " +
               std::to_string(cases) + " cases";
    }
};

struct Tally {
    std::size_t cases = 0;
    Amount offload;
    Amount coalescing;
    Amount partial;  // checksums
    Amount split_offload;
    Amount split_coalescing;
};

Tally& tally() {
    static Tally counted;
    return counted;
}

Actual actual_of(const Run& run, std::vector<Departure> departures) {
    return {std::move(departures), run.conntrack, run.stats, run.events};
}

void check_same(const std::string& way, const RecordedCase& expected, const Actual& actual) {
    const std::vector<Difference> differences = compare(expected, actual);
    CHECK_MESSAGE(differences.empty(), way << ": " << in_lines(differences));
}

// --- what is written merged -------------------------------------------------------------------

void check_coalescing(const std::string& way, const RecordedCase& expected, const Run& run,
                      const std::vector<std::size_t>& batches, Amount& amount) {
    FarEnd far_end;
    Merged merged = far_end.merge(run.left, batches);
    CHECK_MESSAGE(merged.error.empty(), way << ": " << merged.error);
    check_same(way, expected, actual_of(run, std::move(merged.departures)));
    amount.add(merged.writes, merged.packets);
}

// --- what is handed over merged ---------------------------------------------------------------

std::string without_counters(const std::string& text) {
    std::istringstream in(text);
    std::string rest;
    for (std::string line; std::getline(in, line);) {
        Words words = words_of(line);
        std::erase_if(words, [](const std::string& word) {
            return word.starts_with("packets=") || word.starts_with("bytes=");
        });
        rest += joined(words) + "\n";
    }
    return rest;
}

// Behind a device, the IPv4 ids of a super-packet's segments count up from the first.
void count_up(Bytes& departed, const Frames& arrivals, std::uint32_t arrival,
              const Joined& joined) {
    const Bytes& arrived = arrivals[arrival].bytes;
    if (departed[0] >> 4 != 4 || arrived[0] >> 4 != 4 ||
        load16(departed, 4) != load16(arrived, 4)) {
        return;
    }
    nsr::wire::store16(departed.data() + 4,
                       static_cast<std::uint16_t>(load16(arrivals[joined.first].bytes, 4) +
                                                  (arrival - joined.first)));
    nsr::wire::store16(departed.data() + 10, 0);
    nsr::wire::store16(departed.data() + 10,
                       nsr::wire::checksum({departed.data(), (departed[0] & 15u) * 4u}));
}

// What a router that gives `expected` for `arrivals` gives where some of them come as one: at the
// time of the last, and answered once.
RecordedCase as_handed_over(RecordedCase expected, const Frames& arrivals,
                            const HandedOver& handed) {
    std::erase_if(expected.departures, [&](const Departure& departure) {
        const auto arrival = arrival_of(departure);
        const auto joined = arrival ? handed.joined.find(*arrival) : handed.joined.end();
        return joined != handed.joined.end() && joined->second.first != *arrival &&
               is_answer(departure, arrivals[*arrival].bytes);
    });
    for (Departure& departure : expected.departures) {
        const auto arrival = arrival_of(departure);
        const auto joined = arrival ? handed.joined.find(*arrival) : handed.joined.end();
        if (joined != handed.joined.end()) {
            const std::int64_t wait_ns = joined->second.time_ns - arrivals[*arrival].time_ns;
            departure.time += static_cast<double>(wait_ns) * 1e-9;
            count_up(departure.bytes, arrivals, *arrival, joined->second);
        }
    }
    return expected;
}

// All links take super-packets and checksums that are left to be finished.
app::Begun take_all(nsr::Router& router, nsr::Instant) {
    std::vector<nsr::IfIndex> links;
    for (const nsr::routing::Interface& interface : router.interfaces().all()) {
        links.push_back(interface.index);
    }
    for (const nsr::IfIndex link : links) {
        router.set_capabilities(link, {.checksum = true, .gso_tcp = true, .gso_udp = true});
    }
    return {};
}

void check_offload(const std::string& way, const Case& one, RecordedCase expected,
                   const Frames& arrivals, const HandedOver& handed) {
    app::ReplayOptions options;
    options.begin = take_all;
    options.offload = [&handed](const app::Frame& frame) {
        const auto found = handed.offloads.find(frame.index);
        return found == handed.offloads.end() ? nsr::Offload{} : found->second;
    };
    const Run offloaded = run(one, handed.frames, options);
    CHECK_MESSAGE(offloaded.error.empty(), way << ": " << offloaded.error);
    Actual actual = actual_of(offloaded, FarEnd::cut(offloaded.left));
    if (handed.super_packets != 0) {
        expected = as_handed_over(std::move(expected), arrivals, handed);
        expected.stats.clear();
        for (std::string* text : {&expected.conntrack, &actual.conntrack, &actual.events}) {
            *text = without_counters(*text);
        }
        if (expected.events) {
            expected.events = without_counters(*expected.events);
        }
    }
    check_same(way, expected, actual);
}

// What a device would do, as far as the case allows it.
HandedOver handed_over(const Case& one, const Frames& arrivals, const Run& run,
                       const std::vector<std::size_t>& batches, std::int64_t wait_ns) {
    const Fates fates(run, arrivals);
    const bool counts = rules_count_packets(one);
    const auto may_join = [&](const nsr::test::KeptFrame& frame) {
        return !counts && fates.went_along(frame);
    };
    return hand_over(arrivals, {batches, wait_ns, may_join});
}

// --- the recorded packets ---------------------------------------------------------------------

void check_recorded(const Case& one, const Run& plain) {
    const std::vector<std::size_t> batches = batches_of(one.frames, one.config.replay);
    check_coalescing("coalescing", one.recorded, plain, batches, tally().coalescing);
    const HandedOver handed = handed_over(one, one.frames, plain, batches, kRecordedWait);
    if (handed.offloads.empty()) {
        return;
    }
    check_offload("offload", one, one.recorded, one.frames, handed);
    tally().offload.add(handed.super_packets, handed.joined.size());
    tally().partial.add(handed.partial_checksums, handed.partial_checksums);
}

// --- the packets with data, split -------------------------------------------------------------

// As if it had been recorded so.
RecordedCase recorded_as(const RecordedCase& like, const Frames& arrivals, const Run& run) {
    RecordedCase recorded = like;
    recorded.departures = FarEnd::cut(run.left);
    recorded.arrivals.clear();
    std::transform(arrivals.begin(), arrivals.end(), std::back_inserter(recorded.arrivals),
                   [](const nsr::test::KeptFrame& frame) { return frame.bytes; });
    recorded.conntrack = run.conntrack;
    recorded.stats = run.stats;
    recorded.events = run.events;
    return recorded;
}

void check_split(const Case& one) {
    const Frames arrivals = split_data(one.frames);
    if (arrivals.size() == one.frames.size()) {
        return;
    }
    const std::vector<std::size_t> batches = batches_of(arrivals, one.config.replay);
    const Run singly = run(one, arrivals, {});
    CHECK_MESSAGE(singly.error.empty(), "split: " << singly.error);
    const RecordedCase expected = recorded_as(one.recorded, arrivals, singly);
    check_coalescing("split, coalescing", expected, singly, batches, tally().split_coalescing);
    const HandedOver handed = handed_over(one, arrivals, singly, batches, 0);
    check_offload("split, offload", one, expected, arrivals, handed);
    tally().split_offload.add(handed.super_packets, handed.joined.size());
}

}  // namespace

void check_ways(const Case& one, const Run& plain) {
    ++tally().cases;
    check_recorded(one, plain);
    check_split(one);
}

void check_enough_was_merged() {
    const Tally& all = tally();
    MESSAGE("handed over merged: " << all.offload.text() << "; split: " << all.split_offload.text()
                                   << "; checksums left: " << all.partial.text());
    MESSAGE("written merged: " << all.coalescing.text()
                               << "; split: " << all.split_coalescing.text());
    if (all.cases != number_of_cases()) {
        return;
    }
    CHECK(all.offload.cases >= 16);
    CHECK(all.partial.cases >= 700);
    CHECK(all.coalescing.cases >= 25);
    CHECK(all.split_offload.cases >= 380);
    CHECK(all.split_coalescing.cases >= 380);
}

std::size_t number_of_cases() {
    const std::filesystem::directory_iterator folders(CONFORMANCE_CASES);
    return static_cast<std::size_t>(std::distance(begin(folders), end(folders)));
}

std::string in_lines(const std::vector<Difference>& differences) {
    std::string text;
    for (std::size_t i = 0; i < std::min(differences.size(), kMostShown); ++i) {
        text += differences[i].text + "\n";
    }
    if (differences.size() > kMostShown) {
        text += "... and " + std::to_string(differences.size() - kMostShown) + " more\n";
    }
    return text;
}

}  // namespace oracle
