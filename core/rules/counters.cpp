#include "core/rules/counters.hpp"

namespace nsr::rules {

TableCounters first_counters(const Table& table) {
    TableCounters counters;
    for (const Chain& chain : table.chains) {
        counters.add_chain(chain.counters);
        for (const Rule& rule : chain.rules) {
            counters.add_rules(&rule.counters, 1);
        }
    }
    return counters;
}

}  // namespace nsr::rules
