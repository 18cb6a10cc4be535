#include "router/changes/existing.hpp"

#include <utility>

#include "core/conntrack/conntrack.hpp"

namespace nsr::router {
namespace {

using Fate = Trial::Fate;

constexpr std::size_t kPortion = 512;       // copied in one turn of the loop
constexpr std::size_t kLooks = 4096;        // places of the table looked at for that
constexpr std::size_t kMostLines = 10'000;  // of a dry run

std::string in_words(const conntrack::Tuple& tuple) {
    const bool v6 = tuple.source.is_v6();
    const auto end = [&](const IpAddress& address, std::uint16_t port) {
        std::string text = to_string(address);
        if (v6) {
            text = "[" + text + "]";
        }
        return text + ":" + std::to_string(port);
    };
    const std::string protocol(conntrack::protocol_name(tuple.protocol));
    if (tuple.protocol == proto::kTcp || tuple.protocol == proto::kUdp ||
        tuple.protocol == proto::kUdplite || tuple.protocol == proto::kSctp) {
        return protocol + " " + end(tuple.source, tuple.source_port) + " > " +
               end(tuple.destination, tuple.destination_port);
    }
    return protocol + " " + to_string(tuple.source) + " > " + to_string(tuple.destination);
}

std::string count_of(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " connection" : " connections");
}

}  // namespace

void ExistingConnections::prepare(const Trial::Surroundings& surroundings, Rules rules) {
    before_ = places_of(rules.before);
    after_ = places_of(rules.after);
    trial_ = std::make_unique<Trial>(surroundings, rules.after);
}

bool ExistingConnections::collect(const Router& router, Instant now) {
    const conntrack::Table& table = router.conntrack().table();
    now_ = now;
    portion_.clear();
    std::size_t looks = kLooks;
    while (portion_.size() < kPortion) {
        const auto id = table.next(cursor_, looks);
        if (!id) {
            break;
        }
        const conntrack::Connection& record = table[*id];
        if (!record.has(conntrack::status::kConfirmed) || record.has(conntrack::status::kDying)) {
            continue;
        }
        portion_.push_back({*id,
                            table.tuple(*id, Direction::Original),
                            {table.tuple(*id, Direction::Reply), record.translated_by},
                            record.accepted_by});
    }
    return !portion_.empty() || !cursor_.over;
}

void ExistingConnections::judge() {
    for (One& one : portion_) {
        const Trial::Outcome outcome = trial_->judge(one.original, now_);
        one.differs = treats_differently(one.known, outcome);
        ++judged_;
        unsure_ += outcome.fate == Fate::Unsure ? 1 : 0;
        if (one.differs) {
            ++differ_;
            tell(one, outcome);
        }
    }
}

// A record may be another connection's by now.
void ExistingConnections::carry_out(Router& router, Instant now) {
    const conntrack::Table& table = router.conntrack().table();
    for (const One& one : portion_) {
        const bool same = one.differs && table[one.id].commit != 0 &&
                          table.tuple(one.id, Direction::Original) == one.original;
        if (same && request_.existing == ReloadRequest::Existing::Kill) {
            router.destroy_connection(one.id, now);
        } else if (same && request_.existing == ReloadRequest::Existing::Recheck) {
            router.recheck_connection(one.id);
        }
    }
}

std::string ExistingConnections::report() const {
    std::string text = lines_;
    if (request_.dry_run && differ_ > told_) {
        text += "... and " + std::to_string(differ_ - told_) + " more\n";
    }
    const char* what = " would be treated differently";
    if (!request_.dry_run) {
        what =
            request_.existing == ReloadRequest::Existing::Kill ? " ended" : " to be accepted again";
    }
    text += count_of(differ_) + " of " + std::to_string(judged_) + what + "\n";
    if (unsure_ != 0) {
        text += count_of(unsure_) +
                " left as they are: what rules have counted so far decides, or no packet of the "
                "kind can be made up\n";
    }
    return text;
}

void ExistingConnections::tell(const One& one, const Trial::Outcome& outcome) {
    if (!request_.dry_run || told_ == kMostLines) {
        return;
    }
    ++told_;
    lines_ += in_words(one.original) + ": ";
    switch (outcome.fate) {
        case Fate::Refused:
            lines_ += "accepted by " + place(before_, one.accepted_by) + ", now refused by " +
                      outcome.refused_by;
            break;
        case Fate::Untracked:
            lines_ += "accepted by " + place(before_, one.accepted_by) + ", now not tracked";
            break;
        default:
            lines_ += "translated by " + place(before_, one.known.translated_by) + ", now by " +
                      place(after_, outcome.translated_by);
            break;
    }
    lines_ += "\n";
}

std::string ExistingConnections::place(const RulePlaces& places, RuleId rule) {
    const auto found = places.find(raw(rule));
    if (found != places.end()) {
        return found->second;
    }
    return rule == RuleId::None ? "no rule" : "a rule that is gone";
}

}  // namespace nsr::router
