// GRE: two timeouts per connection, which a PPTP helper may raise. kernel:
// nf_conntrack_proto_gre.c
#include "core/conntrack/trackers/protocol.hpp"

namespace nsr::conntrack {

TrackerVerdict judge_gre(Flow& flow) {
    Connection& record = flow.record;
    GreState& gre = record.state.gre;
    if (!flow.confirmed()) {
        gre = GreState{flow.timeouts.gre, flow.timeouts.gre_stream};
    }
    if (!record.has(status::kSeenReply)) {
        flow.refresh(gre.timeout);
        return TrackerVerdict::Accept;
    }
    flow.refresh(gre.stream_timeout);
    flow.assure();
    return TrackerVerdict::Accept;
}

}  // namespace nsr::conntrack
