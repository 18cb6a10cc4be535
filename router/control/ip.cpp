// What ip(8) does, at the control port.
#include <string>
#include <vector>

#include "router/control/ip_json.hpp"
#include "router/control/port.hpp"
#include "router/http/request.hpp"
#include "router/tools/ip/form.hpp"

namespace nsr::router {

using http::Request;
using http::Response;

namespace {

std::string in_form(std::string text, const Router& router, const IpArgs& args,
                    const IpForm& form) {
    const bool links = args.action == IpAction::LinkShow || args.action == IpAction::AddressShow;
    if (form.json) {
        return ip_json(router, args, form, text);
    }
    if (links && form.brief) {
        return brief_listing(router, args);
    }
    return links && form.statistics ? statistics_listing(router, args) : std::move(text);
}

}  // namespace

// The body is the arguments of ip(8), one a line.
Response ControlPort::ip(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    std::vector<std::string> words = words_in(*request.body);
    const IpForm form = take_ip_form(words);
    const auto args = parse_ip_args(words);
    if (!args) {
        return http::plain(400, args.error() + "\n");
    }
    constexpr unsigned kChanges = 0200;
    if (auto refused = not_allowed(request, kChanges); refused && !args->only_shows()) {
        return *refused;
    }
    IpAnswer answer = run_ip(*args, controls_.router, now(), controls_.change_link);
    if (!args->only_shows() && controls_.links_changed) {
        controls_.links_changed();
    }
    if (!answer.error.empty()) {
        return http::plain(400, answer.error + "\n");
    }
    return http::plain(200, in_form(std::move(answer.text), controls_.router, *args, form));
}

}  // namespace nsr::router
