#include "tests/oracle/conformance.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "router/config/load.hpp"
#include "router/replay/replay.hpp"
#include "tests/oracle/recorded_case.hpp"

namespace oracle {
namespace {

namespace app = nsr::router;

constexpr std::size_t kBatch = 16;
constexpr std::size_t kMaxDifferences = 12;

// Keeps everything that a replay gives.
class Memory : public app::ReplayOutput {
  public:
    explicit Memory(std::vector<std::string> interfaces) : interfaces_(std::move(interfaces)) {}

    void packet(std::int64_t time_ns, std::uint32_t interface, std::span<const std::uint8_t> bytes,
                std::string_view comment) override {
        actual.departures.push_back({static_cast<double>(time_ns) * 1e-9, interfaces_.at(interface),
                                     Bytes(bytes.begin(), bytes.end()), std::string(comment)});
    }
    void connections(std::string_view text) override { actual.conntrack += text; }
    void event(std::string_view line) override { (actual.events += line) += '\n'; }
    void trace(std::string_view line) override { lines.emplace_back(line); }
    [[nodiscard]] bool good() const override { return true; }

    Actual actual;
    std::vector<std::string> lines;

  private:
    std::vector<std::string> interfaces_;
};

struct Run {
    Actual actual;
    std::vector<std::string> trace;
    std::string error;
};

Run run(const std::string& folder, app::ReplayOptions options) {
    options.events = true;
    const auto config = app::load_config(folder + "/router.toml");
    if (!config) {
        return {{}, {}, to_string(config.error()[0])};
    }
    auto capture = app::open_capture(folder + "/in.pcapng", "");
    if (!capture) {
        return {{}, {}, capture.error()};
    }
    Memory memory(config->interface_names());
    app::ReplayResult result = app::run_replay(*config, **capture, options, memory);
    for (const std::string& complaint : result.complaints) {
        result.error += complaint;
    }
    memory.actual.stats = std::move(result.stats);
    return {std::move(memory.actual), std::move(memory.lines), std::move(result.error)};
}

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
std::string trace_of(const std::string& folder, const std::string& comment) {
    app::ReplayOptions options;
    options.trace = true;
    const std::string mark =
        comment.starts_with("in=") ? " #" + comment.substr(3) + " in " : " timer ";
    std::string text;
    bool inside = false;
    for (const std::string& line : run(folder, options).trace) {
        if (!line.starts_with(' ') && line.find(" in ") != std::string::npos) {
            inside = line.find(mark) != std::string::npos;
        }
        text += inside ? "  | " + line + "\n" : "";
    }
    return text;
}

std::string report(const std::string& folder, const RecordedCase& recorded,
                   const std::vector<Difference>& differences) {
    std::string text = recorded.description + "\n";
    for (std::size_t i = 0; i < std::min(differences.size(), kMaxDifferences); ++i) {
        text += differences[i].text + "\n";
    }
    if (differences.size() > kMaxDifferences) {
        text += "... and " + std::to_string(differences.size() - kMaxDifferences) + " more\n";
    }
    for (const Difference& difference : differences) {
        if (!difference.cause.empty()) {
            return text + "trace of " + difference.cause + ":\n" +
                   trace_of(folder, difference.cause);
        }
    }
    return text;
}

bool same(const Actual& a, const Actual& b) {
    const auto same_packet = [](const Departure& x, const Departure& y) {
        return x.time == y.time && x.interface == y.interface && x.bytes == y.bytes &&
               x.comment == y.comment;
    };
    return std::equal(a.departures.begin(), a.departures.end(), b.departures.begin(),
                      b.departures.end(), same_packet) &&
           a.conntrack == b.conntrack && a.stats == b.stats && a.events == b.events;
}

// A batch must be nothing but its packets one after the other.
void check_batches(const std::string& folder) {
    app::ReplayOptions together;
    together.batch = kBatch;
    app::ReplayOptions singly = together;
    singly.one_by_one = true;
    CHECK_MESSAGE(same(run(folder, together).actual, run(folder, singly).actual),
                  "a batch of packets gives another result than the packets one by one");
}

}  // namespace

void check_case(const char* name) {
    const std::string folder = std::string(CONFORMANCE_CASES) + "/" + name;
    const RecordedCase recorded = load_case(folder);
    const Run actual = run(folder, {});
    std::vector<Difference> differences = compare(recorded, actual.actual);
    if (!actual.error.empty()) {
        differences.insert(differences.begin(), {actual.error, ""});
    }
    if (!failing().contains(name) || std::getenv("CONFORMANCE_DETAILS") != nullptr) {
        CHECK_MESSAGE(differences.empty(), report(folder, recorded, differences));
    } else {
        CHECK_MESSAGE(!differences.empty(), "passes now; take it out of failing.txt");
    }
    if (differences.empty()) {
        check_batches(folder);
    }
}

}  // namespace oracle
