// A key of the home hash with which a case goes in several shards as it was recorded.
//
// Theory of operation
//   NAT takes ports whose answers come to the shard of their connection, and so, as a rule, others
//   than Linux took. But what was recorded has answers to the ports that Linux took. With which
//   ports answers come home depends on the key: one is looked for with which the recorded ones do,
//   so that nothing has to be rewritten and nothing to be left out of the comparison. Of those with
//   which they do it is the one that divides the connections best, and with which most answers to
//   redirected ones, which have no choice, come to another shard.
#pragma once

#include <cstdint>
#include <optional>

#include "tests/oracle/case_run.hpp"

namespace oracle {

// For `plain`, the case in one shard. Nothing: there is none, or it is too rare.
std::optional<std::uint32_t> key_for(const Run& plain);

}  // namespace oracle
