#include "core/rules/program/counters_reading.hpp"

namespace nsr::rules {

namespace {

// A chain and a block are each somewhere else in memory: what it costs to get there, in counters.
constexpr std::size_t kWay = 32;

}  // namespace

void CountersReading::begin(const std::shared_ptr<const CompiledRuleset>& of) {
    *this = {};
    of_ = of;
    counted_.ruleset = of->ruleset;
}

bool CountersReading::advance(const TableMemories& memories, std::size_t most) {
    std::size_t spent = 0;
    while (table_ != 2 * kTableCount) {
        const std::size_t family = table_ / kTableCount;
        const std::size_t table = table_ % kTableCount;
        const TableMemory& memory = memories[family][table];
        if (chain_ == memory.size()) {
            ++table_;
            chain_ = 0;
            continue;
        }
        const ChainMemory& chain = memory[chain_];
        TableCounters& counters = counted_.counters.tables[family][table];
        if (block_ == 0) {
            counters.add_chain(chain.policy);
            spent += kWay;
        }
        if (block_ != chain.blocks.size()) {
            const auto& block = chain.blocks[block_++]->counters;
            counters.add_rules(block.data(), block.size());
            spent += kWay + block.size();
        }
        if (block_ == chain.blocks.size()) {
            ++chain_;
            block_ = 0;
        }
        if (spent >= most) {
            return false;
        }
    }
    return true;
}

}  // namespace nsr::rules
