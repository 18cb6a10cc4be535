// Journal: the list of what this instance has to take back, kept in /run/nsrouter/NAME.state.
//
// Theory of operation
//   A line is noted before the change that it takes back, and struck out when that is done: so at
//   whatever moment a process is killed, the file says at least what there is to take back, and
//   taking back what never happened does nothing. The file goes with its last line. Other routers
//   read from it which namespaces this one uses.
#pragma once

#include <string>
#include <vector>

#include "router/topology/undo.hpp"

namespace nsr::router {

class Journal {
  public:
    // Reads what a killed instance of that name left.
    explicit Journal(const std::string& name);

    [[nodiscard]] const std::vector<Undo>& entries() const { return entries_; }
    [[nodiscard]] bool has(const Undo& undo) const;
    // Both throw SystemError.
    void note(const Undo& undo);
    void strike(const Undo& undo);  // the latest of this kind; nothing if there is none

  private:
    void write() const;

    std::string path_;
    std::vector<Undo> entries_;
};

}  // namespace nsr::router
