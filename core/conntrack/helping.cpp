#include "core/conntrack/helping.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/base/check.hpp"

namespace nsr::conntrack {

// --- helpers ------------------------------------------------------------------------------------

HelperId Helping::helper_of(ConnId id) const {
    const Help* help = shared_.table.help(id);
    return help != nullptr ? help->helper : HelperId::None;
}

HelperId Helping::master_helper_of(ConnId id) const {
    const Help* help = shared_.table.help(id);
    return help != nullptr ? help->of_master : HelperId::None;
}

HelpData* Helping::help_data(ConnId id) {
    Help* help = shared_.table.help(id);
    return help != nullptr && help->helper != HelperId::None ? &help->data : nullptr;
}

const SequenceAdjusts* Helping::adjusts_of(ConnId id) const {
    const Help* help = shared_.table.help(id);
    const bool moves = help != nullptr && (help->adjusts[0].moves() || help->adjusts[1].moves());
    return moves ? &help->adjusts : nullptr;
}

void Helping::adjust_sequence(ConnId id, Direction direction, std::uint32_t sequence,
                              std::int32_t difference) {
    Help* help = shared_.table.help(id);
    if (help != nullptr && difference != 0) {
        help->adjusts[index_of(direction)].change(sequence, difference);
    }
}

void Helping::refresh(ConnId id, std::uint32_t seconds, Instant now) {
    Connection& record = shared_.table[id];
    if (record.has(status::kFixedTimeout)) {
        return;
    }
    const bool confirmed = record.has(status::kConfirmed);
    record.deadline = seconds_to_jiffies(seconds) + (confirmed ? to_jiffies(now) : Jiffies{0});
    if (confirmed) {
        shared_.table.deadline_lowered(id, to_jiffies(now));
    }
}

// A new connection gets what its expectation or its template says, or what listens there. False:
// no memory. kernel: init_conntrack
bool Helping::take_help(ConnId id, const Meta& meta, const std::optional<Expectation>& expected) {
    if (!expected) {
        return assign_helper(id, meta);
    }
    Help* help = shared_.table.need_help(id);
    if (help == nullptr) {
        return false;
    }
    Connection& record = shared_.table[id];
    record.status |= status::kExpected;
    record.mark = shared_.table[expected->master].mark;
    help->of_master = helper_of(expected->master);
    help->helper = expected->helper;
    ++shared_.stats.expect_new;
    return true;
}

// kernel: __nf_ct_try_assign_helper
bool Helping::assign_helper(ConnId id, const Meta& meta) {
    if (meta.ct_helper == 0) {
        return assign_automatic_helper(id);
    }
    Help* help = shared_.table.need_help(id);
    if (help != nullptr) {
        help->helper = HelperId{meta.ct_helper};
        shared_.table[id].status |= status::kHelper;
    }
    return help != nullptr;
}

// The one that listens where the connection goes, which NAT may change. Not for a connection that
// was told its helper, or was expected.
bool Helping::assign_automatic_helper(ConnId id) {
    const Help* known = shared_.table.help(id);
    if (known != nullptr && (shared_.table[id].has_any(status::kHelper | status::kExpected))) {
        return true;
    }
    const HelperId helper = automatic_helper(shared_.table.tuple(id, Direction::Reply));
    if (known == nullptr && helper == HelperId::None) {
        return true;
    }
    Help* help = shared_.table.need_help(id);
    if (help != nullptr) {
        help->helper = helper;
    }
    return help != nullptr;
}

// kernel until 6.0: nf_ct_lookup_helper
HelperId Helping::automatic_helper(const Tuple& reply) const {
    if (shared_.settings.helper == 0 || shared_.settings.helpers == 0) {
        return HelperId::None;
    }
    for (const HelperInfo& helper : helpers()) {
        if ((shared_.settings.helpers & helper_bit(helper.id)) != 0 &&
            helper.port == reply.source_port && helper.protocol == reply.protocol &&
            (helper.ipv6 || reply.family() == Family::Ipv4)) {
            return helper.id;
        }
    }
    return HelperId::None;
}

// --- expectations -------------------------------------------------------------------------------

// What a new connection was expected as; unless it is permanent it is then gone. A master that is
// not confirmed has told nobody yet. kernel: nf_ct_find_expectation
std::optional<Expectation> Helping::find_expected(const Tuple& tuple, Zone zone, Jiffies now) {
    const ExpectId id = expectations_.find(tuple, now, [&](const Expectation& expectation) {
        return shared_.table[expectation.master].zone == zone;
    });
    if (id == 0) {
        return std::nullopt;
    }
    const Expectation expectation = expectations_[id];
    const Connection& master = shared_.table[expectation.master];
    if (!master.has(status::kConfirmed) || master.has(status::kDying)) {
        return std::nullopt;
    }
    if (!expectation.permanent) {
        unexpect(id);
    }
    return expectation;
}

// kernel: __nf_ct_expect_check, nf_ct_expect_insert
Result<ExpectId, Helping::ExpectFailure> Helping::expect_related(const Expectation& expectation,
                                                                 Instant now, Whose whose) {
    const Jiffies jiffies = to_jiffies(now);
    expire_expectations(jiffies);
    Help* help = shared_.table.help(expectation.master);
    if (help == nullptr || help->helper == HelperId::None) {
        return ExpectFailure::NoHelper;
    }
    const auto in_zone = [&](const Expectation& old) {
        return shared_.table[old.master].zone == shared_.table[expectation.master].zone;
    };
    const auto same = [&](const Expectation& old) {
        return (whose == Whose::Anybody || old.master == expectation.master) &&
               same_flow(old, expectation);
    };
    const ExpectId met =
        expectations_.find_beside(expectation.tuple, jiffies, [&](const Expectation& old) {
            return in_zone(old) && (same(old) || overlap(old, expectation));
        });
    if (met != 0) {
        const Expectation& old = expectations_[met];
        if (!same(old)) {
            return ExpectFailure::Clash;
        }
        if (old.of_class != expectation.of_class || old.master != expectation.master) {
            return ExpectFailure::Known;
        }
        unexpect(met);
    }
    const ExpectPolicy& policy = helper_info(help->helper).classes[expectation.of_class];
    if (help->expecting[expectation.of_class] >= policy.max_expected) {
        evict_oldest(expectation);
    }
    if (expectations_.size() >= shared_.settings.expect_max) {
        if (expect_log_.ask(jiffies).allowed) {
            shared_.log.log(now, LogLevel::Warning, "nf_conntrack: expectation table full");
        }
        return ExpectFailure::TooMany;
    }
    Expectation timed = expectation;
    timed.deadline = jiffies + seconds_to_jiffies(policy.timeout_seconds);
    ++help->expecting[expectation.of_class];
    ++shared_.stats.expect_create;
    const ExpectId id = expectations_.insert(timed, help->newest);
    shared_.events.report_expectation(timed, false, now);
    return id;
}

ExpectId Helping::find_expectation(const Tuple& tuple, ConnId master) const {
    return expectations_.find_beside(tuple, to_jiffies(shared_.now), [&](const Expectation& old) {
        return fits(old, tuple) && shared_.table[old.master].zone == shared_.table[master].zone;
    });
}

// kernel: evict_oldest_expect
void Helping::evict_oldest(const Expectation& expectation) {
    ExpectId oldest = 0;
    for (ExpectId id = newest_expectation(expectation.master); id != 0;
         id = expectations_.older(id)) {
        if (expectations_[id].of_class == expectation.of_class) {
            oldest = id;
        }
    }
    if (oldest != 0) {
        unexpect(oldest);
    }
}

ExpectId Helping::newest_expectation(ConnId master) const {
    const Help* help = shared_.table.help(master);
    return help != nullptr ? help->newest : kNoExpectation;
}

// kernel: nf_ct_unlink_expect_report
void Helping::unexpect(ExpectId id) {
    const Expectation& expectation = expectations_[id];
    Help* help = shared_.table.help(expectation.master);
    NSR_CHECK(help != nullptr);
    --help->expecting[expectation.of_class];
    ++shared_.stats.expect_delete;
    shared_.events.report_expectation(expectation, true, shared_.now);
    expectations_.erase(id, help->newest);
}

// kernel: nf_ct_remove_expectations
void Helping::unexpect_all(ConnId master) {
    if (shared_.table[master].extra == kNoSide) {
        return;
    }
    for (ExpectId id = newest_expectation(master); id != 0; id = newest_expectation(master)) {
        unexpect(id);
    }
}

void Helping::flush_expectations(Instant now) {
    shared_.now = now;
    for (ExpectId id = expectations_.next(0); id != 0; id = expectations_.next(id)) {
        unexpect(id);
    }
}

void Helping::unexpect_flow(const Tuple& tuple, ConnId master) {
    const ExpectId id =
        expectations_.find(tuple, to_jiffies(shared_.now), [&](const Expectation& expectation) {
            return shared_.table[expectation.master].zone == shared_.table[master].zone;
        });
    if (id != 0) {
        unexpect(id);
    }
}

// It is erased when its time is looked at, since somebody may be walking over those that end.
// kernel: nf_ct_kill
bool Helping::end_now(const Tuple& tuple, ConnId master) {
    const Jiffies now = to_jiffies(shared_.now);
    const auto hit = shared_.table.find(tuple, shared_.table[master].zone, now);
    if (!hit) {
        return false;
    }
    Connection& record = shared_.table[hit->id];
    NSR_CHECK(record.protocol == proto::kGre);
    record.state.gre = {};
    record.deadline = now;
    shared_.table.deadline_lowered(hit->id, now);
    return true;
}

bool Helping::add_gre_keys(ConnId master, const Tuple& original, const Tuple& reply) {
    if (!gre_keys_.add(master, Direction::Original, original)) {
        return false;
    }
    const bool both = gre_keys_.add(master, Direction::Reply, reply);
    if (!both) {
        gre_keys_.remove(master);
    }
    return both;
}

void Helping::activate(ExpectId id, std::uint32_t seconds, Instant now) {
    expectations_.activate(id, to_jiffies(now) + seconds_to_jiffies(seconds));
}

void Helping::expire_expectations(Jiffies now) {
    std::vector<ExpectId> over;
    expectations_.collect_expired(now, over);
    for (const ExpectId id : over) {
        unexpect(id);
    }
}

}  // namespace nsr::conntrack
