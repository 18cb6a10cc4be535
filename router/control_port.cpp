#include "router/control_port.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <utility>

#include "core/procfs/sysctl.hpp"
#include "router/control_client.hpp"
#include "router/rule_text.hpp"
#include "router/status.hpp"
#include "router/tracking_module.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

namespace {

constexpr std::size_t kPieceBytes = 32 * 1024;

Response text(unsigned status, std::string body) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

unsigned status_of(procfs::Errno error) {
    switch (error) {
        case procfs::Errno::NoEntry:
        case procfs::Errno::NotDirectory:
            return 404;
        case procfs::Errno::IsDirectory:
            return 405;
        case procfs::Errno::Access:
            return 403;
        case procfs::Errno::Invalid:
            return 400;
        case procfs::Errno::Busy:
            return 409;
        case procfs::Errno::NoMemory:
            return 507;
    }
    return 500;
}

// "EINVAL: Invalid argument (0..255)"
Response failed(const procfs::Failure& failure) {
    std::string body(procfs::name_of(failure.code));
    body += ": ";
    body += procfs::text_of(failure.code);
    if (!failure.detail.empty()) {
        body += " (" + failure.detail + ")";
    }
    Response response = text(status_of(failure.code), body + "\n");
    if (response.status == 405) {
        response.allow = "GET";
    }
    return response;
}

std::string value_of(const Request& request, const std::string& key) {
    const auto found = request.query.find(key);
    return found == request.query.end() ? std::string() : found->second;
}

// What is not known must not look as if it had been done.
std::optional<Response> unknown_parameters(const Request& request,
                                           std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : request.query) {
        if (std::find(known.begin(), known.end(), name) != known.end()) {
            continue;
        }
        std::string names;
        for (const std::string_view one : known) {
            names.append(names.empty() ? "" : ", ").append(one);
        }
        return text(400, "unknown parameter \"" + name.substr(0, 60) + "\"; " +
                             (names.empty() ? "there is none here" : "known: " + names) + "\n");
    }
    return std::nullopt;
}

std::optional<Response> not_one_of(const Request& request, const std::string& key,
                                   std::initializer_list<std::string_view> known) {
    const std::string value = value_of(request, key);
    if (!request.query.contains(key) ||
        std::find(known.begin(), known.end(), value) != known.end()) {
        return std::nullopt;
    }
    std::string names;
    for (const std::string_view one : known) {
        names.append(names.empty() ? "" : ", ").append(one);
    }
    return text(400, key + " is one of " + names + ", not \"" + value.substr(0, 60) + "\"\n");
}

// ?family=ipv4 or ipv6, checked before; both without it.
std::vector<Family> families_in(const Request& request) {
    const std::string family = value_of(request, "family");
    if (family.empty()) {
        return {Family::Ipv4, Family::Ipv6};
    }
    return {family == "ipv4" ? Family::Ipv4 : Family::Ipv6};
}

// Query parameters as options of conntrack(8): ?proto=udp&dport=53 is -p udp --dport 53. The names
// are its long options.
std::vector<std::string> conntrack_words(const char* command,
                                         const std::map<std::string, std::string>& query) {
    std::vector<std::string> words{command};
    const auto add = [&](const std::string& name, const std::string& value) {
        words.push_back("--" + name);
        if (!value.empty()) {
            words.push_back(value);
        }
    };
    // The protocol decides what the others mean, so it goes first.
    if (const auto protocol = query.find("proto"); protocol != query.end()) {
        add(protocol->first, protocol->second);
    }
    for (const auto& [name, value] : query) {
        if (name != "proto") {
            add(name, value);
        }
    }
    return words;
}

// A stream that says at its end how many connections it was about.
Response with_count(std::function<std::size_t()> entries) {
    Response response;
    response.trailer = kEntriesField;
    response.trailer_value = [entries] { return std::to_string(entries()); };
    return response;
}

// The words of a command, one a line.
std::vector<std::string> words_in(const std::string& body) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < body.size();) {
        const std::size_t end = std::min(body.find('\n', at), body.size());
        words.push_back(body.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

// /proc/net/ is /proc/net.
std::string without_trailing_slash(std::string path) {
    while (path.size() > 1 && path.back() == '/') {
        path.pop_back();
    }
    return path;
}

}  // namespace

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
        Response response = text(405, "this takes " + allowed + "\n");
        response.allow = allowed;
        return response;
    }
    return file(request);
}

// --- files --------------------------------------------------------------------------------------

Response ControlPort::file(const Request& request) {
    const std::string path = without_trailing_slash(request.path);
    const auto entry = controls_.tree.stat(path);
    if (!entry) {
        return failed({procfs::Errno::NoEntry, {}});
    }
    const bool reads = request.method == "GET";
    const bool writes = request.method == "PUT" || request.method == "POST";
    if (!reads && !writes) {
        Response response = text(405, "files take GET, PUT and POST\n");
        response.allow = "GET, PUT, POST";
        return response;
    }
    if (entry->directory) {
        return reads ? list(path) : failed({procfs::Errno::IsDirectory, {}});
    }
    return reads ? read_file(path) : write_file(path, request.body);
}

Response ControlPort::list(const std::string& path) {
    const auto entries = controls_.tree.list(path);
    if (!entries) {
        return failed(entries.error());
    }
    std::string names;
    for (const procfs::Tree::Entry& entry : *entries) {
        names += entry.name + "\n";
    }
    return text(200, std::move(names));
}

Response ControlPort::read_file(const std::string& path) {
    auto opened = controls_.tree.open(path);
    if (!opened) {
        return failed(opened.error());
    }
    Response response;
    if (!(*opened)->read(response.body, kPieceBytes, now())) {
        return response;
    }
    // The first piece is in `body` already; a large file goes on as a stream.
    const std::shared_ptr<procfs::Cursor> cursor = std::move(*opened);
    response.stream = [this, cursor, first = std::move(response.body)](std::string& out) mutable {
        out += std::exchange(first, std::string());
        return cursor->read(out, kPieceBytes, now()) ? Piece::More : Piece::Last;
    };
    return response;
}

Response ControlPort::write_file(const std::string& path, const std::string& value) {
    const auto failure = controls_.tree.write(path, value, now());
    controls_.engine.deadlines_changed();
    return failure ? failed(*failure) : text(200, {});
}

// --- everything else ----------------------------------------------------------------------------

Response ControlPort::root(const Request&) {
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
    return text(200, std::move(body));
}

Response ControlPort::status(const Request&) {
    Response response;
    response.content_type = "application/json";
    response.body = status_json(controls_, now());
    return response;
}

Response ControlPort::log(const Request& request) {
    if (auto refused = unknown_parameters(request, {"follow"})) {
        return *refused;
    }
    const std::string follow = value_of(request, "follow");
    if (follow.empty() || follow == "0") {
        return text(200, controls_.log.text());
    }
    if (follow != "1") {
        return text(400, "follow is 0 or 1\n");
    }
    Response response;
    response.follows = true;
    response.stream = [this, next = std::uint64_t{0}](std::string& out) mutable {
        next = controls_.log.read_from(next, out);
        return out.empty() ? Piece::NotYet : Piece::More;
    };
    return response;
}

// "key = value" of every sysctl, in the order of `sysctl -a`; those below ?under= only.
Response ControlPort::sysctl(const Request& request) {
    if (auto refused = unknown_parameters(request, {"under"})) {
        return *refused;
    }
    const procfs::Context& context = controls_.tree.context();
    const std::string under = value_of(request, "under");
    std::string body;
    for (const std::string& name : procfs::sysctl_names(context)) {
        if (!under.empty() && name != under && !name.starts_with(under + ".")) {
            continue;
        }
        if (const auto value = procfs::read_sysctl(context, name)) {
            body += name + " = " + *value + "\n";
        }
    }
    return text(200, std::move(body));
}

// The body is the arguments of conntrack(8), one a line.
Response ControlPort::conntrack(const Request& request) {
    const auto args = parse_conntrack_args(words_in(request.body));
    if (!args) {
        return text(400, args.error() + "\n");
    }
    greet_ctnetlink();
    if (ConntrackPass::takes(*args)) {
        return stream_conntrack(ConntrackPass(*args));
    }
    const ConntrackAnswer answer = run_conntrack(*args, controls_.router, now());
    if (!answer.error.empty()) {
        return text(400, answer.error + "\n");
    }
    Response response = with_count([entries = answer.entries] { return entries; });
    response.stream = [body = answer.text](std::string& out) {
        out += body;
        return Piece::Last;
    };
    return response;
}

// GET /conntrack?proto=tcp&state=ESTABLISHED: JSON; the keys are those of conntrack_words().
Response ControlPort::list_conntrack(const Request& request) {
    const auto args = parse_conntrack_args(conntrack_words("-L", request.query));
    if (!args) {
        return text(400, args.error() + "\n");
    }
    Response response = stream_conntrack(ConntrackPass(*args, ConntrackPass::Form::Json));
    response.content_type = "application/json";
    return response;
}

// The answer is the number of connections that are gone.
Response ControlPort::delete_conntrack(const Request& request) {
    const auto args = parse_conntrack_args(conntrack_words("-D", request.query));
    if (!args) {
        return text(400, args.error() + "\n");
    }
    const auto pass = std::make_shared<ConntrackPass>(*args, ConntrackPass::Form::Silent);
    Response response;
    response.stream = [this, pass](std::string& out) {
        if (advance(*pass, out) == Piece::More) {
            return Piece::More;
        }
        out += std::to_string(pass->entries()) + "\n";
        return Piece::Last;
    };
    return response;
}

Response ControlPort::stream_conntrack(ConntrackPass pass) {
    const auto shared = std::make_shared<ConntrackPass>(std::move(pass));
    Response response = with_count([shared] { return shared->entries(); });
    response.stream = [this, shared](std::string& out) { return advance(*shared, out); };
    return response;
}

Piece ControlPort::advance(ConntrackPass& pass, std::string& out) {
    const bool more = pass.advance(controls_.router, out, kPieceBytes, now());
    controls_.engine.deadlines_changed();
    return more ? Piece::More : Piece::Last;
}

Response ControlPort::rules(const Request& request) {
    if (auto refused = unknown_parameters(request, {"family", "format"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "family", {"ipv4", "ipv6"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "format", {"save", "plain", "list"})) {
        return *refused;
    }
    if (controls_.config.conntrack.activate_on_view) {
        activate_by_view(controls_.router, now());
    }
    const rules::Ruleset& ruleset = controls_.router.ruleset();
    const std::string format = value_of(request, "format");
    std::string body;
    for (const Family family : families_in(request)) {
        body += format == "list" ? rule_listing(ruleset, family)
                                 : rules::save(ruleset, family, format != "plain");
    }
    return text(200, std::move(body));
}

Response ControlPort::flush_rules(const Request& request) {
    if (auto refused = unknown_parameters(request, {"family"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "family", {"ipv4", "ipv6"})) {
        return *refused;
    }
    for (const Family family : families_in(request)) {
        router::flush_rules(controls_.router, family, now());
    }
    return text(200, {});
}

// The body is the arguments of ip(8), one a line.
Response ControlPort::ip(const Request& request) {
    const auto args = parse_ip_args(words_in(request.body));
    if (!args) {
        return text(400, args.error() + "\n");
    }
    IpAnswer answer = run_ip(*args, controls_.router, now(), controls_.change_link);
    return answer.error.empty() ? text(200, std::move(answer.text))
                                : text(400, answer.error + "\n");
}

Response ControlPort::modules(const Request&) {
    return text(200, module_listing(controls_.router));
}

// PUT /module?name=nf_conntrack&action=load|unload
Response ControlPort::change_module(const Request& request) {
    if (auto refused = unknown_parameters(request, {"name", "action"})) {
        return *refused;
    }
    const std::string name = value_of(request, "name");
    const std::string action = value_of(request, "action");
    if (name != kTrackingModule) {
        return text(
            404, "module " + name + " not found; there is " + std::string(kTrackingModule) + "\n");
    }
    if (action == "load") {
        load_tracking(controls_.router, now());
        return text(200, {});
    }
    if (action != "unload") {
        return text(400, "action is load or unload\n");
    }
    const std::string user = unload_tracking(controls_.router, now());
    if (user.empty()) {
        return text(200, {});
    }
    return text(409, "module " + name + " is in use by: " + user + "\n");
}

Response ControlPort::reload(const Request&) {
    const std::string wrong = controls_.reload();
    return wrong.empty() ? text(200, {}) : text(400, wrong);
}

Response ControlPort::stop(const Request&) {
    controls_.stop();
    // Nothing is ever said: the connection ends when the instance is gone.
    Response response;
    response.stream = [](std::string&) { return Piece::NotYet; };
    return response;
}

// The kernel says this when the modules that conntrack(8) talks to are loaded.
void ControlPort::greet_ctnetlink() {
    if (std::exchange(ctnetlink_greeted_, true)) {
        return;
    }
    controls_.log.log(now(), LogLevel::Info, "Netfilter messages via NETLINK v0.30.");
    controls_.log.log(now(), LogLevel::Info, "ctnetlink v0.93: registering with nfnetlink.");
}

}  // namespace nsr::router
