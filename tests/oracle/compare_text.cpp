#include "tests/oracle/compare_text.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tests/oracle/text_line.hpp"

namespace oracle {
namespace {

struct Checkpoint {
    double time = 0;
    std::vector<Line> entries;
    std::vector<Line> expectations;
};

// `ipv4 2 tcp 6 119 SYN_SENT ...`: the fifth word is the lifetime.
Line entry_line(const std::string& text) {
    Words words = words_of(text);
    std::erase_if(words, [](const std::string& word) {
        return word.starts_with("use=") || word.starts_with("secmark=") ||
               word.starts_with("secctx=") || word.starts_with("delta-time=") || word == "zone=0";
    });
    Line line;
    if (words.size() > 4 && is_number(words[4])) {
        line.lifetime = std::stol(words[4]);
        words.erase(words.begin() + 4);
    }
    line.text = joined(words);
    return line;
}

Line expectation_line(const std::string& text) {
    Words words = words_of(text);
    Line line;
    if (!words.empty() && is_number(words[0])) {
        line.lifetime = std::stol(words[0]);
        words.erase(words.begin());
    }
    line.text = joined(words);
    return line;
}

std::vector<Checkpoint> checkpoints_of(const std::string& text) {
    std::vector<Checkpoint> checkpoints;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("# t=")) {
            checkpoints.push_back({std::stod(line.substr(4)), {}, {}});
        } else if (checkpoints.empty()) {
            continue;
        } else if (line.starts_with("# count=")) {
            checkpoints.back().entries.resize(std::stoul(line.substr(8)));
        } else if (line.starts_with("expect ")) {
            checkpoints.back().expectations.push_back(expectation_line(line.substr(7)));
        } else if (!line.empty() && line[0] != '#') {
            checkpoints.back().entries.push_back(entry_line(line));
        }
    }
    for (Checkpoint& checkpoint : checkpoints) {
        std::sort(checkpoint.entries.begin(), checkpoint.entries.end());
        std::sort(checkpoint.expectations.begin(), checkpoint.expectations.end());
    }
    return checkpoints;
}

struct LineComparison {
    std::string what;  // "conntrack t=0.1: "
    double tolerance = 1;
    std::vector<Difference>& differences;

    void run(const std::vector<Line>& expected, std::vector<Line> actual) const {
        for (const Line& line : expected) {
            const auto best = closest(line, actual);
            if (best == actual.end()) {
                differences.push_back(
                    {what + "missing: " + in_brackets(line.lifetime) + line.text, ""});
                continue;
            }
            const std::optional<long> lifetime = best->lifetime;
            actual.erase(best);
            const bool far = line.lifetime && lifetime &&
                             std::abs(static_cast<double>(*line.lifetime - *lifetime)) > tolerance;
            if (line.lifetime.has_value() != lifetime.has_value() || far) {
                differences.push_back({what + "lifetime " + in_brackets(line.lifetime) +
                                           "expected, " + in_brackets(lifetime) +
                                           "actual: " + line.text,
                                       ""});
            }
        }
        for (const Line& line : actual) {
            differences.push_back(
                {what + "not expected: " + in_brackets(line.lifetime) + line.text, ""});
        }
    }

    static std::vector<Line>::iterator closest(const Line& wanted, std::vector<Line>& among) {
        auto best = among.end();
        const auto distance = [&](const Line& line) {
            return std::abs(line.lifetime.value_or(0) - wanted.lifetime.value_or(0));
        };
        for (auto it = among.begin(); it != among.end(); ++it) {
            if (it->text == wanted.text &&
                (best == among.end() || distance(*it) < distance(*best))) {
                best = it;
            }
        }
        return best;
    }
};

struct Counted {
    std::string text;      // of the rule; "policy" for the chain's own
    std::string counters;  // "[12:2580]"; empty: not compared
};

struct Stats {
    std::map<std::string, long> counters;
    std::map<std::string, std::vector<Counted>> chains;  // "v4 filter FORWARD"
};

void parse_rule_line(const std::string& line, const Words& words, Stats& stats) {
    const std::string table = words[0] + " " + words[1] + " ";
    if (words[2].starts_with(':')) {
        auto& chain = stats.chains[table + words[2].substr(1)];
        const std::string counters = words[3] == "-" ? "" : line.substr(line.find('['));
        chain.insert(chain.begin(), {"policy", counters});
    } else {
        stats.chains[table + words[4]].push_back(
            {joined({words.begin() + 5, words.end()}), words[2]});
    }
}

Stats stats_of(const std::string& text) {
    Stats stats;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const Words words = words_of(line);
        if (words.empty()) {
            continue;
        }
        if (words[0] == "stat") {
            stats.counters[words[1]] = std::stol(words[2]);
        } else if (words[0] == "count") {
            stats.counters["count"] = std::stol(words[1]);
        } else if (words[0] == "v4" || words[0] == "v6") {
            parse_rule_line(line, words, stats);
        }
    }
    return stats;
}

std::string table_of(const std::string& chain) {
    return chain.substr(0, chain.rfind(' '));
}

void compare_chain(const std::string& name, const std::vector<Counted>& expected,
                   const std::vector<Counted>& actual, std::vector<Difference>& differences) {
    if (expected.size() != actual.size()) {
        differences.push_back({"rules " + name + ": " + std::to_string(expected.size()) +
                                   " lines expected, " + std::to_string(actual.size()) + " actual",
                               ""});
        return;
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (!expected[i].counters.empty() && expected[i].counters != actual[i].counters) {
            differences.push_back({"rule counter " + name + " #" + std::to_string(i) + " \"" +
                                       expected[i].text + "\": " + expected[i].counters +
                                       " expected, " + actual[i].counters + " actual",
                                   ""});
        }
    }
}

}  // namespace

void compare_tables(const RecordedCase& recorded, const std::string& actual,
                    const PortRenaming& ports, std::vector<Difference>& differences) {
    const Hints& hints = recorded.hints;
    const auto key = [](double time) { return std::llround(time * 1e4); };
    std::map<long long, Checkpoint> by_time;
    for (Checkpoint& checkpoint : checkpoints_of(actual)) {
        by_time[key(checkpoint.time)] = checkpoint;
    }
    for (const Checkpoint& expected : checkpoints_of(recorded.conntrack)) {
        const std::string at = "t=" + std::to_string(expected.time) + ": ";
        const auto found = by_time.find(key(expected.time));
        if (found == by_time.end()) {
            differences.push_back({"conntrack " + at + "no such checkpoint", ""});
            continue;
        }
        std::vector<Line> entries;
        for (const Line& line : found->second.entries) {
            entries.push_back(renamed(line, ports));
        }
        std::sort(entries.begin(), entries.end());
        if (hints.conntrack == "count") {
            const std::size_t wanted = expected.entries.size();
            const std::size_t count = entries.size();
            if (std::max(wanted, count) - std::min(wanted, count) > hints.count_tolerance) {
                differences.push_back({"conntrack " + at + std::to_string(wanted) +
                                           " entries expected, " + std::to_string(count) +
                                           " actual",
                                       ""});
            }
            continue;
        }
        LineComparison{"conntrack " + at, hints.timeout_tolerance, differences}.run(
            expected.entries, entries);
        LineComparison{"expectation " + at, hints.timeout_tolerance, differences}.run(
            expected.expectations, found->second.expectations);
    }
}

void compare_stats(const RecordedCase& recorded, const std::string& actual,
                   std::vector<Difference>& differences) {
    const Stats expected = stats_of(recorded.stats);
    const Stats got = stats_of(actual);
    const std::set<std::string>& ignored = recorded.hints.ignored_stats;
    for (const auto& [name, value] : expected.counters) {
        const auto found = got.counters.find(name);
        if (!ignored.contains(name) && (found == got.counters.end() || found->second != value)) {
            differences.push_back(
                {"counter " + name + ": " + std::to_string(value) + " expected, " +
                     (found == got.counters.end() ? "none" : std::to_string(found->second)) +
                     " actual",
                 ""});
        }
    }
    if (ignored.contains("rules")) {
        return;
    }
    std::set<std::string> tables;
    for (const auto& [chain, lines] : got.chains) {
        tables.insert(table_of(chain));
    }
    for (const auto& [chain, lines] : expected.chains) {
        if (!tables.contains(table_of(chain))) {
            differences.push_back({"rules: table " + table_of(chain) + " is not listed", ""});
            continue;
        }
        const auto found = got.chains.find(chain);
        compare_chain(chain, lines,
                      found == got.chains.end() ? std::vector<Counted>{} : found->second,
                      differences);
    }
}

}  // namespace oracle
