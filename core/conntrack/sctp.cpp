#include "core/conntrack/protocol.hpp"
namespace nsr::conntrack {
Judgement judge_sctp(Flow& flow) {
    flow.refresh(flow.timeouts.sctp_established);
    return Judgement::Accept;
}
}  // namespace nsr::conntrack
