// Observer: what happened to one packet, stage by stage. Only consulted when there is one; changes
// nothing.
#pragma once

#include "core/base/drop_reason.hpp"
#include "core/base/instant.hpp"
#include "core/base/verdict.hpp"
#include "core/packet/packet.hpp"
#include "core/pipeline/hooks.hpp"
#include "core/routing/route_table.hpp"
#include "core/rules/program/program.hpp"

namespace nsr {

class Observer : public rules::RuleObserver {
  public:
    // Of all that follows.
    virtual void time_is(Instant /*now*/) {}
    // What it causes (an error, an answer, a copy) is received and done in between.
    virtual void packet_received(const Packet& packet) = 0;
    virtual void packet_done() {}
    virtual void stage_begins(Hook /*hook*/, pipeline::StageId /*stage*/,
                              const Packet& /*packet*/) {}
    virtual void stage_done(Hook hook, pipeline::StageId stage, const Packet& packet,
                            Verdict verdict) = 0;
    virtual void routed(const Packet& packet, const routing::Decision& decision) = 0;
    virtual void dropped(const Packet& packet, DropReason reason) = 0;
    // For the router itself, which has no [host].
    virtual void delivered(const Packet& /*packet*/) {}
    virtual void left(const Packet& packet) = 0;
};

// Tells that a packet is received, and at its own end that the packet is done.
class Watched {
  public:
    Watched(Observer* observer, const Packet& packet) : observer_(observer) {
        if (observer_ != nullptr) {
            observer_->packet_received(packet);
        }
    }
    ~Watched() {
        if (observer_ != nullptr) {
            observer_->packet_done();
        }
    }
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;

  private:
    Observer* observer_;
};

}  // namespace nsr
