// One connection as a line of text, in every dialect. kernel: ct_seq_show
#pragma once

#include <cstdint>
#include <string>

#include "core/conntrack/conntrack.hpp"

namespace nsr::procfs {

enum class LineFormat : std::uint8_t { Article, Kernel };

// The line of /proc/net/nf_conntrack with its line break.
//   Article: `... [ASSURED] mark=0 secmark=0 use=2`; zone= only when not 0.  Kernel: `... mark=0
//   zone=0 use=2`.
void append_nf_conntrack_line(std::string& out, const conntrack::Conntrack& conntrack, ConnId id,
                              Instant now, LineFormat format);

// The table as oracle recordings have it (replay --conntrack): kernel form, blanks squeezed,
// without use=, secmark=, delta-time= and zone=0, sorted.
std::string conntrack_snapshot(const conntrack::Conntrack& conntrack, Instant now);

}  // namespace nsr::procfs
