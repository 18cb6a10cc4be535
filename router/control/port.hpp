// ControlPort: what the control port answers. HTTP is only its carrier.
//
// Theory of operation
//   Everything below /proc, /dev and whatever else procfs::Tree holds is a file: GET reads it (a
//   large one in pieces), or lists a directory; PUT and POST write it. Errors are the errno's
//   meaning as a status: ENOENT 404, EACCES 403, EINVAL 400, EBUSY 409, ENOMEM 507. Beside the
//   files there are the rows of one table (port.cpp), which the commands use, and the page that a
//   browser gets at "/" (dashboard.hpp). A request is answered at once, within the turn of the
//   event loop that read it; a long answer is a stream that is asked for piece by piece, and what
//   changes rules is answered when they are at work. Whether it is answered at all the mode of the
//   file or the row decides, see rights.hpp: GET reads, everything else writes.
#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "router/control/controls.hpp"
#include "router/control/event_ring.hpp"
#include "router/control/packet_ring.hpp"
#include "router/control/text_pieces.hpp"
#include "router/http/http.hpp"
#include "router/ports/repeating.hpp"
#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/load.hpp"
#include "router/tools/ipset/contents.hpp"
#include "router/tools/ipset/listing.hpp"

namespace nsr::router {

class TableWalk;
struct CaptureWish;
struct IptablesAnswer;

class ControlPort {
  public:
    explicit ControlPort(Controls controls);
    ~ControlPort();
    ControlPort(const ControlPort&) = delete;
    ControlPort& operator=(const ControlPort&) = delete;

    http::Response handle(const http::Request& request);

    struct Endpoint {
        std::string_view method;
        std::string_view path;  // with "/" at its end: all below it
        unsigned mode;
        http::Response (ControlPort::*answer)(const http::Request&);
        procfs::Sharded sharded;
    };
    // What there is beside the files.
    static std::span<const Endpoint> endpoints();

  private:
    static const Endpoint kEndpoints[];
    struct EventTimers;

    http::Response answer(const http::Request& request, const Endpoint* endpoint);

    // over_shards.cpp
    http::Response over_shards(const http::Request& request, const Endpoint* endpoint);
    [[nodiscard]] http::Response refused_to_shards(const std::string& what) const;
    [[nodiscard]] std::optional<http::Response> refused_to_shards_alone(
        ConntrackCommand command) const;

    http::Response root(const http::Request& request);
    http::Response dashboard(const http::Request& request);
    http::Response status(const http::Request& request);
    http::Response metrics(const http::Request& request);
    http::Response reload(const http::Request& request);
    http::Response stop(const http::Request& request);

    // files.cpp
    http::Response file(const http::Request& request);
    http::Response list(const std::string& path);
    http::Response read_file(const std::string& path);
    http::Response read_rows(const std::string& path);
    http::Response write_file(const std::string& path, const std::string& text);
    http::Response log(const http::Request& request);
    http::Response change_log(const http::Request& request);
    http::Response clear_log(const http::Request& request);
    http::Response sysctl(const http::Request& request);

    http::Response config_files(const http::Request& request);  // config_files.cpp

    // conntrack.cpp
    http::Response conntrack(const http::Request& request);
    http::Response load_conntrack(const http::Request& request);
    http::Response stream_load(ConntrackLoad load);
    http::Response list_conntrack(const http::Request& request);
    http::Response delete_conntrack(const http::Request& request);
    http::Response top(const http::Request& request);
    http::Response with_places(
        std::function<http::Response(std::shared_ptr<const RulePlaces>)> answer);
    http::Response stream_conntrack(ConntrackPass pass,
                                    const std::string& content_type = "text/plain; charset=utf-8");
    [[nodiscard]] std::shared_ptr<TableWalk> walk_of(
        const std::shared_ptr<ConntrackPass>& pass) const;
    http::Response nfct(const http::Request& request);
    void greet_ctnetlink();

    http::Response ip(const http::Request& request);  // ip.cpp

    // lists.cpp
    http::Response stream_list(const http::Request& request,
                               std::function<boost::json::value(std::size_t)> row);
    http::Response expectations(const http::Request& request);
    http::Response routes(const http::Request& request);
    http::Response routing_rules(const http::Request& request);

    // events.cpp
    void wake_readers();
    void linger();
    http::Response follow_events(const http::Request& request);
    http::Response conntrack_events(const http::Request& request, const ConntrackArgs& args);
    http::Response stream_events(const http::Request& request, EventStream::Wish wish);
    http::Response follow_packets(const http::Request& request);

    // iptables.cpp
    http::Response iptables(const http::Request& request);
    http::Response iptables_response(const std::shared_ptr<IptablesAnswer>& answer);
    http::Response restore_rules(const http::Request& request);

    // rules.cpp
    http::Response rules(const http::Request& request);
    http::Response rules_json(const http::Request& request);
    http::Response list_rules_json(const http::Request& request);
    http::Response flush_rules(const http::Request& request);
    http::Response text_of_rules(std::function<std::string(const rules::Counted&)> list,
                                 const http::Response& head = {});
    http::Response change_rules(MakeRules make);
    // A text that takes long to make; `make` works on values, beside the packets. `head`: what else
    // the response says.
    http::Response text_from_beside(std::function<std::string()> make,
                                    const http::Response& head = {});
    http::Response modules(const http::Request& request);
    http::Response change_module(const http::Request& request);

    // observe.cpp
    http::Response trace(const http::Request& request);
    http::Response capture(const http::Request& request);
    http::Response capture_past(const http::Request& request, Listener::Wish wish,
                                CaptureWish wanted);
    http::Response why(const http::Request& request);
    http::Response explain_words(const http::Request& request);
    http::Response explain(const http::Request& request);
    http::Response explain_lines(const std::string& lines, bool json);
    http::Response follow_packets(Listener::Wish wish, const std::string& content_type);

    // sets.cpp
    http::Response list_sets(const http::Request& request);
    http::Response show_set(const http::Request& request);
    http::Response put_set(const http::Request& request);
    http::Response delete_set(const http::Request& request);
    http::Response ipset(const http::Request& request);
    http::Response stream_sets(std::vector<sets::SetId> ids, const SetListing::Form& form);
    http::Response place_set(const std::string& name, const Cow<std::string>& text);

    // nat.cpp
    http::Response list_nat(const http::Request& request);
    http::Response change_nat(const http::Request& request);

    void note_pressure();
    [[nodiscard]] Instant now() const { return controls_.clock.now(); }

    Controls controls_;
    Repeating note_pressure_;
    EventRing events_;
    PacketRing packets_;
    std::unique_ptr<EventTimers> timers_;
    bool ctnetlink_greeted_ = false;
};

}  // namespace nsr::router
