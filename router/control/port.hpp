// ControlPort: what the control port answers. HTTP is only its carrier.
//
// Theory of operation
//   Everything below /proc, /dev and whatever else procfs::Tree holds is a file: GET reads it (a
//   large one in pieces), or lists a directory; PUT and POST write it. Errors are the errno's
//   meaning as a status: ENOENT 404, EACCES 403, EINVAL 400, EBUSY 409, ENOMEM 507. Beside the
//   files there are the rows of one table: /status, /log, /sysctl, /conntrack, /rules, /ip,
//   /module, /reload and /stop, which the commands use. A request is answered at once, within the
//   turn of the event loop that read it; a long answer is a stream that is asked for piece by
//   piece.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "core/pipeline/router.hpp"
#include "core/procfs/tree.hpp"
#include "router/base/clock.hpp"
#include "router/config/config.hpp"
#include "router/control/http.hpp"
#include "router/log/log.hpp"
#include "router/ports/engine.hpp"
#include "router/tools/conntrack/command.hpp"
#include "router/tools/ip/command.hpp"

namespace nsr::router {

// What came of reading the configuration again, in lines.
struct ReloadAnswer {
    bool refused = false;
    std::string text;
};

// The parts of a running instance that a request may look at or change.
struct Controls {
    Router& router;
    procfs::Tree& tree;
    KernelLog& log;
    const SystemClock& clock;
    Engine& engine;
    const Config& config;
    Instant started;
    std::uint64_t memory_limit_bytes = 0;
    std::function<ReloadAnswer()> reload;
    std::function<void()> stop;
    // What stays behind of a stopped instance, in lines; nothing: it has not ended yet.
    std::function<std::optional<std::string>()> farewell;
    // Gives the device of an interface the MTU and the carrier asked for. Throws SystemError.
    ChangeLink change_link;
    // After addresses, routes or links have changed. Throws SystemError.
    std::function<void()> links_changed;
};

class ControlPort {
  public:
    explicit ControlPort(Controls controls) : controls_(std::move(controls)) {}

    http::Response handle(const http::Request& request);

  private:
    struct Row;
    static const Row kRows[];

    http::Response root(const http::Request& request);
    http::Response status(const http::Request& request);
    http::Response reload(const http::Request& request);
    http::Response stop(const http::Request& request);

    // control_files.cpp
    http::Response file(const http::Request& request);
    http::Response list(const std::string& path);
    http::Response read_file(const std::string& path);
    http::Response write_file(const std::string& path, const std::string& text);
    http::Response log(const http::Request& request);
    http::Response sysctl(const http::Request& request);

    // control_conntrack.cpp
    http::Response conntrack(const http::Request& request);
    http::Response list_conntrack(const http::Request& request);
    http::Response delete_conntrack(const http::Request& request);
    http::Response stream_conntrack(ConntrackPass pass);
    http::Piece advance(ConntrackPass& pass, std::string& out);
    void greet_ctnetlink();

    // control_rules.cpp
    http::Response rules(const http::Request& request);
    http::Response flush_rules(const http::Request& request);
    http::Response ip(const http::Request& request);
    http::Response modules(const http::Request& request);
    http::Response change_module(const http::Request& request);

    [[nodiscard]] Instant now() const { return controls_.clock.now(); }

    static constexpr std::size_t kPieceBytes =
        std::size_t{32} * 1024;  // of a stream, between two batches

    Controls controls_;
    bool ctnetlink_greeted_ = false;
};

}  // namespace nsr::router
