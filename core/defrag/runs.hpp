// Runs: the bytes of one datagram that are there so far, and how they came.
//
//   offset     0        1480      2960
//   arrived    |--first--|          |--third--|       two runs
//                        |-second-|                   is appended to the first run only if that is
//                        the last one
//
// A run is a stretch of fragments that came in order at the end; a fragment that fills a hole is a
// run of its own. Runs never touch each other's bytes. A fragment inside one run is a duplicate,
// whatever its bytes say (the first data wins); one that reaches into a run and beyond it is an
// overlap, even if several runs together hold all of it. kernel: inet_frag_queue_insert, fragrun_*
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "core/wire/bytes.hpp"

namespace nsr::defrag {

class Runs {
  public:
    enum class Insertion : std::uint8_t { Done, Duplicate, Overlap };
    // Precondition: `bytes` is not empty. O(log runs), plus the copy.
    Insertion insert(std::uint32_t offset, wire::ConstBytes bytes);
    void clear();

    [[nodiscard]] bool empty() const { return runs_.empty(); }
    [[nodiscard]] std::uint32_t bytes() const { return bytes_; }
    [[nodiscard]] std::uint32_t fragments() const { return fragments_; }
    [[nodiscard]] std::size_t memory() const { return memory_; }

    // The fragment at offset 0. Precondition: it came.
    [[nodiscard]] wire::ConstBytes first() const;
    // All bytes in order. Precondition: no holes; `out` has room for bytes().
    void copy_to(std::uint8_t* out) const;
    // The lengths of the fragments in order of offset.
    [[nodiscard]] std::vector<std::uint16_t> lengths() const;

  private:
    struct Run {
        std::vector<std::uint8_t> bytes;
        std::vector<std::uint16_t> lengths;
    };
    using Map = std::map<std::uint32_t, Run>;  // by offset

    void append(Run& run, wire::ConstBytes bytes);

    Map runs_;
    std::uint32_t bytes_ = 0;
    std::uint32_t fragments_ = 0;
    std::size_t memory_ = 0;
};

}  // namespace nsr::defrag
