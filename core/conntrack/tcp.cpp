#include "core/conntrack/protocol.hpp"
namespace nsr::conntrack {
Judgement judge_tcp(Flow& flow) {
    flow.refresh(flow.timeouts.tcp_established);
    return Judgement::Accept;
}
}  // namespace nsr::conntrack
