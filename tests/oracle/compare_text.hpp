// The comparison of connection tables and of counters.
#pragma once

#include "tests/oracle/port_renaming.hpp"

namespace oracle {

void compare_tables(const RecordedCase& recorded, const std::string& actual,
                    const PortRenaming& ports, std::vector<Difference>& differences);
void compare_stats(const RecordedCase& recorded, const std::string& actual,
                   std::vector<Difference>& differences);

}  // namespace oracle
