// The connection table at the control port.
#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/utf8.hpp"
#include "core/base/words.hpp"
#include "router/control/conntrack_query.hpp"
#include "router/control/port.hpp"
#include "router/control/table_walk.hpp"
#include "router/http/client.hpp"
#include "router/http/request.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "router/tools/conntrack/top.hpp"
#include "router/tools/nfct/command.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

namespace {

constexpr std::uint64_t kMostEntries = 0xfffffffe;
constexpr std::string_view kLoadBegins = "-R\n\n";

// A page of another site can make a browser send a GET, so reading never changes anything.
std::optional<Response> refused_in_get(const Request& request) {
    for (const std::string name : {"zero", "timeout"}) {
        if (request.query.contains(name)) {
            return http::plain(400, "\"" + name +
                                        "\" changes connections, GET does not: use POST "
                                        "/conntrack with the words of the command as its body\n");
        }
    }
    return unknown_parameters(request, conntrack_filters({"limit", "after"}));
}

// One row a line.
std::string top_json(const Top& top, std::size_t most) {
    namespace json = boost::json;
    const json::object heading{{"by", kTopByNames[static_cast<std::size_t>(top.by())]},
                               {"entries", top.entries()},
                               {"keys", top.keys()},
                               {"missing_at_most", top.missing_at_most()}};
    std::string text = json::serialize(heading);
    text.pop_back();
    text += ",\"top\":[";
    const char* separator = "\n";
    for (const Top::Row& row : top.rows(most)) {
        text += separator + json::serialize(json::object{{"key", as_utf8(row.key)},
                                                         {"entries", row.entries},
                                                         {"packets", row.packets},
                                                         {"bytes", row.bytes}});
        separator = ",\n";
    }
    return text + "\n]}\n";
}

// Of words that no command is made of.
Response bad_words(const std::vector<std::string>& words, const std::string& why) {
    const bool one_line = !words.empty() && words[0].find(' ') != std::string::npos;
    return http::plain(400, one_line ? "the words of a command stand one a line, as in "
                                       "\"-A\\n-p\\nudp\", and " +
                                           in_quotes(words[0]) + " is one word\n"
                                     : why + "\n");
}

// A stream that says at its end how many connections it was about.
Response with_count(const std::function<std::string()>& counts) {
    Response response;
    response.trailer = kEntriesField;
    response.trailer_value = counts;
    return response;
}

std::string counts_of(const ConntrackPass& pass) {
    std::string counts = std::to_string(pass.entries());
    if (const auto& [not_permitted, busy] = pass.refusals(); not_permitted + busy != 0) {
        counts += " " + std::to_string(not_permitted) + " " + std::to_string(busy);
    }
    return counts;
}

}  // namespace

// The body is the arguments of conntrack(8), one a line. ?dry-run=1: of -D, and nothing is deleted.
// Behind -R and an empty line: what -R reads, as far as it makes connections.
Response ControlPort::conntrack(const Request& request) {
    if (auto refused = unknown_parameters(request, {"dry-run"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "dry-run", {"0", "1"})) {
        return *refused;
    }
    if (request.body->starts_with(kLoadBegins)) {
        return load_conntrack(request);
    }
    const std::vector<std::string> words = words_in(*request.body);
    const auto args = parse_conntrack_args(words);
    if (!args) {
        return bad_words(words, args.error());
    }
    if (auto refused = refused_to_shards_alone(args->command)) {
        return *refused;
    }
    if (args->command == ConntrackCommand::Events) {
        return conntrack_events(request, *args);
    }
    const bool dry_run = value_of(request, "dry-run") == "1";
    const bool deletes = args->command == ConntrackCommand::Delete;
    if (dry_run && (!deletes || args->table != ConntrackTable::Connections)) {
        return http::plain(400, "only -D of connections can be tried without being done\n");
    }
    greet_ctnetlink();
    if (ConntrackPass::takes(*args)) {
        ConntrackPass pass(*args);
        pass.set_dry_run(dry_run);
        return stream_conntrack(std::move(pass));
    }
    const ConntrackAnswer answer = run_conntrack(*args, controls_.router, now());
    controls_.engine.deadlines_changed();
    if (!answer.error.empty()) {
        return http::plain(400, answer.error + "\n");
    }
    Response response = with_count([entries = answer.entries] { return std::to_string(entries); });
    response.stream = [body = answer.text](std::string& out) {
        out += body;
        return Piece::Last;
    };
    return response;
}

Response ControlPort::load_conntrack(const Request& request) {
    if (value_of(request, "dry-run") == "1") {
        return http::plain(400, "-R cannot be tried without being done\n");
    }
    if (auto refused = refused_to_shards_alone(ConntrackCommand::Create)) {
        return *refused;
    }
    greet_ctnetlink();
    Response response;
    response.later = [this, body = request.body](const std::function<void(Response)>& reply) {
        const auto load = std::make_shared<std::optional<Result<ConntrackLoad, std::string>>>();
        controls_.beside(
            [load, body] {
                const auto text = std::string_view(*body).substr(kLoadBegins.size());
                load->emplace(ConntrackLoad::parse(text));
            },
            [this, load, reply](const std::string& failure) {
                if (!failure.empty()) {
                    reply(http::plain(507, failure + "\n"));
                } else if (auto& read = **load; !read) {
                    reply(http::plain(400, read.error() + "\n"));
                } else {
                    reply(stream_load(std::move(*read)));
                }
            });
    };
    return response;
}

// The trailer is the exit code, and of a line that could not be made its number and what the tool
// says.
Response ControlPort::stream_load(ConntrackLoad load) {
    const auto shared = std::make_shared<ConntrackLoad>(std::move(load));
    Response response;
    response.stream = [this, shared](std::string& /*out*/) {
        const Instant over = now() + Engine::kTurn;
        bool more = true;
        while (more && now() < over) {
            more = shared->advance(controls_.router, now());
        }
        controls_.engine.deadlines_changed();
        return more ? Piece::More : Piece::Last;
    };
    response.trailer = kResultField;
    response.trailer_value = [shared] {
        return shared->error().empty() ? "0"
                                       : "1 " + std::to_string(shared->error_line()) + " " +
                                             percent_encode(shared->error());
    };
    return response;
}

// The words of nfct(8), one a line.
Response ControlPort::nfct(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    const auto args = parse_nfct_args(words_in(*request.body));
    if (!args) {
        return http::plain(400, args.error());
    }
    NfctAnswer answer = run_nfct(*args, controls_.router);
    return answer.errors.empty() ? http::plain(200, std::move(answer.text))
                                 : http::plain(400, std::move(answer.errors));
}

// GET /conntrack?proto=tcp&state=ESTABLISHED&limit=100&after=7: JSON.
Response ControlPort::list_conntrack(const Request& request) {
    if (auto refused = refused_in_get(request)) {
        return *refused;
    }
    const auto args = conntrack_query("-L", request, {"limit", "after"});
    const auto limit = number_in(request, "limit", kMostEntries, kMostEntries);
    const auto after = number_in(request, "after", 0, kMostEntries);
    if (!args) {
        return http::plain(400, args.error() + "\n");
    }
    if (!limit || !after) {
        return limit ? after.error() : limit.error();
    }
    const bool pages = request.query.contains("limit") || request.query.contains("after");
    if (controls_.others != nullptr && pages) {
        return refused_to_shards("a page of connections, whose ids are those of a shard,");
    }
    ConntrackPass pass(*args, ConntrackPass::Form::Json);
    if (pages) {
        ConntrackPass::Page page{static_cast<std::size_t>(*limit), std::nullopt};
        if (request.query.contains("after")) {
            page.after = static_cast<std::uint32_t>(*after);
        }
        pass.set_page(page);
    }
    return stream_conntrack(std::move(pass), "application/json");
}

// The answer is the number of connections that are gone, or with dry-run=1 would be.
Response ControlPort::delete_conntrack(const Request& request) {
    if (auto refused = unknown_parameters(request, conntrack_filters({"dry-run"}))) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "dry-run", {"0", "1"})) {
        return *refused;
    }
    const auto args = conntrack_query("-D", request, {"dry-run"});
    if (!args) {
        return http::plain(400, args.error() + "\n");
    }
    const auto pass = std::make_shared<ConntrackPass>(*args, ConntrackPass::Form::Silent);
    pass->set_dry_run(value_of(request, "dry-run") == "1");
    Response response;
    response.stream = [pass, walk = walk_of(pass)](std::string& out) {
        const Piece piece = walk->advance(out);
        if (piece == Piece::Last) {
            out += std::to_string(pass->entries()) + "\n";
        }
        return piece;
    };
    return response;
}

// GET /top?by=source&n=10, of those that the filters select.
Response ControlPort::top(const Request& request) {
    if (auto refused = unknown_parameters(request, conntrack_filters({"by", "n"}))) {
        return *refused;
    }
    constexpr std::uint64_t kRows = 10;
    const auto most = number_in(request, "n", kRows, Top::kMostKeys);
    const std::string name = value_of(request, "by");
    const auto by = name.empty() ? TopBy::Source : parse_top_by(name);
    const auto args = conntrack_query("-L", request, {"by", "n"});
    if (!most) {
        return most.error();
    }
    if (!by) {
        return http::plain(400,
                           "by is one of source, destination, port, protocol, state, rule, "
                           "not \"" +
                               name.substr(0, 60) + "\"\n");
    }
    if (!args) {
        return http::plain(400, args.error() + "\n");
    }
    const auto begin = [this, by = *by, filter = args->filter,
                        most = *most](std::shared_ptr<const RulePlaces> places) {
        const auto walk = std::make_shared<Top>(by, filter, std::move(places));
        Response response;
        response.content_type = "application/json";
        const auto tables = std::make_shared<TableWalk>(
            controls_,
            TableWalk::Steps{[walk](Router& router, const procfs::Tree&, std::string&,
                                    Instant time) { return walk->advance(router, time); },
                             [walk](bool) { walk->begin_table(); }});
        response.stream = [walk, tables, most](std::string& out) {
            const Piece piece = tables->advance(out);
            if (piece == Piece::Last) {
                out += top_json(*walk, static_cast<std::size_t>(most));
            }
            return piece;
        };
        return response;
    };
    return *by == TopBy::Rule ? with_places(begin) : begin(nullptr);
}

// Looking up the places of all rules is not for the loop.
Response ControlPort::with_places(
    std::function<Response(std::shared_ptr<const RulePlaces>)> answer) {
    Response later;
    later.later = [this, answer = std::move(answer)](const std::function<void(Response)>& reply) {
        const auto places = std::make_shared<RulePlaces>();
        controls_.beside(
            [places, ruleset = controls_.router.ruleset()] { *places = places_of(ruleset); },
            [reply, places, answer](const std::string& failure) {
                reply(failure.empty() ? answer(places) : http::plain(507, failure + "\n"));
            });
    };
    return later;
}

// One that names rules gets their places first.
Response ControlPort::stream_conntrack(ConntrackPass pass, const std::string& content_type) {
    const auto shared = std::make_shared<ConntrackPass>(std::move(pass));
    Response response = with_count([shared] { return counts_of(*shared); });
    response.content_type = content_type;
    response.stream = [walk = walk_of(shared)](std::string& out) { return walk->advance(out); };
    if (!shared->names_rules()) {
        return response;
    }
    return with_places([shared, response](std::shared_ptr<const RulePlaces> places) {
        shared->set_places(std::move(places));
        return response;
    });
}

std::shared_ptr<TableWalk> ControlPort::walk_of(const std::shared_ptr<ConntrackPass>& pass) const {
    return std::make_shared<TableWalk>(
        controls_, TableWalk::Steps{
                       [pass](Router& router, const procfs::Tree&, std::string& out, Instant time) {
                           return pass->advance(router, out, kPieceBytes, time);
                       },
                       [pass](bool last) { pass->begin_table(last); }});
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
