// Explain: what would become of a packet, by the pipeline itself.
//
// Theory of operation
//   The packet runs through the router that is given, watched; there is no second implementation of
//   anything. So the router changes as with any packet: whoever asks about one at work gives a copy
//   (a child of fork(2), see router/daemon/state_copy.hpp). What is asked "if" is changed in the
//   copy first: rules as `iptables -I CHAIN 1 ...` does, sysctls as a write does. Packets follow
//   each other by a millisecond.
#pragma once

#include <string>

#include "core/pipeline/router.hpp"
#include "core/procfs/file.hpp"
#include "core/rules/words/host_names.hpp"
#include "router/explain/request.hpp"

namespace nsr::router {

struct ExplainAnswer {
    bool refused = false;  // `text` says what of the request cannot be
    std::string text;      // else the story, or an object a line if that is asked
};
ExplainAnswer explain(procfs::Context& context, const ExplainRequest& request,
                      const rules::HostNames& names, Instant now);

}  // namespace nsr::router
