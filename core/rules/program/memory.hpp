// What packets change: counters, and what matches remember. Of the thread that runs packets alone.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/rules/counters.hpp"
#include "core/rules/match.hpp"
#include "core/rules/state.hpp"

namespace nsr::rules {

struct BlockMemory {
    std::vector<RuleCounters> counters;            // of each rule
    std::vector<MatchState*> states;               // of each call: its own or one it shares
    std::vector<std::unique_ptr<MatchState>> own;  // of each call; null where it has none
};

struct ChainMemory {
    RuleCounters policy;
    std::vector<std::unique_ptr<BlockMemory>> blocks;
};

using TableMemory = std::vector<ChainMemory>;
using TableMemories = std::array<std::array<TableMemory, kTableCount>, 2>;

// What rules share by name (lists of `recent`), as long as a rule uses it.
class SharedStates {
  public:
    // `spare` is taken if there is none of this name yet, else left as it is.
    MatchState* acquire(const std::string& name, const Match& match,
                        std::unique_ptr<MatchState>& spare) {
        Named& named = states_[name];
        if (named.state == nullptr) {
            named.state = std::move(spare);
        }
        ++named.users;
        match.join(*named.state);
        return named.state.get();
    }
    // What nobody uses any more, to be destroyed.
    std::unique_ptr<MatchState> release(const std::string& name, const Match& match) {
        const auto found = states_.find(name);
        if (found == states_.end()) {
            return nullptr;
        }
        match.leave(*found->second.state);
        if (--found->second.users != 0) {
            return nullptr;
        }
        std::unique_ptr<MatchState> state = std::move(found->second.state);
        states_.erase(found);
        return state;
    }
    [[nodiscard]] std::size_t remembered() const {
        std::size_t sum = 0;
        for (const auto& [name, named] : states_) {
            sum += named.state->remembered();
        }
        return sum;
    }

  private:
    struct Named {
        std::unique_ptr<MatchState> state;
        std::size_t users = 0;
    };
    std::unordered_map<std::string, Named> states_;
};

}  // namespace nsr::rules
