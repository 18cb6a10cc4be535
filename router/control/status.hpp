// /status: the instance at a glance, as JSON.
#pragma once

#include <string>

#include "core/base/instant.hpp"
#include "router/control/devices.hpp"

namespace nsr::router {

struct Controls;
class EventRing;

class Status {
  public:
    Status(const Controls& controls, const EventRing& events);

    // True: there is more to do. Else all of it is in `out`.
    bool advance(Instant now, std::string& out);

  private:
    const Controls& controls_;
    const EventRing& events_;
    QueueLosses queue_losses_;
};

}  // namespace nsr::router
