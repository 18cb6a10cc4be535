#include "tests/oracle/conformance.hpp"

#include <doctest/doctest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/oracle/case_run.hpp"
#include "tests/oracle/shard_way.hpp"
#include "tests/oracle/ways.hpp"

namespace oracle {
namespace {

namespace app = nsr::router;

constexpr std::size_t kBatch = 16;

// The tables of thousands of routers are for the most part never touched. Each has zeroed pages of
// the kernel then, where the heap would clear what it had back from the one before.
[[maybe_unused]] const bool kBigBlocksFromKernel = mallopt(M_MMAP_THRESHOLD, 1 << 17) != 0;

const std::set<std::string>& failing() {
    static const std::set<std::string> names = [] {
        std::ifstream file(CONFORMANCE_FAILING);
        std::set<std::string> read;
        for (std::string line; std::getline(file, line);) {
            if (!line.empty() && line[0] != '#') {
                REQUIRE_MESSAGE(
                    std::filesystem::exists(std::string(CONFORMANCE_CASES) + "/" + line),
                    "failing.txt names a case that does not exist: " << line);
                read.insert(line);
            }
        }
        return read;
    }();
    return names;
}

// What the router said about the packet that `comment` names ("in=3").
std::string trace_of(const Case& one, const std::string& comment) {
    app::ReplayOptions options;
    options.trace = true;
    const std::string mark =
        comment.starts_with("in=") ? " #" + comment.substr(3) + " in " : " timer ";
    std::string text;
    bool inside = false;
    for (const std::string& line : run(one, one.frames, options).trace) {
        if (!line.starts_with(' ') && line.find(" in ") != std::string::npos) {
            inside = line.find(mark) != std::string::npos;
        }
        text += inside ? "  | " + line + "\n" : "";
    }
    return text;
}

std::string report(const Case& one, const std::vector<Difference>& differences) {
    const std::string text = one.recorded.description + "\n" + in_lines(differences);
    for (const Difference& difference : differences) {
        if (!difference.cause.empty()) {
            return text + "trace of " + difference.cause + ":\n" + trace_of(one, difference.cause);
        }
    }
    return text;
}

bool same(const Run& a, const Run& b) {
    const auto same_packet = [](const Left& x, const Left& y) {
        return x.departure.time == y.departure.time &&
               x.departure.interface == y.departure.interface &&
               x.departure.bytes == y.departure.bytes && x.departure.comment == y.departure.comment;
    };
    return std::equal(a.left.begin(), a.left.end(), b.left.begin(), b.left.end(), same_packet) &&
           a.conntrack == b.conntrack && a.stats == b.stats && a.events == b.events;
}

// A batch must be nothing but its packets one after the other.
void check_batches(const Case& one) {
    app::ReplayOptions together;
    together.batch = kBatch;
    app::ReplayOptions singly = together;
    singly.one_by_one = true;
    CHECK_MESSAGE(same(run(one, one.frames, together), run(one, one.frames, singly)),
                  "a batch of packets gives another result than the packets one by one");
}

// Every respect in which the case is not what was recorded.
std::vector<Difference> differences_of(const Case& one, const Run& plain) {
    std::vector<Departure> departures;
    for (const Left& left : plain.left) {
        departures.push_back(left.departure);
    }
    std::vector<Difference> differences =
        compare(one.recorded, {std::move(departures), plain.conntrack, plain.stats, plain.events});
    const std::string& error = one.error.empty() ? plain.error : one.error;
    if (!error.empty()) {
        differences.insert(differences.begin(), {error, ""});
    }
    return differences;
}

}  // namespace

void check_case(const char* name) {
    const Case one = open_case(name);
    const Run plain = one.error.empty() ? run(one, one.frames, {}) : Run{};
    const std::vector<Difference> differences = differences_of(one, plain);
    if (!failing().contains(name) || std::getenv("CONFORMANCE_DETAILS") != nullptr) {
        CHECK_MESSAGE(differences.empty(), report(one, differences));
    } else {
        CHECK_MESSAGE(!differences.empty(), "passes now; take it out of failing.txt");
    }
    if (differences.empty()) {
        check_batches(one);
        check_ways(one, plain);
        check_in_shards(name, one, plain);
    }
}

}  // namespace oracle
