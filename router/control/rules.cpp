// Rules and the tracking module at the control port.
#include <memory>
#include <string_view>
#include <utility>

#include "core/rules/save.hpp"
#include "router/control/port.hpp"
#include "router/control/rules_json.hpp"
#include "router/control/tracking_module.hpp"
#include "router/http/request.hpp"
#include "router/tools/iptables/listing.hpp"

namespace nsr::router {

using http::Request;
using http::Response;

namespace {

// ?family=ipv4 or ipv6, checked before; both without it.
std::vector<Family> families_in(const Request& request) {
    const std::string family = value_of(request, "family");
    if (family.empty()) {
        return {Family::Ipv4, Family::Ipv6};
    }
    return {family == "ipv4" ? Family::Ipv4 : Family::Ipv6};
}

// One table alone, as iptables-save -t writes it; nothing if nobody has loaded it.
std::string saved_table(const rules::Counted& counted, Family family, rules::TableId id) {
    const rules::Table& table = std::as_const(counted.ruleset).table(family, id);
    if (!table.loaded) {
        return {};
    }
    std::string text = "*" + std::string(rules::name_of(id)) + "\n";
    for (const std::string& line : rules::save_lines(table, counted.counters.table(family, id))) {
        text += line + "\n";
    }
    return text + "COMMIT\n";
}

}  // namespace

Response ControlPort::rules(const Request& request) {
    if (auto refused = unknown_parameters(request, {"family", "format", "table"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "family", {"ipv4", "ipv6"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "format", {"save", "plain", "list", "json"})) {
        return *refused;
    }
    if (auto refused =
            not_one_of(request, "table", {"raw", "mangle", "nat", "filter", "security"})) {
        return *refused;
    }
    const bool any_form = !request.query.contains("format");
    if (value_of(request, "format") == "json" || (any_form && request.accepts_json)) {
        return list_rules_json(request);
    }
    if (controls_.config.conntrack.activate_on_view) {
        activate_by_view(controls_.router, now());
    }
    return text_of_rules(
        [families = families_in(request), format = value_of(request, "format"),
         only = rules::parse_table(value_of(request, "table"))](const rules::Counted& counted) {
            std::string body;
            for (const Family family : families) {
                if (only) {
                    body += saved_table(counted, family, *only);
                } else if (format == "list") {
                    body += rule_listing(counted, family);
                } else if (format == "plain") {
                    body += rules::save(counted.ruleset, family, false);
                } else {
                    body += rules::save(counted.ruleset, family, counted.counters);
                }
            }
            return body;
        });
}

// GET /rules.json
Response ControlPort::rules_json(const Request& request) {
    if (auto refused = unknown_parameters(request, {"family"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "family", {"ipv4", "ipv6"})) {
        return *refused;
    }
    return list_rules_json(request);
}

Response ControlPort::list_rules_json(const Request& request) {
    if (controls_.config.conntrack.activate_on_view) {
        activate_by_view(controls_.router, now());
    }
    Response head;
    head.content_type = "application/json";
    return text_of_rules(
        [families = families_in(request)](const rules::Counted& counted) {
            return rules_json_text(counted, families);
        },
        head);
}

Response ControlPort::flush_rules(const Request& request) {
    if (auto refused = unknown_parameters(request, {"family"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "family", {"ipv4", "ipv6"})) {
        return *refused;
    }
    if (controls_.router.tracking_active()) {
        load_tracking(controls_.router, now());  // a module stays when its last user goes
    }
    return change_rules([families = families_in(request)](const rules::Counted& counted) {
        rules::Ruleset rules = counted.ruleset;
        for (const Family family : families) {
            rules.clear(family);
        }
        return Result<rules::Ruleset, std::string>(std::move(rules));
    });
}

// What `list` makes of the rules and their counters; it waits for changes that came before.
Response ControlPort::text_of_rules(std::function<std::string(const rules::Counted&)> list,
                                    const Response& head) {
    const auto pieces = std::make_shared<TextPieces>();
    const auto work = [pieces, list = std::move(list)](const rules::Counted& counted) {
        *pieces = TextPieces(list(counted));
        return rules_unchanged();
    };
    Response response;
    response.later = [this, work, pieces, head](const std::function<void(Response)>& reply) {
        controls_.change_rules(work, [reply, pieces, head](const Result<Done, std::string>& done) {
            reply(in_pieces(pieces, head, done ? std::string() : done.error()));
        });
    };
    return response;
}

// Nothing, once the rules are at work; 400 with the reason if they are not.
Response ControlPort::change_rules(MakeRules make) {
    Response response;
    response.later = [this, make = std::move(make)](const std::function<void(Response)>& reply) {
        controls_.change_rules(make, [reply](const Result<Done, std::string>& changed) {
            reply(changed ? http::plain(200, {}) : http::plain(400, changed.error() + "\n"));
        });
    };
    return response;
}

Response ControlPort::modules(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    return http::plain(200, module_listing(controls_.router));
}

// PUT /module?name=nf_conntrack&action=load|unload
Response ControlPort::change_module(const Request& request) {
    if (auto refused = unknown_parameters(request, {"name", "action"})) {
        return *refused;
    }
    const std::string name = value_of(request, "name");
    const std::string action = value_of(request, "action");
    if (name.empty()) {
        return http::plain(400, "which module? PUT /module?name=" + std::string(kTrackingModule) +
                                    "&action=load, or unload\n");
    }
    if (name != kTrackingModule) {
        return http::plain(
            404, "module " + name + " not found; there is " + std::string(kTrackingModule) + "\n");
    }
    if (action == "load") {
        load_tracking(controls_.router, now());
        return http::plain(200, {});
    }
    if (action != "unload") {
        return http::plain(400, "action is load or unload\n");
    }
    const std::string user = unload_tracking(controls_.router, now());
    if (user.empty()) {
        return http::plain(200, {});
    }
    return http::plain(409, "module " + name + " is in use by: " + user + "\n");
}

}  // namespace nsr::router
