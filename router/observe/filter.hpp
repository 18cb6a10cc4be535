// Filter: which packets somebody wants to hear of: own words, then a tcpdump expression.
//
//     FILTER = WORD* [EXPRESSION]      WORD = ["!"] KEY ":" VALUE ["," VALUE]*
//
//     state:NEW,INVALID   in:lan  out:wan     hook:FORWARD  table:filter  chain:web
//     verdict:dropped     reason:policy_drop  rule:rules.v4:12
//     zone:1  mark:0x10   connection:17       traced:yes    change:now_dropped
//
// A packet fits if it fits every word (one of its values; with "!" none of them) and the
// expression, which is asked of the packet as it came. What the words of one packet are is a
// Subject, made of an observation or of a record. `rule` is the place of a rule that matched, with
// or without its column; `connection` the id of GET /conntrack.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/observe/observation.hpp"
#include "core/pipeline/recorder.hpp"
#include "router/observe/packet_filter.hpp"

namespace nsr::router {

// What a filter asks of a packet.
struct Subject {
    std::string state;  // "INVALID"; empty: tracking was off
    std::string in;
    std::vector<std::string> out;
    std::vector<std::string> hooks;
    std::vector<std::string> tables;
    std::vector<std::string> chains;
    std::vector<std::string> rules;  // "rules.v4:12:1"
    std::string verdict;
    std::string reason;  // empty: it was not dropped
    std::string change;  // of a record: "now_dropped"; empty: none
    std::uint32_t zone = 0;
    std::uint32_t mark = 0;
    std::optional<std::uint32_t> connection;
    bool traced = false;
};

Subject subject_of(const observe::Observation& seen);

class Filter {
  public:
    // Everything fits.
    Filter() = default;
    static Result<Filter, FilterError> parse(std::string_view text);

    // The expression alone, of the packet as it came.
    [[nodiscard]] bool admits(std::span<const std::uint8_t> packet) const {
        return expression_.passes(packet);
    }
    // The words alone.
    [[nodiscard]] bool fits(const Subject& subject) const;
    // Whether there are any words.
    [[nodiscard]] bool needs_outcome() const { return !words_.empty(); }

    struct Key;

  private:
    struct Word {
        const Key* key = nullptr;
        bool inverted = false;
        std::vector<std::string> values;
    };

    std::vector<Word> words_;
    PacketFilter expression_;
};

// "filter: column 7: ..."
std::string to_string(const FilterError& error);

}  // namespace nsr::router
