// The comparison of connection tables, of counters and of events.
#pragma once

#include "tests/oracle/port_renaming.hpp"

namespace oracle {

void compare_tables(const RecordedCase& recorded, const std::string& actual,
                    const PortRenaming& ports, std::vector<Difference>& differences);
// NEW and UPDATE in the kernel's order; the ends as a set and without the time left, since the
// kernel's collector is late.
void compare_events(const RecordedCase& recorded, const std::string& actual,
                    const PortRenaming& ports, std::vector<Difference>& differences);
void compare_stats(const RecordedCase& recorded, const std::string& actual,
                   std::vector<Difference>& differences);

}  // namespace oracle
