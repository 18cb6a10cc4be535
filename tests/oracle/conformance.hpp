// Every recorded case is a test case of its own name; conformance_cases.cpp is generated from the
// names in cases.tar.xz.
#pragma once

namespace oracle {

// Replays the case in process and compares: it must not differ, or, if it is listed in failing.txt,
// it must. So must it along the ways of production (ways.hpp, shard_way.hpp).
void check_case(const char* name);
// After all of them: says how much was merged along each way, and that it was enough to show
// something. If only some of them were asked for, it says no more than how much it was.
void check_enough_was_merged();
// The same about shards, and why cases were left out.
void check_enough_ran_in_shards();

}  // namespace oracle
