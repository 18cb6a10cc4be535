// Helpers and expectations: who follows a connection, and what it announced.
#include <algorithm>
#include <utility>

#include "core/base/check.hpp"
#include "core/conntrack/conntrack.hpp"

namespace nsr::conntrack {

// --- helpers ------------------------------------------------------------------------------------

HelperId Conntrack::helper_of(ConnId id) const {
    const Help* help = table_.help(id);
    return help != nullptr ? help->helper : HelperId::None;
}

HelperId Conntrack::master_helper_of(ConnId id) const {
    const Help* help = table_.help(id);
    return help != nullptr ? help->of_master : HelperId::None;
}

HelpData* Conntrack::help_data(ConnId id) {
    Help* help = table_.help(id);
    return help != nullptr && help->helper != HelperId::None ? &help->data : nullptr;
}

const SequenceAdjusts* Conntrack::adjusts_of(ConnId id) const {
    const Help* help = table_.help(id);
    const bool moves = help != nullptr && (help->adjusts[0].moves() || help->adjusts[1].moves());
    return moves ? &help->adjusts : nullptr;
}

void Conntrack::adjust_sequence(ConnId id, Direction direction, std::uint32_t sequence,
                                std::int32_t difference) {
    Help* help = table_.help(id);
    if (help != nullptr && difference != 0) {
        help->adjusts[index_of(direction)].change(sequence, difference);
    }
}

void Conntrack::refresh(ConnId id, std::uint32_t seconds, Instant now) {
    Connection& record = table_[id];
    if (record.has(status::kFixedTimeout)) {
        return;
    }
    const bool confirmed = record.has(status::kConfirmed);
    record.deadline = seconds_to_jiffies(seconds) + (confirmed ? to_jiffies(now) : Jiffies{0});
    if (confirmed) {
        table_.deadline_lowered(id, to_jiffies(now));
    }
}

// A new connection gets what its expectation or its template says, or what listens there. False:
// no memory. kernel: init_conntrack
bool Conntrack::take_help(ConnId id, const Meta& meta, const std::optional<Expectation>& expected) {
    if (!expected) {
        return assign_helper(id, meta);
    }
    Help* help = table_.need_help(id);
    if (help == nullptr) {
        return false;
    }
    Connection& record = table_[id];
    record.status |= status::kExpected;
    record.mark = table_[expected->master].mark;
    help->of_master = helper_of(expected->master);
    help->helper = expected->helper;
    ++stats_.expect_new;
    return true;
}

// kernel: __nf_ct_try_assign_helper
bool Conntrack::assign_helper(ConnId id, const Meta& meta) {
    if (meta.ct_helper == 0) {
        return assign_automatic_helper(id);
    }
    Help* help = table_.need_help(id);
    if (help != nullptr) {
        help->helper = HelperId{meta.ct_helper};
        table_[id].status |= status::kHelper;
    }
    return help != nullptr;
}

// The one that listens where the connection goes, which NAT may change. Not for a connection that
// was told its helper, or was expected.
bool Conntrack::assign_automatic_helper(ConnId id) {
    const Help* known = table_.help(id);
    if (known != nullptr && (table_[id].has_any(status::kHelper | status::kExpected))) {
        return true;
    }
    const HelperId helper = automatic_helper(table_.tuple(id, Direction::Reply));
    if (known == nullptr && helper == HelperId::None) {
        return true;
    }
    Help* help = table_.need_help(id);
    if (help != nullptr) {
        help->helper = helper;
    }
    return help != nullptr;
}

// kernel until 6.0: nf_ct_lookup_helper
HelperId Conntrack::automatic_helper(const Tuple& reply) const {
    if (settings_.helper == 0 || settings_.helpers == 0) {
        return HelperId::None;
    }
    for (const HelperInfo& helper : helpers()) {
        if ((settings_.helpers & helper_bit(helper.id)) != 0 && helper.port == reply.source_port &&
            helper.protocol == reply.protocol && (helper.ipv6 || reply.family() == Family::Ipv4)) {
            return helper.id;
        }
    }
    return HelperId::None;
}

// --- expectations -------------------------------------------------------------------------------

// What a new connection was expected as; unless it is permanent it is then gone. A master that is
// not confirmed has told nobody yet. kernel: nf_ct_find_expectation
std::optional<Expectation> Conntrack::find_expected(const Tuple& tuple, Zone zone, Jiffies now) {
    const ExpectId id = expectations_.find(tuple, now, [&](const Expectation& expectation) {
        return table_[expectation.master].zone == zone;
    });
    if (id == 0) {
        return std::nullopt;
    }
    const Expectation expectation = expectations_[id];
    const Connection& master = table_[expectation.master];
    if (!master.has(status::kConfirmed) || master.has(status::kDying)) {
        return std::nullopt;
    }
    if (!expectation.permanent) {
        unexpect(id);
    }
    return expectation;
}

// kernel: __nf_ct_expect_check, nf_ct_expect_insert
Result<ExpectId, Conntrack::ExpectFailure> Conntrack::expect_related(const Expectation& expectation,
                                                                     Instant now, Whose whose) {
    const Jiffies jiffies = to_jiffies(now);
    expire_expectations(jiffies);
    Help* help = table_.help(expectation.master);
    if (help == nullptr || help->helper == HelperId::None) {
        return ExpectFailure::NoHelper;
    }
    const auto in_zone = [&](const Expectation& old) {
        return table_[old.master].zone == table_[expectation.master].zone;
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
    if (expectations_.size() >= settings_.expect_max) {
        if (expect_log_.ask(jiffies).allowed) {
            log_.log(now, LogLevel::Warning, "nf_conntrack: expectation table full");
        }
        return ExpectFailure::TooMany;
    }
    Expectation timed = expectation;
    timed.deadline = jiffies + seconds_to_jiffies(policy.timeout_seconds);
    ++help->expecting[expectation.of_class];
    ++stats_.expect_create;
    return expectations_.insert(timed, help->newest);
}

ExpectId Conntrack::find_expectation(const Tuple& tuple, ConnId master) const {
    return expectations_.find_beside(tuple, to_jiffies(now_), [&](const Expectation& old) {
        return fits(old, tuple) && table_[old.master].zone == table_[master].zone;
    });
}

// kernel: evict_oldest_expect
void Conntrack::evict_oldest(const Expectation& expectation) {
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

ExpectId Conntrack::newest_expectation(ConnId master) const {
    const Help* help = table_.help(master);
    return help != nullptr ? help->newest : kNoExpectation;
}

// kernel: nf_ct_unlink_expect_report
void Conntrack::unexpect(ExpectId id) {
    const Expectation& expectation = expectations_[id];
    Help* help = table_.help(expectation.master);
    NSR_CHECK(help != nullptr);
    --help->expecting[expectation.of_class];
    ++stats_.expect_delete;
    expectations_.erase(id, help->newest);
}

// kernel: nf_ct_remove_expectations
void Conntrack::unexpect_all(ConnId master) {
    if (table_[master].extra == kNoSide) {
        return;
    }
    for (ExpectId id = newest_expectation(master); id != 0; id = newest_expectation(master)) {
        unexpect(id);
    }
}

void Conntrack::unexpect_flow(const Tuple& tuple, ConnId master) {
    const ExpectId id =
        expectations_.find(tuple, to_jiffies(now_), [&](const Expectation& expectation) {
            return table_[expectation.master].zone == table_[master].zone;
        });
    if (id != 0) {
        unexpect(id);
    }
}

// It is erased when its time is looked at, since somebody may be walking over those that end.
// kernel: nf_ct_kill
bool Conntrack::end_now(const Tuple& tuple, ConnId master) {
    const Jiffies now = to_jiffies(now_);
    const auto hit = table_.find(tuple, table_[master].zone, now);
    if (!hit) {
        return false;
    }
    Connection& record = table_[hit->id];
    record.state.gre = {};
    record.deadline = now;
    table_.deadline_lowered(hit->id, now);
    return true;
}

bool Conntrack::add_gre_keys(ConnId master, const Tuple& original, const Tuple& reply) {
    if (!gre_keys_.add(master, Direction::Original, original)) {
        return false;
    }
    const bool both = gre_keys_.add(master, Direction::Reply, reply);
    if (!both) {
        gre_keys_.remove(master);
    }
    return both;
}

void Conntrack::activate(ExpectId id, std::uint32_t seconds, Instant now) {
    expectations_.activate(id, to_jiffies(now) + seconds_to_jiffies(seconds));
}

void Conntrack::expire_expectations(Jiffies now) {
    std::vector<ExpectId> over;
    expectations_.collect_expired(now, over);
    for (const ExpectId id : over) {
        unexpect(id);
    }
}

}  // namespace nsr::conntrack
