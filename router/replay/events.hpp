// What happens to connections, as lines of text.
#pragma once

#include <functional>
#include <string_view>

#include "core/pipeline/router.hpp"

namespace nsr::router {

// Listens from its construction on; must die before `router`.
class EventWriter final : public conntrack::EventSubscriber {
  public:
    using Line = std::function<void(std::string_view)>;
    EventWriter(Router& router, Line line);
    ~EventWriter();
    EventWriter(const EventWriter&) = delete;
    EventWriter& operator=(const EventWriter&) = delete;

    void conntrack_event(const conntrack::Event& event) override;

  private:
    Router& router_;
    Line line_;
};

}  // namespace nsr::router
