// GRE: two timeouts per connection, which a PPTP helper may raise. kernel:
// nf_conntrack_proto_gre.c
#include "core/conntrack/trackers/protocol.hpp"

namespace nsr::conntrack {

Judgement judge_gre(Flow& flow) {
    Connection& record = flow.record;
    GreState& gre = record.state.gre;
    if (!flow.confirmed()) {
        gre = GreState{flow.timeouts.gre, flow.timeouts.gre_stream};
    }
    if (!record.has(status::kSeenReply)) {
        flow.refresh(gre.timeout);
        return Judgement::Accept;
    }
    flow.refresh(gre.stream_timeout);
    flow.assure();
    return Judgement::Accept;
}

}  // namespace nsr::conntrack
