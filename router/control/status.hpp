// /status: the instance at a glance, as JSON.
//
// The machine is asked how much each device's queue dropped, which is two system calls and an
// answer for each: one interface at a time, so that packets come between however many there are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/instant.hpp"

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
    std::vector<IfIndex> interfaces_;  // as it began
    std::size_t asked_ = 0;
    std::map<IfIndex, std::uint64_t> queue_dropped_;
};

}  // namespace nsr::router
