// What iptables(8), ip6tables(8) and iptables-restore(8) do, at the control port.
#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "core/base/cow.hpp"
#include "core/base/utf8.hpp"
#include "core/rules/language/restore.hpp"
#include "core/rules/needs.hpp"
#include "core/rules/set_use.hpp"
#include "core/rules/timeout_use.hpp"
#include "core/sets/sets.hpp"
#include "router/config/load.hpp"
#include "router/control/port.hpp"
#include "router/control/tracking_module.hpp"
#include "router/http/request.hpp"
#include "router/tools/iptables/command.hpp"
#include "router/tools/iptables/rule_of.hpp"

namespace nsr::router {

using http::Request;
using http::Response;

namespace {

Family family_in(const Request& request) {
    return value_of(request, "family") == "ipv6" ? Family::Ipv6 : Family::Ipv4;
}

std::string answer_text(const IptablesAnswer& answer) {
    return boost::json::serialize(boost::json::object{{"exit", answer.code},
                                                      {"stdout", as_utf8(answer.text)},
                                                      {"stderr", as_utf8(answer.errors)}});
}

constexpr const char* kTrackingOff = "connection tracking is off, and a rule needs it: ";

// Tracking that is switched off stays off: a change that needs it is refused.
MakeRules within_mode(MakeRules make, TrackingMode mode) {
    if (mode != TrackingMode::Off) {
        return make;
    }
    return [make = std::move(make)](const rules::Counted& now) {
        Result<rules::Ruleset, std::string> made = make(now);
        for (const Family family : {Family::Ipv4, Family::Ipv6}) {
            const std::string user = made ? rules::needs_tracking(*made, family) : std::string();
            if (!user.empty()) {
                return Result<rules::Ruleset, std::string>(kTrackingOff + user);
            }
        }
        return made;
    };
}

// What rules may name, as it was when it was asked.
struct Named {
    sets::Catalogue sets;
    conntrack::TimeoutCatalogue timeouts;
};

Named named_in(Router& router) {
    return {router.sets().catalogue(), router.timeout_policies().catalogue()};
}

// `answer`, unless rules name what is not there.
IptablesAnswer judged_by_names(Family family, const rules::Ruleset& rules, const Named& known,
                               IptablesAnswer answer) {
    if (const ConfigErrors unknown = rules::check_sets(rules, known.sets); !unknown.empty()) {
        const std::string& message = unknown.front().message;
        return wrong_words(family, message.substr(0, message.find(';')) + ".\n");
    }
    const ConfigErrors misfits = rules::check_timeouts(rules, known.timeouts);
    if (misfits.empty()) {
        return answer;
    }
    IptablesAnswer refusal =
        rules_refuse(family, misfits.front().by_kernel ? kInvalidArgument
                                                       : "No chain/target/match by that name.");
    refusal.cause = misfits.front().message;
    return refusal;
}

MakeRules work_of(const IptablesArgs& args, Named known, std::shared_ptr<IptablesAnswer> answer) {
    return [args, known = std::move(known),
            answer = std::move(answer)](const rules::Counted& counted) {
        rules::Ruleset now = counted.ruleset;
        if (args.has(iptables::kShows)) {
            *answer = show_rules(args, counted);
        }
        if (answer->code == 0 && !args.only_shows()) {
            IptablesAnswer changed = change_rules(args, now);
            changed.text = answer->text + changed.text;
            *answer = std::move(changed);
            if (answer->code == 0) {
                *answer = judged_by_names(args.family, now, known, std::move(*answer));
            }
            if (answer->code == 0) {
                return Result<rules::Ruleset, std::string>(std::move(now));
            }
        }
        return rules_unchanged();
    };
}

}  // namespace

// For the command line, which prints the parts and exits with the code. A long listing is made into
// JSON beside the loop, where it ends, too.
Response ControlPort::iptables_response(const std::shared_ptr<IptablesAnswer>& answer) {
    constexpr int kDone = 200;
    constexpr int kRefused = 400;
    Response response;
    response.status = answer->code == 0 ? kDone : kRefused;
    response.content_type = "application/json";
    if (answer->text.size() > kPieceBytes) {
        return text_from_beside(
            [answer] {
                const IptablesAnswer ours = std::move(*answer);
                return answer_text(ours);
            },
            response);
    }
    response.body = answer_text(*answer);
    return response;
}

// The body is the arguments of iptables(8), one a line.
Response ControlPort::iptables(const Request& request) {
    if (auto refused = unknown_parameters(request, {"family"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "family", {"ipv4", "ipv6"})) {
        return *refused;
    }
    const Family family = family_in(request);
    const auto args =
        parse_iptables_args(family, words_in(*request.body), controls_.config.host_names);
    if (!args) {
        return iptables_response(std::make_shared<IptablesAnswer>(args.error()));
    }
    if (args->has(iptables::kShows) && controls_.config.conntrack.activate_on_view) {
        activate_by_view(controls_.router, now());
    }
    Response response;
    response.later = [this, args = *args](const std::function<void(Response)>& reply) {
        const auto answer = std::make_shared<IptablesAnswer>();
        const auto done = [this, args, answer, reply](const Result<Done, std::string>& changed) {
            if (!changed && !changed.error().empty()) {
                *answer = rules_refuse(args.family, kInvalidArgument);
                answer->cause = changed.error();
            }
            if (!answer->cause.empty()) {
                controls_.log.log(now(), LogLevel::Warning, "ip_tables: " + answer->cause);
            }
            answer->errors = args.warnings + answer->errors;
            reply(iptables_response(answer));
        };
        controls_.change_rules(within_mode(work_of(args, named_in(controls_.router), answer),
                                           controls_.router.tracking_mode()),
                               done);
    };
    return response;
}

namespace {

struct Restoring {
    Cow<std::string> text;
    std::string file;
    Family family = Family::Ipv4;
    rules::RestoreOptions options;
    rules::HostNames names;
    bool test = false;  // only look whether it could be done
    Named known;
    bool tracking_off = false;
    bool divided = false;  // among several shards
};

// Why these rules are good, but not for this router, each where it is in the text.
ConfigErrors misfits(const rules::Ruleset& rules, const Restoring& restoring) {
    ConfigErrors errors = rules::check_sets(rules, restoring.known.sets);
    const ConfigErrors timeouts = rules::check_timeouts(rules, restoring.known.timeouts);
    errors.insert(errors.end(), timeouts.begin(), timeouts.end());
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        auto user = restoring.tracking_off ? rules::tracking_user(rules, family) : std::nullopt;
        if (user) {
            user->message.insert(0, kTrackingOff);
            user->where.file = user->where.file.empty() ? restoring.file : user->where.file;
            errors.push_back(std::move(*user));
        }
    }
    if (restoring.divided) {
        if (auto needs = rules::needs_one_shard(rules)) {
            errors.push_back(std::move(*needs));
        }
    }
    return errors;
}

MakeRules work_of(const std::shared_ptr<Restoring>& restoring,
                  const std::shared_ptr<ConfigErrors>& errors) {
    return [restoring, errors](const rules::Counted& counted) {
        rules::Ruleset now = counted.ruleset;
        *errors = rules::restore(*restoring->text, restoring->file, restoring->family,
                                 restoring->options, now, restoring->names);
        if (errors->empty()) {
            *errors = misfits(now, *restoring);
        }
        return errors->empty() && !restoring->test
                   ? Result<rules::Ruleset, std::string>(std::move(now))
                   : rules_unchanged();
    };
}

Response errors_response(const ConfigErrors& errors, bool as_json) {
    if (!as_json) {
        return http::plain(400, in_lines(errors));
    }
    boost::json::array list;
    for (const ConfigError& error : errors) {
        list.push_back({{"file", as_utf8(error.where.file)},
                        {"line", error.where.line},
                        {"column", error.where.column},
                        {"message", as_utf8(error.message)}});
    }
    Response response;
    response.status = 400;
    response.content_type = "application/json";
    response.body = boost::json::serialize(boost::json::object{{"errors", std::move(list)}}) + "\n";
    return response;
}

}  // namespace

// PUT: as iptables-restore does; POST: as with -n.
Response ControlPort::restore_rules(const Request& request) {
    if (auto refused = unknown_parameters(
            request, {"family", "counters", "test", "table", "file", "format"})) {
        return *refused;
    }
    for (const auto& [key, known] :
         {std::pair{"family", std::pair{"ipv4", "ipv6"}},
          std::pair{"counters", std::pair{"0", "1"}}, std::pair{"test", std::pair{"0", "1"}},
          std::pair{"format", std::pair{"text", "json"}}}) {
        if (auto refused = not_one_of(request, key, {known.first, known.second})) {
            return *refused;
        }
    }
    if (auto refused =
            not_one_of(request, "table", {"raw", "mangle", "nat", "filter", "security"})) {
        return *refused;
    }
    const auto restoring = std::make_shared<Restoring>();
    restoring->text = request.body;
    restoring->file = value_of(request, "file");
    if (restoring->file.empty()) {
        restoring->file = request.method + " /rules";
    }
    restoring->family = family_in(request);
    restoring->options.flush = request.method == "PUT";
    restoring->options.counters = value_of(request, "counters") == "1";
    restoring->options.only = rules::parse_table(value_of(request, "table"));
    restoring->names = controls_.config.host_names;
    restoring->test = value_of(request, "test") == "1";
    const bool as_json = value_of(request, "format") == "json" || request.accepts_json;
    Response response;
    response.later = [this, restoring, as_json](const std::function<void(Response)>& reply) {
        const auto errors = std::make_shared<ConfigErrors>();
        // Without the text: the last one to have that is whoever destroys the work.
        const auto done = [file = restoring->file, errors, as_json,
                           reply](const Result<Done, std::string>& changed) {
            if (!changed && !changed.error().empty()) {
                errors->push_back({{file, 0, 0}, changed.error()});
            }
            reply(errors->empty() ? http::plain(200, {}) : errors_response(*errors, as_json));
        };
        restoring->known = named_in(controls_.router);
        restoring->tracking_off = controls_.router.tracking_mode() == TrackingMode::Off;
        restoring->divided = controls_.others != nullptr;
        controls_.change_rules(work_of(restoring, errors), done);
    };
    return response;
}

}  // namespace nsr::router
