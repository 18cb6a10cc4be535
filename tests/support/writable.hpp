// For tests of what reads the connection table: they write records that no packet wrote. Everything
// else goes through the methods of Conntrack.
#pragma once

#include "core/conntrack/conntrack.hpp"

namespace nsr::test {

// `conntrack` itself must not be const.
inline conntrack::Table& writable_table(const conntrack::Conntrack& conntrack) {
    return const_cast<conntrack::Table&>(conntrack.table());
}

inline conntrack::Stats& writable_stats(const conntrack::Conntrack& conntrack) {
    return const_cast<conntrack::Stats&>(conntrack.stats());
}

}  // namespace nsr::test
