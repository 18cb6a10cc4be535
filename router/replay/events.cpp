#include "router/replay/events.hpp"

#include <string>
#include <utility>

#include "router/tools/conntrack/event.hpp"

namespace nsr::router {

EventWriter::EventWriter(Router& router, Line line) : router_(router), line_(std::move(line)) {
    router_.subscribe(*this);
}

EventWriter::~EventWriter() {
    router_.unsubscribe(*this);
}

void EventWriter::conntrack_event(const conntrack::Event& event) {
    std::string line;
    append_event(line, record_of(event), {});
    line_(line);
}

}  // namespace nsr::router
