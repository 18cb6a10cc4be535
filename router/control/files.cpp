// The files of the control port, and what is read as a whole: the log and the sysctls.
#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "core/procfs/sysctl.hpp"
#include "router/control/port.hpp"
#include "router/control/table_walk.hpp"
#include "router/http/request.hpp"

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

KernelLog::Form form_in(const Request& request) {
    return value_of(request, "format") == "raw" ? KernelLog::Form::Raw : KernelLog::Form::Text;
}

}  // namespace

Response ControlPort::file(const Request& request) {
    const std::string path = without_trailing_slash(request.path);
    const auto entry = controls_.tree.stat(path);
    if (!entry) {
        return failed(controls_.tree.open(path).error());
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
    return reads ? read_file(path) : write_file(path, *request.body);
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

// A file that the shards have rows of, each its own.
Response ControlPort::read_rows(const std::string& path) {
    const auto cursor = std::make_shared<std::unique_ptr<procfs::Cursor>>();
    const auto walk = std::make_shared<TableWalk>(
        controls_, TableWalk::Steps{[path, cursor](Router&, const procfs::Tree& tree,
                                                   std::string& out, Instant time) {
                                        if (*cursor == nullptr) {
                                            auto opened = tree.open(path);
                                            if (!opened) {
                                                return false;  // tracking has just ended
                                            }
                                            *cursor = std::move(*opened);
                                        }
                                        const bool more = (*cursor)->read(out, kPieceBytes, time);
                                        if (!more) {
                                            cursor->reset();  // by the thread whose table it is of
                                        }
                                        return more;
                                    },
                                    [](bool) {}});
    Response response;
    response.stream = [walk](std::string& out) { return walk->advance(out); };
    return response;
}

Response ControlPort::read_file(const std::string& path) {
    if (controls_.others != nullptr && controls_.tree.sharded(path) == procfs::Sharded::Rows) {
        return read_rows(path);
    }
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
    if (path.starts_with("/proc/sys/net/ipv6/conf/") && controls_.links_changed) {
        controls_.links_changed();  // addresses may be gone
    }
    return written ? http::plain(200, {}) : failed(written.error());
}

// GET /log?format=raw&follow=1: from where the log was cleared; follow=new: what comes from now on.
Response ControlPort::log(const Request& request) {
    if (auto refused = unknown_parameters(request, {"follow", "format"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "follow", {"0", "1", "new"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "format", {"text", "raw"})) {
        return *refused;
    }
    const std::string follow = value_of(request, "follow");
    const KernelLog::Form form = form_in(request);
    if (follow.empty() || follow == "0") {
        std::string lines;
        controls_.log.read_from(controls_.log.cleared(), lines, form);
        return http::plain(200, std::move(lines));
    }
    Response response;
    response.follows = true;
    const std::uint64_t first = follow == "new" ? controls_.log.lines() : controls_.log.cleared();
    response.stream = [this, form, next = first](std::string& out) mutable {
        next = controls_.log.read_from(next, out, form);
        return out.empty() ? Piece::NotYet : Piece::More;
    };
    return response;
}

// PUT /log?console=N: standard error gets what is more important than N.
Response ControlPort::change_log(const Request& request) {
    if (auto refused = unknown_parameters(request, {"console"})) {
        return *refused;
    }
    constexpr std::uint64_t kAll = 8;
    const auto level = number_in(request, "console", kAll, kAll);
    if (!level || *level == 0) {
        return http::plain(400, "console is a number from 1 (emergencies alone) to 8 (all)\n");
    }
    controls_.log.console_level = static_cast<unsigned>(*level);
    return http::plain(200, {});
}

// DELETE /log?format=raw: the answer is what is forgotten.
Response ControlPort::clear_log(const Request& request) {
    if (auto refused = unknown_parameters(request, {"format"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "format", {"text", "raw"})) {
        return *refused;
    }
    std::string lines;
    controls_.log.read_from(controls_.log.cleared(), lines, form_in(request));
    controls_.log.clear();
    return http::plain(200, std::move(lines));
}

// "key = value" of every sysctl, in the order of `sysctl -a`, or an object of them; those below
// ?under= only.
Response ControlPort::sysctl(const Request& request) {
    if (auto refused = unknown_parameters(request, {"under"})) {
        return *refused;
    }
    const procfs::Context& context = controls_.tree.context();
    const std::string under = value_of(request, "under");
    std::string body;
    boost::json::object values;
    bool found = under.empty();
    for (const auto& [name, value] : procfs::read_all_sysctls(context)) {
        if (!under.empty() && name != under && !name.starts_with(under + ".")) {
            continue;
        }
        found = true;
        body += name + " = " + value + "\n";
        if (request.accepts_json) {
            values[name] = value;
        }
    }
    if (!found) {
        return http::plain(404, "there is no sysctl below \"" + under.substr(0, 60) + "\"\n");
    }
    Response response = http::plain(200, std::move(body));
    if (request.accepts_json) {
        response.content_type = "application/json";
        response.body = boost::json::serialize(values) + "\n";
    }
    return response;
}

}  // namespace nsr::router
