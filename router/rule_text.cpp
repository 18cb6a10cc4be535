#include "router/rule_text.hpp"

#include <cstdio>
#include <map>
#include <sstream>
#include <string_view>

namespace nsr::router {
namespace {

// "[12:3456] rest" as counters and rest.
struct Counted {
    unsigned long long packets = 0;
    unsigned long long bytes = 0;
    std::string_view rest;
};

Counted split_counters(std::string_view line) {
    Counted out;
    const auto end = line.find("] ");
    if (line.empty() || line.front() != '[' || end == std::string_view::npos) {
        out.rest = line;
        return out;
    }
    std::sscanf(std::string(line.substr(0, end)).c_str(), "[%llu:%llu", &out.packets, &out.bytes);
    out.rest = line.substr(end + 2);
    return out;
}

// ":FORWARD DROP [1:60]"
std::string chain_heading(const std::string& line) {
    std::istringstream words(line.substr(1));
    std::string name;
    std::string policy;
    std::string counters;
    words >> name >> policy >> counters;
    const Counted counted = split_counters(counters + " ");
    return policy == "-"
               ? "Chain " + name
               : "Chain " + name + " (policy " + policy + " " + std::to_string(counted.packets) +
                     " packets, " + std::to_string(counted.bytes) + " bytes)";
}

class Listing {
  public:
    explicit Listing(std::string_view family) : family_(family) {}

    void take(const std::string& line) {
        if (line.empty() || line.front() == '#') {
            return;
        }
        if (line.front() == '*') {
            table_ = line.substr(1);
            chains_.clear();
            order_.clear();
        } else if (line.front() == ':') {
            order_.push_back(line.substr(1, line.find(' ') - 1));
            chains_[order_.back()] = chain_heading(line) + "\n num   pkts   bytes  rule\n";
            numbers_[order_.back()] = 0;
        } else if (line == "COMMIT") {
            finish_table();
        } else {
            take_rule(line);
        }
    }
    std::string text() { return std::move(text_); }

  private:
    void take_rule(const std::string& line) {
        const Counted rule = split_counters(line);
        constexpr std::string_view kAppend = "-A ";
        if (!rule.rest.starts_with(kAppend)) {
            return;
        }
        std::string_view rest = rule.rest.substr(kAppend.size());
        const std::string chain(rest.substr(0, rest.find(' ')));
        rest.remove_prefix(std::min(rest.size(), chain.size() + 1));
        char head[64];
        std::snprintf(head, sizeof head, "%4u %6llu %7llu  ", ++numbers_[chain], rule.packets,
                      rule.bytes);
        chains_[chain] += head + std::string(rest) + "\n";
    }
    void finish_table() {
        text_ += "Table " + table_ + " (" + family_ + ")\n";
        for (const std::string& chain : order_) {
            text_ += chains_[chain] + "\n";
        }
    }

    std::string family_;
    std::string table_;
    std::vector<std::string> order_;
    std::map<std::string, std::string> chains_;
    std::map<std::string, unsigned> numbers_;
    std::string text_;
};

}  // namespace

std::string rule_listing(const rules::Ruleset& ruleset, Family family) {
    Listing listing(family == Family::Ipv4 ? "ipv4" : "ipv6");
    std::istringstream lines(rules::save(ruleset, family, true));
    for (std::string line; std::getline(lines, line);) {
        listing.take(line);
    }
    return listing.text();
}

}  // namespace nsr::router
