#include "router/explain/story.hpp"

#include <array>
#include <utility>

#include "core/base/printable.hpp"
#include "core/conntrack/record/connection.hpp"
#include "core/observe/hint.hpp"
#include "core/rules/table_id.hpp"
#include "router/observe/render.hpp"

namespace nsr::router {
namespace {

using namespace observe;

std::string hook_of(const Place& place) {
    return std::string(nsr::name_of(place.hook));
}

// What a target does, in a verb.
std::string deed_of(const RuleStep& step) {
    constexpr std::pair<std::string_view, std::string_view> kDeeds[] = {
        {"ACCEPT", "accepts it"},
        {"DROP", "drops it"},
        {"REJECT", "refuses it and tells its sender"},
        {"RETURN", "sends it back to where it came from"},
        {"LOG", "logs it"},
        {"NFLOG", "hands a copy to nflog"},
        {"TRACE", "traces it"},
        {"MARK", "marks it"},
        {"CONNMARK", "marks its connection or it"},
        {"MASQUERADE", "masquerades its source"},
        {"SNAT", "chooses another source for it"},
        {"DNAT", "chooses another destination for it"},
        {"REDIRECT", "redirects it to the router"},
        {"NETMAP", "maps its network to another one"},
        {"TTL", "changes its TTL"},
        {"HL", "changes its hop limit"},
        {"TCPMSS", "lowers the MSS that it announces"},
        {"NOTRACK", "has it not tracked"},
        {"CT", "says how it is tracked"},
        {"", "counts it"},
    };
    for (const auto& [target, deed] : kDeeds) {
        if (step.target == target) {
            return std::string(deed);
        }
    }
    return "hands it to " + step.target;
}

std::string sentence(const RuleStep& step) {
    if (!step.matched) {
        return {};
    }
    return hook_of(step.place) + ": rule " + std::to_string(step.number) + " of " + step.chain +
           " in " + std::string(rules::name_of(step.table)) + " " + deed_of(step) + ": " +
           step.text + " (" + to_string(step.where) + ").";
}

std::string sentence(const PolicyStep& step) {
    const bool drops = step.policy == rules::Policy::Drop;
    return hook_of(step.place) + ": no rule of " + std::string(rules::name_of(step.table)) +
           " decides, and the policy of " + step.chain + " is " + (drops ? "DROP." : "ACCEPT.");
}

std::string tracked_as_part(const TrackedStep& step) {
    const bool reply = direction_of(step.info) == Direction::Reply;
    std::string text = "it belongs to the connection " + connection_text(*step.after) + ", as a " +
                       (reply ? "packet of the answering side" : "packet of its first side");
    const std::string_view before = step.before ? step.before->state : std::string_view();
    if (!step.after->state.empty() && before != step.after->state && !before.empty()) {
        text += "; " + std::string(before) + " becomes " + std::string(step.after->state);
    }
    return text;
}

std::string sentence(const TrackedStep& step) {
    const std::string begin = hook_of(step.place) + ": ";
    const std::string state(observe::name_of(step.info));
    switch (step.info) {
        case CtInfo::Invalid: {
            HintContext context;
            context.why_invalid = step.why;
            const std::string why = step.why.empty() ? "" : " (" + step.why + ")";
            return begin + "tracking makes nothing of it: INVALID" + why +
                   ". What would make it valid: " + hint_for_invalid(context) + ".";
        }
        case CtInfo::Untracked:
            return begin + "it is not tracked (UNTRACKED).";
        case CtInfo::New:
            if (!step.before && step.after) {
                return begin + "no connection has it, so it begins one (NEW): " +
                       connection_text(*step.after) + ".";
            }
            break;
        default:
            break;
    }
    if (!step.after) {
        return begin + state + ".";
    }
    return begin + tracked_as_part(step) + " (" + state + ").";
}

std::string sentence(const TranslatedStep& step) {
    return hook_of(step.place) + ": NAT makes its " + (step.source ? "source " : "destination ") +
           step.to + " of " + step.from + ".";
}

// Rules that were changed since do not change what they made of a connection.
bool translated_as_before(const Observation& seen) {
    const auto* tracked = find<TrackedStep>(seen);
    return tracked != nullptr && tracked->before && tracked->after &&
           tracked->before->id == tracked->after->id && !is_related(tracked->info) &&
           direction_of(tracked->info) == Direction::Original;
}

std::string sentence(const ConfirmedStep& step) {
    return hook_of(step.place) +
           ": its connection is in the table from here on: " + connection_text(step.connection) +
           ".";
}

std::string sentence(const KeptStep& step) {
    return hook_of(step.place) + ": it is a fragment, and kept until the others are there.";
}

std::string sentence(const RoutedStep& step) {
    const routing::Decision& decision = step.decision;
    switch (decision.kind) {
        case routing::Destination::Unicast:
            return "Routing: it goes through " + step.interface + " to " +
                   to_string(decision.next_hop) + ".";
        case routing::Destination::Local:
            return "Routing: it is for the router itself.";
        case routing::Destination::Broadcast:
        case routing::Destination::Multicast:
            return "Routing: it is for everybody on the link, or for a group.";
        case routing::Destination::Blackhole:
        case routing::Destination::Prohibit:
        case routing::Destination::Unreachable:
            return "Routing: the route to it says that it goes nowhere.";
        case routing::Destination::None:
            break;
    }
    return "Routing: there is no route to it.";
}

std::string sentence(const DeliveredStep&) {
    return "The router takes it as a host.";
}

std::string sentence(const CausedStep& step) {
    return "It makes the router send packet " + std::to_string(step.number) + ", see below.";
}

std::string sentence(const DroppedStep& step) {
    const std::string where = step.place ? hook_of(*step.place) + ": " : std::string();
    return where + (where.empty() ? "It" : "it") + " is dropped, " +
           std::string(nsr::name_of(step.reason)) + ": " + std::string(explain(step.reason)) + ".";
}

std::string sentence(const LeftStep& step) {
    const std::string where =
        step.interface.empty() ? "to the router itself" : "by " + step.interface;
    return "It leaves " + where + ": " + step.packet;
}

std::string outcome(const Observation& seen) {
    switch (seen.fate) {
        case Fate::Left: {
            const auto* left = find<LeftStep>(seen);
            return "It passes" + (left->interface.empty()
                                      ? std::string(" to the router itself.")
                                      : ", and leaves by " + left->interface + ".");
        }
        case Fate::Delivered:
            return "It reaches the router itself.";
        case Fate::Kept:
            return "It waits for its other fragments.";
        case Fate::Dropped:
            return "It is dropped. What would let it through: " + find<DroppedStep>(seen)->hint +
                   ".";
        case Fate::Nothing:
            break;
    }
    return "It goes no further.";
}

}  // namespace

std::string story_of(const Observation& seen, const std::string& title) {
    std::string text = title + ", " +
                       (seen.in.empty() ? "from the router itself" : "in by " + seen.in) + ": " +
                       seen.packet + "\n";
    int number = 0;
    for (const Step& step : seen.steps) {
        std::string said = std::visit([](const auto& each) { return sentence(each); }, step);
        if (std::holds_alternative<TranslatedStep>(step) && translated_as_before(seen)) {
            said +=
                " So it was with the first packet of the connection, which alone asks the rules "
                "of nat.";
        }
        if (!said.empty()) {
            text += "  " + std::to_string(++number) + ". " + printable(said) + "\n";
        }
    }
    return text + "  => " + printable(outcome(seen)) + "\n";
}

}  // namespace nsr::router
