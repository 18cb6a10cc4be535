#include "core/conntrack/sweep.hpp"

namespace nsr::conntrack {

void Sweeps::advance(const Table& table, std::vector<ConnId>& out) {
    if (sweeps_.empty()) {
        return;
    }
    Sweep& sweep = sweeps_.front();
    std::size_t looks = kPlaces;
    while (const auto id = table.next(sweep.cursor, looks)) {
        if (sweep.visit(*id)) {
            out.push_back(*id);
        }
    }
    if (sweep.cursor.over) {
        sweeps_.erase(sweeps_.begin());
    }
}

}  // namespace nsr::conntrack
