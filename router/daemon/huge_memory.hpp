// HugeMemory: the table's memory in pages of 2 MiB, where the kernel has them.
//
// A connection of a million is found with fewer misses of the TLB, and a copy of the process
// (explain) has five hundred times fewer pages to copy the descriptions of, while packets wait.
//
// The first touch of such a page is when the kernel clears it: a tenth of a millisecond, on a
// virtual machine that has to be given the memory first several of them. So pages are touched ahead
// in another thread: those of one block, and those of a new index before the table moves there.
// What the table lets go of is given back there, too. A copy of the process has the one thread that
// made it, and does all of this itself.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "core/conntrack/table/memory.hpp"

namespace nsr::router {

class HugeMemory final : public conntrack::Memory {
  public:
    using Beside = std::function<void(std::function<void()> job)>;

    HugeMemory();
    ~HugeMemory() override;

    // `beside` has jobs run, and destroyed, in another thread; null: there is none any more.
    void work_beside(Beside beside);

    void* block(unsigned arena, std::size_t index, std::size_t bytes) override;
    std::shared_ptr<void> loose(std::size_t bytes) override;
    bool ready(std::size_t bytes) override;

  private:
    class Piece;
    using PiecePtr = std::shared_ptr<Piece>;

    [[nodiscard]] bool works_beside() const;
    PiecePtr take_or_map(PiecePtr& ahead, std::size_t bytes);
    PiecePtr touched_ahead(std::size_t bytes);
    void give_back(PiecePtr piece);

    Beside beside_;
    pid_t process_ = 0;  // that `beside_` belongs to
    PiecePtr next_block_;
    PiecePtr next_loose_;
    std::vector<PiecePtr> blocks_;
};

}  // namespace nsr::router
