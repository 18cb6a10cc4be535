// A recorded case in several shards: linked routers in one thread.
//
// Theory of operation
//   It is what run() is, with a router for each shard: the same packets at the same times, each
//   read by one of them; the deadlines of all in the order of their times; what is done to the one
//   is done to the others. What a shard hands over goes through a mailbox and is dealt with before
//   the next packet, and so are claims. Then tables are one after the other, and the first shard
//   has what all have counted, as an administrator would see it.
#pragma once

#include <cstdint>
#include <string>

#include "tests/oracle/case_run.hpp"

namespace oracle {

// Which shard reads a packet.
enum class Reader : std::uint8_t {
    Steered,  // the one into whose queue the kernel puts it (netlink/steering.hpp)
    Other,    // the next one: what can be handed over is
};

struct RunInShards {
    Run run;
    std::size_t handed_over = 0;
    std::size_t claims = 0;
};

inline constexpr unsigned kShards = 2;

// `key` is of the home hash.
RunInShards run_in_shards(const Case& one, std::uint32_t key, Reader reader);

}  // namespace oracle
