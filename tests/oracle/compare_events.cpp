#include <algorithm>
#include <cmath>
#include <sstream>

#include "tests/oracle/compare_text.hpp"
#include "tests/oracle/text_line.hpp"

namespace oracle {
namespace {

struct Event {
    std::string kind;  // "[NEW]"
    Line line;
};

struct Events {
    std::vector<Event> live;  // NEW and UPDATE
    std::vector<std::string> ends;
};

// `[NEW] tcp 6 120 SYN_SENT ...`: the fourth word is the lifetime, if it is told.
Event event_of(Words words, const PortRenaming& ports) {
    Event event;
    // The recording has no ids of connections, nor, for want of another name, those of ICMP.
    std::erase_if(words, [](const std::string& word) { return word.starts_with("id="); });
    event.kind = words[0];
    words.erase(words.begin());
    if (words.size() > 2 && is_number(words[2])) {
        event.line.lifetime = std::stol(words[2]);
        words.erase(words.begin() + 2);
    }
    if (ports.active() && words.size() > 1 && is_number(words[1])) {
        rename_ports(words, static_cast<unsigned>(std::stoul(words[1])), ports);
    }
    event.line.text = joined(words);
    return event;
}

Events events_of(const std::string& text, const PortRenaming& ports) {
    Events events;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const Words words = words_of(line);
        if (words.empty()) {
            continue;
        }
        const Event event = event_of(words, ports);
        if (event.kind == "[DESTROY]") {
            events.ends.push_back(event.line.text);
        } else {
            events.live.push_back(event);
        }
    }
    return events;
}

bool same(const Event& expected, const Event& actual, double tolerance) {
    const std::optional<long>& e = expected.line.lifetime;
    const std::optional<long>& a = actual.line.lifetime;
    return expected.kind == actual.kind && expected.line.text == actual.line.text &&
           e.has_value() == a.has_value() &&
           (!e || std::abs(static_cast<double>(*e - *a)) <= tolerance);
}

std::string shown(const std::vector<Event>& events, std::size_t at) {
    return at < events.size() ? events[at].kind + " " + in_brackets(events[at].line.lifetime) +
                                    events[at].line.text
                              : "none";
}

}  // namespace

void compare_events(const RecordedCase& recorded, const std::string& actual,
                    const PortRenaming& ports, std::vector<Difference>& differences) {
    const Events expected = events_of(*recorded.events, PortRenaming({}, {}));
    Events got = events_of(actual, ports);
    for (std::size_t i = 0; i < std::max(expected.live.size(), got.live.size()); ++i) {
        if (i >= expected.live.size() || i >= got.live.size() ||
            !same(expected.live[i], got.live[i], recorded.hints.timeout_tolerance)) {
            differences.push_back({"event " + std::to_string(i) + ":\n  expected " +
                                       shown(expected.live, i) + "\n  actual   " +
                                       shown(got.live, i),
                                   ""});
            break;
        }
    }
    for (const std::string& end : expected.ends) {
        const auto found = std::find(got.ends.begin(), got.ends.end(), end);
        if (found == got.ends.end()) {
            differences.push_back({"event missing: [DESTROY] " + end, ""});
        } else {
            got.ends.erase(found);
        }
    }
    if (!got.ends.empty() && !recorded.late_ends) {
        differences.push_back({"event not expected: [DESTROY] " + got.ends[0], ""});
    }
}

}  // namespace oracle
