// Protocols that tracking knows nothing about. kernel: nf_conntrack_proto_generic.c
#include "core/conntrack/trackers/protocol.hpp"

namespace nsr::conntrack {

TrackerVerdict judge_generic(Flow& flow) {
    flow.refresh(flow.timeouts.generic);
    return TrackerVerdict::Accept;
}

}  // namespace nsr::conntrack
