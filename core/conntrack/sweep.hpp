// Sweeps: going over all connections because of something that has happened to the router, a
// bounded number of places at a time. kernel: nf_ct_iterate_cleanup_net, which masquerading runs in
// a work queue for the same reason
#pragma once

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/conntrack/table/table.hpp"

namespace nsr::conntrack {

class Sweeps {
  public:
    // True: the connection is to be deleted.
    using Visit = std::function<bool(ConnId)>;
    static constexpr std::size_t kPlaces = 128;  // of a turn; deleting all takes < 1 ms

    void add(Visit visit) { sweeps_.push_back({std::move(visit), {}}); }
    [[nodiscard]] bool pending() const { return !sweeps_.empty(); }
    // Looks at the next kPlaces places; appends to `out` whom the caller must delete before the
    // next turn.
    void advance(const Table& table, std::vector<ConnId>& out);

  private:
    struct Sweep {
        Visit visit;
        Table::Cursor cursor;
    };
    std::vector<Sweep> sweeps_;
};

}  // namespace nsr::conntrack
