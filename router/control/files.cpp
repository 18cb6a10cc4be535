// The files of the control port, and what is read as a whole: the log and the sysctls.
#include <memory>
#include <utility>

#include "core/procfs/sysctl.hpp"
#include "router/control/port.hpp"
#include "router/control/request.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

namespace {

// /proc/net/ is /proc/net.
std::string without_trailing_slash(std::string path) {
    while (path.size() > 1 && path.back() == '/') {
        path.pop_back();
    }
    return path;
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
    Response response = http::plain(status_of(failure.code), body + "\n");
    if (response.status == 405) {
        response.allow = "GET, HEAD";
    }
    return response;
}

}  // namespace

Response ControlPort::file(const Request& request) {
    const std::string path = without_trailing_slash(request.path);
    const auto entry = controls_.tree.stat(path);
    if (!entry) {
        return failed({procfs::Errno::NoEntry, {}});
    }
    const bool reads = request.method == "GET";
    const bool writes = request.method == "PUT" || request.method == "POST";
    if (!reads && !writes) {
        Response response = http::plain(405, "files take GET, HEAD, PUT and POST\n");
        response.allow = "GET, HEAD, PUT, POST";
        return response;
    }
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    const bool read_only = (entry->mode & 0222) == 0;
    // Nobody at all may write what is read-only, which is what to say then.
    if (!entry->directory && !(writes && read_only)) {
        if (auto refused = not_allowed(request, entry->mode)) {
            return *refused;
        }
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
    return http::plain(200, std::move(names));
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
    const auto written = controls_.tree.write(path, value, now());
    controls_.engine.deadlines_changed();
    return written ? http::plain(200, {}) : failed(written.error());
}

Response ControlPort::log(const Request& request) {
    if (auto refused = unknown_parameters(request, {"follow"})) {
        return *refused;
    }
    const std::string follow = value_of(request, "follow");
    if (follow.empty() || follow == "0") {
        return http::plain(200, controls_.log.text());
    }
    if (follow != "1") {
        return http::plain(400, "follow is 0 or 1\n");
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
    bool found = under.empty();
    for (const std::string& name : procfs::sysctl_names(context)) {
        if (!under.empty() && name != under && !name.starts_with(under + ".")) {
            continue;
        }
        found = true;
        if (const auto value = procfs::read_sysctl(context, name)) {
            body += name + " = " + *value + "\n";
        }
    }
    if (!found) {
        return http::plain(404, "there is no sysctl below \"" + under.substr(0, 60) + "\"\n");
    }
    return http::plain(200, std::move(body));
}

}  // namespace nsr::router
