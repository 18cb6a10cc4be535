// Address sets at the control port.
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "core/base/cow.hpp"
#include "core/sets/sets.hpp"
#include "router/control/port.hpp"
#include "router/http/client.hpp"
#include "router/http/request.hpp"
#include "router/tools/ipset/command.hpp"
#include "router/tools/ipset/contents.hpp"
#include "router/tools/ipset/text.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

namespace {

constexpr std::string_view kFolder = "/sets/";
constexpr std::string_view kJson = ".json";
constexpr std::size_t kSteps = 200;  // elements between two batches of packets

// "/sets/blocked.json": blocked.
std::string set_in(const Request& request) {
    std::string_view name = std::string_view(request.path).substr(kFolder.size());
    name.remove_suffix(name.ends_with(kJson) ? kJson.size() : 0);
    return std::string(name);
}

Response no_set(const std::string& name) {
    return http::plain(404, "there is no set \"" + name + "\"\n");
}

// What comes before the first empty line, one word a line, and what comes behind it.
std::pair<std::vector<std::string>, std::string> words_and_input(const std::string& body) {
    const std::size_t end = body.find("\n\n");
    if (end == std::string::npos) {
        return {words_in(body), {}};
    }
    return {words_in(body.substr(0, end)), body.substr(end + 2)};
}

std::size_t line_of(const Request& request) {
    const std::string text = value_of(request, "line");
    std::size_t line = 0;
    std::from_chars(text.data(), text.data() + text.size(), line);
    return line;
}

}  // namespace

Response ControlPort::stream_sets(std::vector<sets::SetId> ids, const SetListing::Form& form) {
    const auto listing = std::make_shared<SetListing>(std::move(ids), form);
    Response response;
    if (form.output == IpsetOutput::Json) {
        response.content_type = "application/json";
    }
    response.stream = [this, listing,
                       references = controls_.router.set_references()](std::string& out) {
        return listing->advance(controls_.router.sets(), references, kSteps, now(), out)
                   ? Piece::More
                   : Piece::Last;
    };
    return response;
}

// GET /sets: all of them as `ipset save` prints them, or as JSON.
Response ControlPort::list_sets(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    return stream_sets(controls_.router.sets().all(),
                       {wants_json(request) ? IpsetOutput::Json : IpsetOutput::Save});
}

// GET /sets/NAME
Response ControlPort::show_set(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    const auto id = controls_.router.sets().id_of(set_in(request));
    if (!id) {
        return no_set(set_in(request));
    }
    const bool json = wants_json(request);
    return stream_sets({*id},
                       {.output = json ? IpsetOutput::Json : IpsetOutput::Save, .single = true});
}

// DELETE /sets/NAME
Response ControlPort::delete_set(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    Router& router = controls_.router;
    const sets::Failure failure = router.sets().destroy(set_in(request), router.set_references());
    if (failure == sets::Failure::NoSet) {
        return no_set(set_in(request));
    }
    return failure == sets::Failure::None
               ? http::plain(200, {})
               : http::plain(409, std::string(sets::text_of(failure)) + "\n");
}

// PUT /sets/NAME: other contents for a set, or a new one, in one step. The body is what `ipset
// restore` reads about this set, or its elements, one a line.
Response ControlPort::put_set(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    const std::string name = set_in(request);
    if (const std::string wrong = set_name_problem(name); !wrong.empty()) {
        return http::plain(400, wrong + "\n");
    }
    return place_set(name, request.body);
}

namespace {

// What is worked out beside the packets: a text may be large.
struct Making {
    std::string name;
    Cow<std::string> text;
    std::string created = {};  // the `create` of the set that there is; empty: there is none
    sets::Catalogue there = {};
    sets::Sets aside{0, 0};
    Instant at = {};
    std::optional<Response> refusal = {};

    void begin(sets::Sets& sets, Instant now);
    void run();
};

// What may be members is copied only for texts that may be of a list.
void Making::begin(sets::Sets& sets, Instant now) {
    const sets::Set* known = sets.find(name);
    const bool is_list = known != nullptr && known->type().storage == sets::Storage::List;
    created = known == nullptr ? "" : create_line(name, *known);
    if (is_list || text->find("create") != std::string::npos) {
        there = sets.catalogue();
    }
    aside = sets.beside();
    at = now;
}

void Making::run() {
    const Cow<std::string> read = std::exchange(text, {});  // it dies here, beside the packets
    const auto contents = set_contents(*read, name, created);
    if (!contents) {
        refusal = http::plain(created.empty() ? 404 : 400, contents.error() + "\n");
    } else if (const auto done = make_set(*contents, there, aside, at); !done) {
        refusal = http::plain(400, done.error() + "\n");
    }
}

}  // namespace

// Made beside the packets, and put in its place between two batches.
Response ControlPort::place_set(const std::string& name, const Cow<std::string>& text) {
    Response response;
    const auto making = std::make_shared<Making>(Making{name, text});
    response.later = [this, making](const std::function<void(Response)>& reply) {
        making->begin(controls_.router.sets(), now());
        const auto work = [making] { making->run(); };
        controls_.beside(work, [this, making, reply](const std::string& failure) {
            if (!failure.empty()) {
                return reply(http::plain(507, failure + "\n"));
            }
            if (making->refusal) {
                return reply(*making->refusal);
            }
            const sets::Failure refusal =
                controls_.router.sets().adopt(std::move(making->aside), {making->name}, now());
            if (refusal != sets::Failure::None) {
                return reply(http::plain(507, std::string(sets::text_of(refusal)) + "\n"));
            }
            controls_.engine.deadlines_changed();
            reply(http::plain(200, {}));
        });
    };
    return response;
}

// POST /ipset: the words of ipset(8), one a line; behind an empty line, what `restore` reads.
// ?line=N: how many lines of it an earlier request brought.
Response ControlPort::ipset(const Request& request) {
    if (auto refused = unknown_parameters(request, {"line"})) {
        return *refused;
    }
    auto [words, input] = words_and_input(*request.body);
    const auto args = parse_ipset_args(words);
    if (!args) {
        return http::plain(400, to_string(args.error()));
    }
    const std::size_t line = line_of(request);
    const auto pass = std::make_shared<IpsetPass>(*args, std::move(input), line);
    Response response;
    response.stream = [this, pass](std::string& out) {
        Router& router = controls_.router;
        const IpsetContext context{router.sets(), [&router] { return router.set_references(); },
                                   now()};
        const bool more = pass->advance(context, kSteps, out);
        controls_.engine.deadlines_changed();
        return more ? Piece::More : Piece::Last;
    };
    response.trailer = kResultField;
    response.trailer_value = [pass] {
        return std::to_string(pass->exit_code()) + " " + percent_encode(pass->errors());
    };
    return response;
}

}  // namespace nsr::router
