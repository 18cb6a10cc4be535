#include "router/replay/events.hpp"

#include <string>
#include <utility>

#include "router/tools/conntrack/event.hpp"

namespace nsr::router {

EventWriter::EventWriter(conntrack::Conntrack& conntrack, Line line)
    : conntrack_(conntrack), line_(std::move(line)) {
    conntrack_.subscribe(*this);
}

EventWriter::~EventWriter() {
    conntrack_.unsubscribe(*this);
}

void EventWriter::conntrack_event(const conntrack::Event& event) {
    std::string line;
    append_conntrack_event(line, event, {});
    line_(line);
}

}  // namespace nsr::router
