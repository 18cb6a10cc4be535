#include "router/tools/conntrack/tuple_args.hpp"

#include "core/conntrack/tuple_text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::router {
namespace {

using conntrack::Ports;
using conntrack::Tuple;

constexpr int kOriginal = 0;
constexpr int kReply = 1;

bool says_address(const TupleFilter& tuple) {
    return tuple.source || tuple.destination;
}

Tuple tuple_of(const ConntrackFilter& filter, const TupleFilter& given, Family family) {
    const IpAddress none{{}, family};
    Tuple tuple{given.source.value_or(none), given.destination.value_or(none), 0, 0,
                filter.protocol.value_or(0)};
    switch (conntrack::ports_of(tuple.protocol)) {
        case Ports::Ports:
        case Ports::Keys:
            tuple.source_port = given.source_port.value_or(0);
            tuple.destination_port = given.destination_port.value_or(0);
            break;
        case Ports::Icmp:
            tuple.source_port = filter.icmp_id.value_or(0);
            tuple.destination_port = static_cast<std::uint16_t>(filter.icmp_type.value_or(0) << 8 |
                                                                filter.icmp_code.value_or(0));
            break;
        case Ports::None:
            break;
    }
    return tuple;
}

Family family_of(const ConntrackFilter& filter) {
    return filter.family.value_or(Family::Ipv4);
}

// The original's ICMP, answered, or what else the options say of the reply.
std::optional<Tuple> reply_of(const ConntrackFilter& filter, const Tuple& original) {
    const auto answer = conntrack::invert(original);
    if (!answer || !says_address(filter.tuples[kReply])) {
        return answer;
    }
    Tuple reply = tuple_of(filter, filter.tuples[kReply], family_of(filter));
    if (proto::is_icmp(reply.protocol)) {
        reply.source_port = answer->source_port;
        reply.destination_port = answer->destination_port;
    }
    return reply;
}

// A reply whose transport header nobody said anything of is no tuple for the kernel, unless there
// is nothing to say.
bool reply_is_cut(const ConntrackDraft& draft) {
    const ConntrackFilter& filter = draft.args.filter;
    return says_address(filter.tuples[kOriginal]) && says_address(filter.tuples[kReply]) &&
           !draft.reply_protocol && conntrack::ports_of(filter.protocol.value_or(0)) != Ports::None;
}

}  // namespace

Problem complete_tuples(const ConntrackDraft& draft) {
    using Command = ConntrackCommand;
    const ConntrackArgs& args = draft.args;
    const TupleFilter& original = args.filter.tuples[kOriginal];
    const bool expects = args.table == ConntrackTable::Expectations;
    if (original.source_mask && !original.source && !expects) {
        return Problem("Can't use --mask-src without --src");
    }
    if (original.destination_mask && !original.destination && !expects) {
        return Problem("Can't use --mask-dst without --dst");
    }
    const bool makes = args.command == Command::Create || args.command == Command::Add;
    if (makes && !expects && reply_is_cut(draft)) {
        return {"Operation failed: invalid parameters", false};
    }
    return {};
}

Tuple whole_tuple(const ConntrackFilter& filter) {
    const auto& [original, reply] = filter.tuples;
    const bool by_original = original.source && original.destination;
    return tuple_of(filter, by_original ? original : reply, family_of(filter));
}

std::optional<TuplePair> tuples_of(const ConntrackFilter& filter) {
    if (!says_address(filter.tuples[kOriginal])) {
        const Tuple reply = tuple_of(filter, filter.tuples[kReply], family_of(filter));
        const auto original = conntrack::invert(reply);
        return original ? std::optional(TuplePair{*original, reply}) : std::nullopt;
    }
    const Tuple original = tuple_of(filter, filter.tuples[kOriginal], family_of(filter));
    const auto reply = reply_of(filter, original);
    return reply ? std::optional(TuplePair{original, *reply}) : std::nullopt;
}

}  // namespace nsr::router
