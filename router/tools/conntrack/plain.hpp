// The line of text that conntrack(8) prints of a connection, from what the kernel says of it.
// libnetfilter_conntrack: __snprintf_conntrack_default
#pragma once

#include <string>
#include <string_view>

#include "router/tools/conntrack/args.hpp"
#include "router/tools/conntrack/entry.hpp"

namespace nsr::router {

// The attributes that a message of the kernel may leave out. Only what is there is printed.
struct Attributes {
    bool timeout = true;
    bool protocol_info = true;
    bool counters = true;
    bool timestamp = true;
    bool mark = true;
    bool helper = true;
    unsigned use = 1;   // how many refer to it; 0: that is not said
    bool stop = false;  // the time at which it ended: now
    // "new", "update" or "destroy"; empty: it is no event.
    std::string_view event;
};

// Without line break; every word is followed by a blank.
void append_plain(std::string& out, const Entry& entry, const Attributes& attributes,
                  const ConntrackOutput& output);

}  // namespace nsr::router
