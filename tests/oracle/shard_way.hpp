// One more way of production (ways.hpp): the packets of a case in two shards.
//
// Theory of operation
//   Each case that a configuration with several shards allows (check_shards) runs twice more: as
//   the kernel steers packets, and with every packet read by the shard that it does not belong to,
//   as where bpf(2) is refused. What leaves must be what was recorded, byte for byte and in its
//   order; the tables together what one table is, and the counters together what one counts.
//   Events are compared as well: their order is that of the packets where only one thread runs.
//   What differs and may is listed with its reason in one_shard.txt, and in which of the two ways
//   (steered, handed-over). A case that is listed for a way in which it does not differ fails.
#pragma once

#include "tests/oracle/case_run.hpp"

namespace oracle {

// Precondition: `plain`, the case as it was recorded, does not differ.
void check_in_shards(const std::string& name, const Case& one, const Run& plain);

}  // namespace oracle
