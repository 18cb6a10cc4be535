// Observer: what happened to one packet, stage by stage. Only consulted when there is one; changes
// nothing.
#pragma once

#include "core/base/drop_reason.hpp"
#include "core/base/verdict.hpp"
#include "core/packet/packet.hpp"
#include "core/pipeline/hooks.hpp"
#include "core/routing/route_table.hpp"
#include "core/rules/program/program.hpp"

namespace nsr {

class Observer : public rules::RuleObserver {
  public:
    virtual void packet_received(const Packet& packet) = 0;
    virtual void stage_done(Hook hook, pipeline::StageId stage, const Packet& packet,
                            Verdict verdict) = 0;
    virtual void routed(const Packet& packet, const routing::Decision& decision) = 0;
    virtual void dropped(const Packet& packet, DropReason reason) = 0;
    virtual void left(const Packet& packet) = 0;
};

}  // namespace nsr
