// LinkChanges: what a reload does to interfaces, as a value, and on the machine.
//
// Theory of operation
//   Two configurations are compared, interface by interface, by name. An interface that is in one
//   of them only goes or comes. One that is in both but in another namespace, or with another
//   device, moves: its new device is made beside the old one. Else what its namespace's end has is
//   adjusted in place; its device stays. What was lost (its namespace or its device is gone) is
//   made again.
//   In the worker, carry_out() makes all that is new, or nothing: what fails takes back what was
//   done before it. Then the loop exchanges the ports between two batches. Then, in the worker
//   again, let_go() takes back what is no longer wanted, which cannot fail: what stays is said at
//   the end, as always.
#pragma once

#include <string>
#include <vector>

#include "router/config/config.hpp"
#include "router/topology/plan.hpp"
#include "router/topology/setup.hpp"

namespace nsr::router {

struct LinkChange {
    enum class Kind : std::uint8_t { Comes, Goes, Moves, Adjusts, Rejoins };
    Kind kind = Kind::Comes;
    std::string name;
    Part before;  // empty: it comes
    Part after;   // empty: it goes
};

// Of interfaces and of nothing else, in an order in which they can be carried out. `lost`: the
// names of those whose devices are gone.
std::vector<LinkChange> link_changes(const Config& now, const Config& next,
                                     const std::vector<std::string>& lost);

// The part of Setup that a change makes, until let_go().
std::string part_name(const LinkChange& change);

// Throws SystemError after taking back what was done.
void carry_out(const std::vector<LinkChange>& changes, Setup& setup);
// The opposite, if carry_out() was done and nothing after it.
void take_back(const std::vector<LinkChange>& changes, Setup& setup);
void let_go(const std::vector<LinkChange>& changes, Setup& setup);

}  // namespace nsr::router
