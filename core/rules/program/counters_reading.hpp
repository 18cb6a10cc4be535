// CountersReading: what the rules of a program have counted, read in pieces.
//
// Theory of operation
//   There may be as many counters as copying them at once would keep packets waiting. Each is of
//   the moment in which it was read, as in the kernel, which reads them while others count.
// kernel: get_counters
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "core/rules/counters.hpp"
#include "core/rules/program/compiled.hpp"
#include "core/rules/program/memory.hpp"

namespace nsr::rules {

class CountersReading {
  public:
    // Precondition: every piece was read. It is as new afterwards: it must not be the last to hold
    // what a program was made of.
    [[nodiscard]] Counted take() { return std::exchange(*this, {}).counted_; }

  private:
    friend class Program;

    void begin(const std::shared_ptr<const CompiledRuleset>& of);
    bool advance(const TableMemories& memories, std::size_t most);

    std::shared_ptr<const CompiledRuleset> of_;  // null: it has not begun
    Counted counted_;
    std::size_t table_ = 0;  // of both families: IPv4's come first
    std::size_t chain_ = 0;
    std::size_t block_ = 0;
};

}  // namespace nsr::rules
