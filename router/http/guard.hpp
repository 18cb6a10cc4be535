// Who may talk to the control port, and what a request line says. Pure text; no sockets.
#pragma once

#include <string>
#include <string_view>

#include "router/http/http.hpp"

namespace nsr::router::http {

struct Guard {
    bool tcp = false;           // no web page reaches a unix socket
    std::string local_address;  // that was listened on, besides the loopback names
    std::string token;

    struct Headers {
        std::string_view host;
        std::string_view origin;
        std::string_view reached;  // the address of ours that the client connected to
    };
    // 0 if the request may pass; else the status (401, 403) with the reason.
    struct Refusal {
        unsigned status = 0;
        std::string reason;
    };
    [[nodiscard]] Refusal check(const Headers& headers) const;
    // The right token makes an owner of any caller; a wrong one is refused (any is, if there is no
    // token), and so is the lack of one where the user is not known.
    [[nodiscard]] Refusal identify(std::string_view authorization, Caller& caller) const;
};

// Of the absolute form, "http://localhost:9080/status": "localhost:9080", which then counts instead
// of the Host field. Empty: the target has another form.
std::string_view authority_of(std::string_view target);

// "/a/b?x=1&y=2" or the absolute form of it, percent-encoded, as path and query of `request`; false
// if it is malformed or hides a NUL.
bool parse_target(std::string_view target, Request& request);

// A parameter that such a target has twice: which of them is meant nobody knows. Empty: none.
std::string repeated_parameter(std::string_view target);

}  // namespace nsr::router::http
