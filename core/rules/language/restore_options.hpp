// How an iptables-save text is taken up by rules that are there already.
// kernel: iptables-restore(8)
#pragma once

#include <optional>

#include "core/rules/table_id.hpp"

namespace nsr::rules {

struct RestoreOptions {
    // Tables that the text names lose their rules and user chains first; policies stay unless the
    // text has others. False (-n): they keep them, and user chains that the text declares are
    // emptied.
    bool flush = true;
    // Counters of the text count (-c). False: chains and rules that it names begin at 0.
    bool counters = false;
    std::optional<TableId> only;  // -T: the other tables of the text are passed over
};

}  // namespace nsr::rules
