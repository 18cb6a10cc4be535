// GreKeys: enhanced GRE carries only the key of its receiver; the one of the sender, which the
// tuple needs, is known from the PPTP connection that announced it.
// kernel: struct nf_ct_gre_keymap, nf_conntrack_proto_gre.c
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/ct_info.hpp"
#include "core/conntrack/record/tuple.hpp"

namespace nsr::conntrack {

class GreKeys {
  public:
    [[nodiscard]] bool empty() const { return keys_.empty(); }
    // The key of the sender of a packet whose tuple is `tuple` but for that; 0: not known. kernel:
    // gre_keymap_lookup
    [[nodiscard]] std::uint16_t source_key(const Tuple& tuple) const;
    // False: the master has another key for that direction already. kernel: nf_ct_gre_keymap_add
    bool add(ConnId master, Direction direction, const Tuple& tuple);
    // kernel: nf_ct_gre_keymap_destroy
    void remove(ConnId master);

  private:
    struct Key {
        ConnId master;
        Direction direction;
        Tuple tuple;
    };
    std::vector<Key> keys_;  // as many as there are calls, so a walk is quick
};

}  // namespace nsr::conntrack
