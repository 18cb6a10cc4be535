#include "router/control/port.hpp"

#include <algorithm>

#include "router/control/request.hpp"
#include "router/control/status.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

struct ControlPort::Row {
    std::string_view method;
    std::string_view path;
    Response (ControlPort::*answer)(const Request&);
};

const ControlPort::Row ControlPort::kRows[] = {
    {"GET", "/", &ControlPort::root},
    {"GET", "/status", &ControlPort::status},
    {"GET", "/log", &ControlPort::log},
    {"GET", "/sysctl", &ControlPort::sysctl},
    {"GET", "/conntrack", &ControlPort::list_conntrack},
    {"DELETE", "/conntrack", &ControlPort::delete_conntrack},
    {"POST", "/conntrack", &ControlPort::conntrack},
    {"GET", "/rules", &ControlPort::rules},
    {"DELETE", "/rules", &ControlPort::flush_rules},
    {"POST", "/ip", &ControlPort::ip},
    {"GET", "/module", &ControlPort::modules},
    {"PUT", "/module", &ControlPort::change_module},
    {"POST", "/reload", &ControlPort::reload},
    {"POST", "/stop", &ControlPort::stop},
};

Response ControlPort::handle(const Request& request) {
    std::string allowed;
    for (const Row& row : kRows) {
        if (row.path != request.path) {
            continue;
        }
        if (row.method == request.method) {
            Response response = (this->*row.answer)(request);
            controls_.engine.deadlines_changed();
            return response;
        }
        allowed += (allowed.empty() ? "" : ", ") + std::string(row.method);
    }
    if (!allowed.empty()) {
        Response response = http::plain(405, "this takes " + allowed + "\n");
        response.allow = allowed;
        return response;
    }
    return file(request);
}

Response ControlPort::root(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    std::vector<std::string> names;
    if (const auto entries = controls_.tree.list("/")) {
        for (const procfs::Tree::Entry& entry : *entries) {
            names.push_back(entry.name);
        }
    }
    for (const Row& row : kRows) {
        if (row.method == "GET" && row.path != "/") {
            names.emplace_back(row.path.substr(1));
        }
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string body;
    for (const std::string& name : names) {
        body += name + "\n";
    }
    return http::plain(200, std::move(body));
}

Response ControlPort::status(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    Response response;
    response.content_type = "application/json";
    response.body = status_json(controls_, now());
    return response;
}

Response ControlPort::reload(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    ReloadAnswer answer = controls_.reload();
    if (answer.refused) {
        return http::plain(400, std::move(answer.text));
    }
    return http::plain(200, std::move(answer.text));
}

Response ControlPort::stop(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    controls_.stop();
    // Answered when the instance is gone.
    Response response;
    response.stream = [this](std::string& out) {
        const std::optional<std::string> farewell = controls_.farewell();
        if (!farewell) {
            return Piece::NotYet;
        }
        out += *farewell;
        return Piece::Last;
    };
    return response;
}

}  // namespace nsr::router
