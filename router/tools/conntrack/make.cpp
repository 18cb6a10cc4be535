#include "router/tools/conntrack/make.hpp"

#include "router/tools/conntrack/expect.hpp"
#include "router/tools/conntrack/tuple_args.hpp"

namespace nsr::router {
namespace {

using Answer = ConntrackAnswer;
using conntrack::ExpectId;
using conntrack::Refusal;
using conntrack::Tuple;

Answer failed(const char* why) {
    return {{}, std::string("Operation failed: ") + why, 0};
}

std::optional<nat::Range> range_of(const NatFilter& nat) {
    if (!nat.address) {
        return std::nullopt;
    }
    nat::Range range;
    range.map_addresses = true;
    range.min_address = range.max_address = *nat.address;
    range.map_ports = nat.port.has_value();
    range.min_port = range.max_port = nat.port.value_or(0);
    return range;
}

// The expectation that expects this tuple; 0: there is none. kernel: __nf_ct_expect_find
ExpectId expectation_of(const Tuple& tuple, const conntrack::Conntrack& conntrack, Instant now) {
    const conntrack::Expectations& expectations = conntrack.expectations();
    for (ExpectId id = expectations.next(0); id != 0; id = expectations.next(id)) {
        const conntrack::Expectation& expectation = expectations[id];
        if (jiffies_until(expectation.deadline, to_jiffies(now)) > 0 && fits(expectation, tuple)) {
            return id;
        }
    }
    return 0;
}

}  // namespace

bool set_zone(conntrack::NewConnection& wanted, const ConntrackFilter& filter) {
    const int given =
        (filter.zone ? 1 : 0) + (filter.zone_original ? 1 : 0) + (filter.zone_reply ? 1 : 0);
    wanted.zone =
        filter.zone.value_or(filter.zone_original.value_or(filter.zone_reply.value_or(0)));
    wanted.zone_original = !filter.zone_reply;
    wanted.zone_reply = !filter.zone_original;
    return given <= 1;
}

// What is there already is an entry that -A has not added. kernel: ctnetlink_new_conntrack
Answer make_connection(const ConntrackArgs& args, Router& router, Instant now) {
    const auto tuples = tuples_of(args.filter);
    conntrack::NewConnection wanted;
    if (!tuples || !set_zone(wanted, args.filter)) {
        return failed(refusal_text(Refusal::Invalid, args.command));
    }
    wanted.original = tuples->original;
    wanted.reply = tuples->reply;
    wanted.with = args.change;
    const auto made = router.made_connections().insert(
        wanted, {range_of(args.filter.source_nat), range_of(args.filter.destination_nat)}, now);
    if (made) {
        return {{}, {}, 1};
    }
    if (made.error() == Refusal::Exists && args.command == ConntrackCommand::Add) {
        return {};
    }
    return failed(refusal_text(made.error(), args.command));
}

// kernel: ctnetlink_create_expect
Answer make_expectation(const ConntrackArgs& args, Router& router, Instant now) {
    const conntrack::Conntrack& conntrack = router.conntrack();
    const auto master = conntrack.table().find(whole_tuple(args.filter), Zone{}, to_jiffies(now));
    if (!master) {
        return failed("master conntrack not found");
    }
    ConntrackFilter wanted;
    wanted.family = args.filter.family;
    wanted.protocol = args.filter.protocol;
    wanted.tuples[0] = args.expected;
    const Tuple tuple = whole_tuple(wanted);
    const auto& mask = args.filter.tuples[0].source_mask;
    const bool any_source = mask && mask->is_unspecified();
    const bool any_port = args.expected_mask.source_port.value_or(0) == 0;
    conntrack::Expectation expectation = conntrack::expect(
        master->id, {tuple.protocol, any_source ? IpAddress{} : tuple.source, tuple.destination,
                     any_port ? std::uint16_t{0} : tuple.source_port, tuple.destination_port});
    const auto made = router.made_connections().expect(expectation, now);
    return made ? Answer{{}, {}, 1} : failed(refusal_text(made.error(), args.command));
}

// kernel: ctnetlink_get_expect, ctnetlink_del_expect
Answer one_expectation(const ConntrackArgs& args, Router& router, Instant now) {
    const conntrack::Conntrack& conntrack = router.conntrack();
    const ExpectId id = expectation_of(whole_tuple(args.filter), conntrack, now);
    if (id == 0) {
        return failed("No such file or directory");
    }
    Answer answer;
    answer.entries = 1;
    if (args.command == ConntrackCommand::Delete) {
        router.made_connections().unexpect(id);
    } else {
        append_expectation(answer.text, shown_of(conntrack, conntrack.expectations()[id], now));
        answer.text += '\n';
    }
    return answer;
}

}  // namespace nsr::router
