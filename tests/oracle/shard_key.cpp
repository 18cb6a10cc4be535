#include "tests/oracle/shard_key.hpp"

#include <algorithm>
#include <sstream>
#include <vector>

#include "core/conntrack/record/home.hpp"
#include "tests/oracle/shard_run.hpp"
#include "tests/oracle/text_line.hpp"

namespace oracle {
namespace {

using nsr::conntrack::HomeHash;
using nsr::conntrack::Tuple;

struct Flow {
    Tuple original;
    Tuple reply;
    bool chooses = false;  // NAT gives it a source, and may choose the port

    friend bool operator==(const Flow&, const Flow&) = default;
};

std::uint16_t number_in(const std::string& word) {
    return static_cast<std::uint16_t>(std::stoul(word.substr(word.find('=') + 1)));
}

// As far as the home hash looks at it.
void read_word(const std::string& word, Tuple& tuple) {
    const std::string value = word.substr(word.find('=') + 1);
    if (word.starts_with("dst=")) {
        tuple.destination = nsr::parse_address(value).value_or(nsr::IpAddress{});
    } else if (word.starts_with("sport=") || word.starts_with("id=")) {
        tuple.source_port = number_in(word);
    } else if (word.starts_with("dport=")) {
        tuple.destination_port = number_in(word);
    }
}

// Of a line of the table, or of an event: the protocol's number is the first after its name.
std::optional<Flow> flow_of(const Words& words) {
    std::vector<Tuple> tuples;
    const std::size_t protocol_at = words.empty() || words[0].starts_with('[') ? 2 : 3;
    if (words.size() <= protocol_at || !is_number(words[protocol_at])) {
        return std::nullopt;
    }
    for (const std::string& word : words) {
        if (word.starts_with("src=")) {
            Tuple& begun = tuples.emplace_back();
            begun.source = nsr::parse_address(word.substr(4)).value_or(nsr::IpAddress{});
            begun.protocol = static_cast<std::uint8_t>(std::stoul(words[protocol_at]));
        } else if (!tuples.empty()) {
            read_word(word, tuples.back());
        }
    }
    if (tuples.size() != 2) {
        return std::nullopt;
    }
    const Tuple& original = tuples[0];
    const Tuple& reply = tuples[1];
    const bool icmp = nsr::proto::is_icmp(original.protocol);
    const std::uint16_t answered = icmp ? reply.source_port : reply.destination_port;
    const bool translated =
        reply.destination != original.source || answered != original.source_port;
    return Flow{original, reply, translated && (icmp || nsr::proto::has_ports(original.protocol))};
}

void add_flows(const std::string& text, std::vector<Flow>& flows) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const auto flow = flow_of(words_of(line));
        if (flow && std::find(flows.begin(), flows.end(), *flow) == flows.end()) {
            flows.push_back(*flow);
        }
    }
}

struct Score {
    std::size_t in_first = 0;
    std::size_t in_second = 0;
    std::size_t claims = 0;

    [[nodiscard]] std::size_t sum() const { return std::min(in_first, in_second) + claims; }
};

// Nothing: answers to a port that was chosen do not come home.
std::optional<Score> score_of(const HomeHash& hash, const std::vector<Flow>& flows) {
    Score score;
    for (const Flow& flow : flows) {
        const unsigned home = hash.of(flow.original);
        const bool comes_home = hash.of(flow.reply) == home;
        if (flow.chooses && !comes_home) {
            return std::nullopt;
        }
        ++(home == 0 ? score.in_first : score.in_second);
        score.claims += comes_home ? 0 : 1;
    }
    return score;
}

}  // namespace

std::optional<std::uint32_t> key_for(const Run& plain) {
    constexpr std::uint32_t kKeys = 1u << 18;
    constexpr unsigned kGoodEnough = 16;  // so many are compared
    std::vector<Flow> flows;
    add_flows(plain.events, flows);
    add_flows(plain.conntrack, flows);
    std::optional<std::uint32_t> best;
    std::size_t best_sum = 0;
    unsigned found = 0;
    for (std::uint32_t number = 1; number < kKeys && found < kGoodEnough; ++number) {
        const std::uint32_t key = number * HomeHash::kPortFactor;
        const auto score = score_of({key, kShards}, flows);
        if (!score) {
            continue;
        }
        ++found;
        if (!best || score->sum() > best_sum) {
            best = key;
            best_sum = score->sum();
        }
    }
    return best;
}

}  // namespace oracle
