// The commands' end of the control port: finds a running instance and talks to it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nsr::router {

// Where an instance listens.
struct ControlTarget {
    std::string unix_path;  // else:
    std::string host;
    std::uint16_t port = 0;
    std::string token;
};

// What --control says: the name of an instance, the path of a socket, "host:port" or
// "http://host:port"; empty: the only instance in /run/nsrouter. Throws std::runtime_error with a
// sentence that says what there is.
ControlTarget find_instance(const std::string& control);

// How many connections a conntrack command has shown, made, deleted or updated: a field behind the
// text. Of -U, behind blanks: of how many the timeout is fixed, and how many cannot be EXPECTED.
inline constexpr const char* kEntriesField = "Nsrouter-Entries";

// How an ipset command, or the lines of `conntrack -R`, ended, a field behind the text: its exit
// code, of -R the number of the line that failed, and what it says on standard error,
// percent-encoded; blanks between them.
inline constexpr const char* kResultField = "Nsrouter-Result";

struct ControlReply {
    unsigned status = 0;
    std::string body;
    std::size_t entries = 0;  // what kEntriesField says
    std::size_t not_permitted = 0;
    std::size_t busy = 0;
    std::string result;  // what kResultField says
    [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
};

struct ControlRequest {
    std::string method;
    std::string target;  // encoded
    std::string body;
    std::string last_event_id;  // of a stream of events, to go on behind it; empty: from now on
};

// The router took the request, began to answer, and hung up: what a router does that stops.
class HungUp : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Throw std::runtime_error if there is no connection, or it breaks.
ControlReply ask(const ControlTarget& target, const ControlRequest& request);
// A successful answer goes to `sink` as it arrives, and the reply's body stays empty.
ControlReply ask_streaming(const ControlTarget& target, const ControlRequest& request,
                           const std::function<void(std::string_view)>& sink);

std::string percent_encode(std::string_view text);
std::string percent_decode(std::string_view text);

}  // namespace nsr::router
