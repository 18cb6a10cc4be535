#include "tests/oracle/shard_way.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "core/rules/language/parse.hpp"
#include "core/rules/needs.hpp"
#include "router/config/sections.hpp"
#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "tests/oracle/compare_tally.hpp"
#include "tests/oracle/conformance.hpp"
#include "tests/oracle/shard_key.hpp"
#include "tests/oracle/shard_run.hpp"
#include "tests/oracle/ways.hpp"

namespace oracle {
namespace {

namespace app = nsr::router;

struct Way {
    const char* name;
    Reader reader;
};

constexpr Way kWays[] = {{"steered", Reader::Steered}, {"handed-over", Reader::Other}};

struct Amount {
    std::size_t handed_over = 0;
    std::size_t packets = 0;
    std::size_t claims = 0;
};

struct Census {
    std::size_t cases = 0;  // whether they ran or not
    std::size_t ran = 0;
    std::map<Reader, Amount> amounts;
    std::map<std::string, std::size_t> left_out;  // by reason
};

Census& census() {
    static Census counted;
    return counted;
}

// --- what does not run --------------------------------------------------------------------------

// "file:line: ... needs shards = 1: REASON", "...: REASON needs shards = 1".
std::string reason_in(const std::string& message) {
    static const std::string kNeeds = " needs shards = 1";
    const std::size_t needs = message.rfind(kNeeds);
    if (needs == std::string::npos) {
        return message;
    }
    const std::size_t behind = needs + kNeeds.size();
    if (behind < message.size()) {
        const std::string reason = message.substr(behind + 2);
        return reason.substr(0, reason.find(" cannot be divided"));
    }
    const std::size_t begin = message.rfind(": ", needs);
    return message.substr(begin + 2, needs - begin - 2);
}

std::string refused_by_config(app::Config config) {
    config.shards = kShards;
    nsr::ConfigErrors errors;
    app::check_shards(config, errors);
    return errors.empty() ? "" : reason_in(errors[0].message);
}

std::string refused_by_rules(const app::Config& config, const app::RuleFile& file) {
    nsr::rules::Ruleset ruleset;
    const auto errors =
        nsr::rules::parse_save(file.text, file.path, file.family, ruleset, config.host_names);
    const auto needs = nsr::rules::needs_one_shard(ruleset);
    return errors.empty() && needs ? reason_in(needs->message) : "";
}

std::string refused_by_event(const app::Config& config, const app::ReplayEvent& event) {
    for (const auto& file : event.rules) {
        if (std::string reason = refused_by_rules(config, file); !reason.empty()) {
            return reason;
        }
    }
    for (const auto& line : event.conntrack) {
        const auto args = app::parse_conntrack_args(line.value);
        const char* reason = args ? app::needs_one_shard(args->command) : nullptr;
        if (reason != nullptr) {
            return reason;
        }
    }
    return "";
}

// With the sets and the policies that events make.
app::Config with_events(app::Config config) {
    for (const app::ReplayEvent& event : config.replay.events) {
        for (const auto& line : event.ipset) {
            config.sets.commands.push_back({{line.value}, line.where});
        }
        for (const auto& args : event.nfct) {
            config.timeouts.push_back({args.value, args.where});
        }
    }
    return config;
}

// Empty: a router of several shards takes it, and what is done to it while it runs.
std::string refused(const app::Config& config) {
    std::string reason = refused_by_config(with_events(config));
    for (const app::ReplayEvent& event : config.replay.events) {
        if (reason.empty()) {
            reason = refused_by_event(config, event);
        }
    }
    return reason;
}

// --- what differs and may -----------------------------------------------------------------------

using Listed = std::map<std::pair<std::string, std::string>, std::string>;

bool is_way(const std::string& name) {
    return std::any_of(std::begin(kWays), std::end(kWays),
                       [&](const Way& way) { return way.name == name; });
}

// "# REASON", then the cases that it is the reason of, each with the ways in which it is.
Listed read_listed() {
    Listed listed;
    std::ifstream file(CONFORMANCE_ONE_SHARD);
    std::string reason;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("# ")) {
            reason = line.substr(2);
            continue;
        }
        std::istringstream words(line);
        std::string name;
        words >> name;
        REQUIRE_MESSAGE(std::filesystem::exists(std::string(CONFORMANCE_CASES) + "/" + name),
                        "one_shard.txt names a case that does not exist: " << name);
        REQUIRE_MESSAGE((name.empty() || !words.eof()), "one_shard.txt names no way of " << name);
        for (std::string way; words >> way;) {
            REQUIRE_MESSAGE(is_way(way), "one_shard.txt names a way that does not exist: " << way);
            listed[{name, way}] = reason;
        }
    }
    return listed;
}

// Empty: it is not listed.
std::string why_listed(const std::string& name, const Way& way) {
    static const Listed listed = read_listed();
    const auto found = listed.find({name, way.name});
    return found == listed.end() ? "" : found->second;
}

// --- running ------------------------------------------------------------------------------------

std::vector<Difference> differences_in(const Case& one, const Run& plain,
                                       const RunInShards& sharded) {
    std::vector<Departure> departures;
    for (const Left& left : sharded.run.left) {
        departures.push_back(left.departure);
    }
    const Run& run = sharded.run;
    std::vector<Difference> differences =
        compare(one.recorded, {std::move(departures), run.conntrack, run.stats, run.events});
    compare_tallies(plain.tally, run.tally, differences);
    if (!run.error.empty()) {
        differences.insert(differences.begin(), {run.error, ""});
    }
    return differences;
}

void count(const Way& way, const Case& one, const RunInShards& sharded) {
    Amount& amount = census().amounts[way.reader];
    amount.handed_over += sharded.handed_over;
    amount.packets += one.frames.size();
    amount.claims += sharded.claims;
}

// Why it may differ; empty: it may not.
std::string run_one_way(const Way& way, const std::string& name, const Case& one, const Run& plain,
                        std::uint32_t key) {
    const std::string reason = why_listed(name, way);
    const RunInShards sharded = run_in_shards(one, key, way.reader);
    const std::vector<Difference> differences = differences_in(one, plain, sharded);
    CHECK_MESSAGE(sharded.run.error.empty(), sharded.run.error);
    CHECK_MESSAGE((differences.empty() || !reason.empty()),
                  "two shards, " << std::string(way.name) << ": " << in_lines(differences));
    CHECK_MESSAGE(
        (!differences.empty() || reason.empty()),
        "is the same in two shards, " << std::string(way.name) << "; take it out of one_shard.txt");
    count(way, one, sharded);
    return reason;
}

void run_both_ways(const std::string& name, const Case& one, const Run& plain, std::uint32_t key) {
    std::string reason;
    for (const Way& way : kWays) {
        const std::string here = run_one_way(way, name, one, plain, key);
        reason = here.empty() ? reason : here;
    }
    if (reason.empty()) {
        ++census().ran;
    } else {
        ++census().left_out[reason];
    }
}

}  // namespace

void check_in_shards(const std::string& name, const Case& one, const Run& plain) {
    ++census().cases;
    if (const std::string reason = refused(one.config); !reason.empty()) {
        ++census().left_out["refused: " + reason];
    } else if (const auto key = key_for(plain)) {
        run_both_ways(name, one, plain, *key);
    } else {
        ++census().left_out["no key with which the recorded ports come home"];
    }
}

void check_enough_ran_in_shards() {
    Census& all = census();
    MESSAGE("in two shards: " << all.ran << " cases");
    for (const Way& way : kWays) {
        const Amount& amount = all.amounts[way.reader];
        MESSAGE("two shards, " << std::string(way.name) << ": " << amount.handed_over << " of "
                               << amount.packets << " packets handed over, " << amount.claims
                               << " claims");
    }
    for (const auto& [reason, cases] : all.left_out) {
        MESSAGE("left out: " << cases << " (" << reason << ")");
    }
    if (all.cases == number_of_cases()) {
        CHECK(all.ran >= 750);
        CHECK(all.amounts[Reader::Steered].handed_over >= 350);
        CHECK(all.amounts[Reader::Steered].claims >= 60);
        CHECK(all.amounts[Reader::Other].handed_over >= 14000);
    }
}

}  // namespace oracle
