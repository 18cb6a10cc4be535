#include "router/control/port.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "router/control/dashboard.hpp"
#include "router/control/metrics.hpp"
#include "router/control/status.hpp"
#include "router/http/request.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;
using procfs::Sharded;

// The modes are those of the files that show the same, and of what only the owner may do.
const ControlPort::Endpoint ControlPort::kEndpoints[] = {
    {"GET", "/", 0444, &ControlPort::root, Sharded::Alone},
    {"GET", "/dashboard.css", 0444, &ControlPort::dashboard, Sharded::Alone},
    {"GET", "/dashboard.js", 0444, &ControlPort::dashboard, Sharded::Alone},
    {"GET", "/status", 0444, &ControlPort::status, Sharded::Sum},
    {"GET", "/metrics", 0444, &ControlPort::metrics, Sharded::Sum},
    {"GET", "/log", 0400, &ControlPort::log, Sharded::Alone},
    {"PUT", "/log", 0200, &ControlPort::change_log, Sharded::Alone},
    {"DELETE", "/log", 0200, &ControlPort::clear_log, Sharded::Alone},
    {"GET", "/sysctl", 0444, &ControlPort::sysctl, Sharded::Sum},
    {"GET", "/config", 0400, &ControlPort::config_files, Sharded::Alone},
    {"GET", "/conntrack", 0440, &ControlPort::list_conntrack, Sharded::Sum},
    {"DELETE", "/conntrack", 0200, &ControlPort::delete_conntrack, Sharded::Sum},
    {"POST", "/conntrack", 0200, &ControlPort::conntrack, Sharded::Sum},
    {"GET", "/expectations", 0440, &ControlPort::expectations, Sharded::Sum},
    {"GET", "/routes", 0444, &ControlPort::routes, Sharded::Sum},
    {"GET", "/routing-rules", 0444, &ControlPort::routing_rules, Sharded::Sum},
    {"GET", "/top", 0440, &ControlPort::top, Sharded::Sum},
    {"GET", "/events", 0440, &ControlPort::follow_events, Sharded::Refused},
    {"GET", "/nflog/", 0440, &ControlPort::follow_packets, Sharded::Refused},
    {"GET", "/rules", 0440, &ControlPort::rules, Sharded::Sum},
    {"GET", "/rules.json", 0440, &ControlPort::rules_json, Sharded::Sum},
    {"PUT", "/rules", 0200, &ControlPort::restore_rules, Sharded::Sum},
    {"POST", "/rules", 0200, &ControlPort::restore_rules, Sharded::Sum},
    {"DELETE", "/rules", 0200, &ControlPort::flush_rules, Sharded::Sum},
    {"POST", "/iptables", 0200, &ControlPort::iptables, Sharded::Sum},
    {"GET", "/sets", 0440, &ControlPort::list_sets, Sharded::Refused},
    {"GET", "/sets.json", 0440, &ControlPort::list_sets, Sharded::Refused},
    {"GET", "/sets/", 0440, &ControlPort::show_set, Sharded::Refused},
    {"PUT", "/sets/", 0200, &ControlPort::put_set, Sharded::Refused},
    {"DELETE", "/sets/", 0200, &ControlPort::delete_set, Sharded::Refused},
    {"POST", "/ipset", 0200, &ControlPort::ipset, Sharded::Refused},
    {"POST", "/nfct", 0200, &ControlPort::nfct, Sharded::Refused},
    {"GET", "/nat", 0440, &ControlPort::list_nat, Sharded::Refused},
    {"POST", "/nat", 0200, &ControlPort::change_nat, Sharded::Refused},
    // It asks again before it changes anything.
    {"POST", "/ip", 0222, &ControlPort::ip, Sharded::Sum},
    {"GET", "/module", 0444, &ControlPort::modules, Sharded::Sum},
    {"PUT", "/module", 0200, &ControlPort::change_module, Sharded::Sum},
    {"GET", "/trace", 0400, &ControlPort::trace, Sharded::Refused},
    {"GET", "/trace.json", 0400, &ControlPort::trace, Sharded::Refused},
    {"GET", "/capture", 0400, &ControlPort::capture, Sharded::Refused},
    {"GET", "/explain", 0400, &ControlPort::explain_words, Sharded::Refused},
    {"GET", "/explain.json", 0400, &ControlPort::explain_words, Sharded::Refused},
    {"POST", "/explain", 0200, &ControlPort::explain, Sharded::Refused},
    {"POST", "/explain.json", 0200, &ControlPort::explain, Sharded::Refused},
    {"GET", "/why", 0400, &ControlPort::why, Sharded::Refused},
    {"GET", "/why.json", 0400, &ControlPort::why, Sharded::Refused},
    {"POST", "/reload", 0200, &ControlPort::reload, Sharded::Sum},
    {"POST", "/stop", 0200, &ControlPort::stop, Sharded::Alone},
};

namespace {

bool is_at(std::string_view endpoint, std::string_view path) {
    const bool folder = endpoint.size() > 1 && endpoint.ends_with('/');
    return folder ? path.starts_with(endpoint) : path == endpoint;
}

}  // namespace

std::span<const ControlPort::Endpoint> ControlPort::endpoints() {
    return kEndpoints;
}

Response ControlPort::handle(const Request& request) {
    const Endpoint* endpoint = nullptr;
    std::string allowed;
    for (const Endpoint& each : kEndpoints) {
        if (is_at(each.path, request.path)) {
            endpoint = each.method == request.method ? &each : endpoint;
            allowed += (allowed.empty() ? "" : ", ") + std::string(each.method);
            allowed += each.method == "GET" ? ", HEAD" : "";
        }
    }
    if (endpoint == nullptr && !allowed.empty()) {
        Response response = http::plain(405, "this takes " + allowed + "\n");
        response.allow = allowed;
        return response;
    }
    return controls_.others == nullptr ? answer(request, endpoint) : over_shards(request, endpoint);
}

// `endpoint` null: it is about a file.
Response ControlPort::answer(const Request& request, const Endpoint* endpoint) {
    if (endpoint == nullptr) {
        return file(request);
    }
    if (auto refused = not_allowed(request, endpoint->mode)) {
        return *refused;
    }
    Response response = (this->*endpoint->answer)(request);
    controls_.engine.deadlines_changed();
    return response;
}

Response ControlPort::dashboard(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    Response response;
    response.policy = kDashboardPolicy;
    if (request.path.ends_with(".js")) {
        response.content_type = "text/javascript; charset=utf-8";
        response.body = dashboard_js();
    } else if (request.path.ends_with(".css")) {
        response.content_type = "text/css; charset=utf-8";
        response.body = dashboard_css();
    } else {
        response.content_type = "text/html; charset=utf-8";
        response.body = dashboard_html();
    }
    return response;
}

// A browser gets a page, everybody else the names of what there is.
Response ControlPort::root(const Request& request) {
    if (request.accepts_html) {
        return dashboard(request);
    }
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    std::vector<std::string> names;
    if (const auto entries = controls_.tree.list("/")) {
        for (const procfs::Tree::Entry& entry : *entries) {
            names.push_back(entry.name);
        }
    }
    for (const Endpoint& endpoint : kEndpoints) {
        if (endpoint.method == "GET" && !endpoint.path.ends_with('/') &&
            !endpoint.path.ends_with(".json") && !endpoint.path.starts_with("/dashboard.")) {
            names.emplace_back(endpoint.path.substr(1));
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
    response.stream = [this,
                       status = std::make_shared<Status>(controls_, events_)](std::string& out) {
        return status->advance(now(), out) ? Piece::More : Piece::Last;
    };
    return response;
}

Response ControlPort::metrics(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    Response response;
    response.content_type = kMetricsType;
    response.stream = [this, metrics = std::make_shared<Metrics>(controls_)](std::string& out) {
        return metrics->advance(now(), out) ? Piece::More : Piece::Last;
    };
    return response;
}

// POST /reload?existing=keep|recheck|kill&dry-run=1
Response ControlPort::reload(const Request& request) {
    if (auto refused = unknown_parameters(request, {"existing", "dry-run"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "existing", {"keep", "recheck", "kill"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "dry-run", {"0", "1"})) {
        return *refused;
    }
    using Existing = ReloadRequest::Existing;
    ReloadRequest wanted;
    wanted.dry_run = value_of(request, "dry-run") == "1";
    const std::string existing = value_of(request, "existing");
    if (existing == "recheck" || existing == "kill") {
        wanted.existing = existing == "kill" ? Existing::Kill : Existing::Recheck;
    }
    if (controls_.others != nullptr && (wanted.dry_run || wanted.existing != Existing::Keep)) {
        return refused_to_shards("a reload that judges connections");
    }
    Response response;
    response.later = [this, wanted](const std::function<void(Response)>& reply) {
        controls_.reload(wanted, [reply](const ReloadAnswer& answer) {
            reply(http::plain(answer.refused ? 400 : 200, answer.text));
        });
    };
    return response;
}

Response ControlPort::text_from_beside(std::function<std::string()> make, const Response& head) {
    const auto pieces = std::make_shared<TextPieces>();
    const auto work = [pieces, make = std::move(make)] { *pieces = TextPieces(make()); };
    Response response;
    response.later = [this, work, pieces, head](const std::function<void(Response)>& reply) {
        controls_.beside(work, [reply, pieces, head](const std::string& failure) {
            reply(in_pieces(pieces, head, failure));
        });
    };
    return response;
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
