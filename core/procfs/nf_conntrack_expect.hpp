// One expectation as a line of text. kernel: exp_seq_show
#pragma once

#include <string>

#include "core/conntrack/conntrack.hpp"

namespace nsr::procfs {

// The line of /proc/net/nf_conntrack_expect with its line break.
void append_expect_line(std::string& out, const conntrack::Conntrack& conntrack,
                        conntrack::ExpectId id, Instant now);

// All of them as oracle recordings have it (replay --conntrack): "expect " before each, sorted.
std::string expect_snapshot(const conntrack::Conntrack& conntrack, Instant now);

}  // namespace nsr::procfs
