// Undo: a change of the machine that has to be taken back, as a line of text: what a process notes
// before it changes anything, so that the next one can take it back if this one is killed.
//
// Theory of operation
//   The operation holds the state before: of a setting and an MTU the old value, of an address and
//   a route what must go, of a device that it was down. The cookie says which namespace it was: if
//   another one answers to that name by now, there is nothing to take back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "router/topology/operation.hpp"

namespace nsr::router {

struct Undo {
    std::uint64_t cookie = 0;  // of the namespace
    Operation operation;
    friend bool operator==(const Undo&, const Undo&) = default;
};

// Without a line break.
std::string to_line(const Undo& undo);
std::optional<Undo> parse_undo(std::string_view line);
// Lines that are none are skipped.
std::vector<Undo> parse_undos(std::string_view text);
std::string to_text(const std::vector<Undo>& undos);

// Of a device or a setting; what is gone already needs no taking back. Throws SystemError.
void take_back(const Undo& undo);

}  // namespace nsr::router
