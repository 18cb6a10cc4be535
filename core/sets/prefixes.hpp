// Prefixes: which pairs of prefix lengths the networks of a set have, the most specific first.
//
// A search for an address tries these and no others. kernel: struct net_prefixes
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nsr::sets {

// Of the first network and of the second; 0 where there is none.
struct PrefixPair {
    std::uint8_t first = 0;
    std::uint8_t second = 0;
};

class Prefixes {
  public:
    struct InUse {
        PrefixPair pair;
        std::size_t elements = 0;
    };

    void add(PrefixPair pair);
    void remove(PrefixPair pair);
    void clear() { in_use_.clear(); }
    [[nodiscard]] const std::vector<InUse>& in_use() const { return in_use_; }

  private:
    std::vector<InUse> in_use_;  // descending, by the first length, then by the second
};

}  // namespace nsr::sets
