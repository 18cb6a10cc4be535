// RefusedConnections: which connections had their last packet dropped, so that the first one that
// goes on again is noticed.
//
// Theory of operation
//   A place for each of kPlaces connections, by its id; who comes to a place that is taken has it
//   from then on. So a connection may be forgotten, never confused: its commit word says which one
//   it is. While nobody is remembered a look-up costs one test.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/base/ids.hpp"
#include "core/conntrack/record/connection.hpp"

namespace nsr::pipeline {

class RefusedConnections {
  public:
    static constexpr std::size_t kPlaces = 1024;

    // A packet of it was dropped. True: its last one was not, as far as is known; where another
    // connection has had its place, nothing is.
    bool add(ConnId id, const conntrack::Connection& record) {
        if (has(id, record)) {
            return false;
        }
        Place& place = place_of(id);
        const bool known = place.commit == 0;
        count_ += known ? 1U : 0U;
        place = {id, record.commit};
        return known;
    }
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] bool has(ConnId id, const conntrack::Connection& record) const {
        return places_[raw(id) % kPlaces].id == id &&
               places_[raw(id) % kPlaces].commit == record.commit;
    }
    // Precondition: has().
    void remove(ConnId id) {
        place_of(id) = {};
        --count_;
    }

  private:
    struct Place {
        ConnId id = ConnId::None;
        std::uint32_t commit = 0;  // 0: nobody is here
    };
    Place& place_of(ConnId id) { return places_[raw(id) % kPlaces]; }

    std::array<Place, kPlaces> places_{};
    std::size_t count_ = 0;
};

}  // namespace nsr::pipeline
