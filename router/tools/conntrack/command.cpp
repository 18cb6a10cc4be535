#include "router/tools/conntrack/command.hpp"

#include <algorithm>
#include <utility>

#include "core/wire/protocol.hpp"
#include "router/tools/conntrack/entry.hpp"
#include "router/tools/conntrack/expect.hpp"
#include "router/tools/conntrack/make.hpp"
#include "router/tools/conntrack/text.hpp"
#include "router/tools/conntrack/tuple_args.hpp"

namespace nsr::router {
namespace {

using Answer = ConntrackAnswer;

constexpr std::size_t kLooksPerCall = 2000;
constexpr std::size_t kEntriesPerCall = 200;
constexpr const char* kXmlBegin = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n";

// Would the entry look different?
bool differs(const conntrack::Change& change, const conntrack::Connection& connection,
             const conntrack::Extra* extra) {
    const auto state = [&] {
        return connection.protocol == proto::kTcp ? connection.state.tcp.state
                                                  : connection.state.sctp.state;
    };
    const auto labels_differ = [&] {
        const conntrack::LabelChange::Bits none{};
        const auto& labels = extra == nullptr ? none : extra->labels;
        for (std::size_t word = 0; word < labels.size(); ++word) {
            const std::uint32_t after =
                (labels[word] & ~change.labels->clear[word]) | change.labels->set[word];
            if (after != labels[word]) {
                return true;
            }
        }
        return false;
    };
    return change.timeout_seconds || (connection.status | change.status) != connection.status ||
           (change.mark &&
            ((connection.mark & ~change.mark->mask) ^ change.mark->value) != connection.mark) ||
           (change.protocol.state && !conntrack::state_name(connection).empty() &&
            *change.protocol.state != state()) ||
           (change.labels && labels_differ());
}

RulesOf rules_of(const RulePlaces& places, const conntrack::Connection& connection) {
    const auto place = [&](RuleId rule) {
        const auto found = places.find(raw(rule));
        return found == places.end() ? std::string() : found->second;
    };
    return {place(connection.accepted_by), place(connection.translated_by)};
}

// For one connection: without the places of all rules.
RulesOf rules_of(const Router& router, ConnId id) {
    const auto place = [&](RuleId rule) {
        const rules::Rule* found = rule == RuleId::None ? nullptr : router.find_rule(rule);
        return found == nullptr ? std::string() : to_string(found->where);
    };
    const conntrack::Connection& connection = router.conntrack().table()[id];
    return {place(connection.accepted_by), place(connection.translated_by)};
}

Answer go_through(const ConntrackArgs& args, Router& router, Instant now);
Answer expectations(const ConntrackArgs& args, Router& router, Instant now);
Answer other_table(ConntrackCommand command);
Answer get(const ConntrackArgs& args, Router& router, Instant now);
std::string statistics(const conntrack::Stats& stats);

}  // namespace

RulePlaces places_of(const rules::Ruleset& ruleset) {
    RulePlaces places;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t id = 0; id < rules::kTableCount; ++id) {
            const rules::Table& table = ruleset.table(family, static_cast<rules::TableId>(id));
            for (const rules::Chain& chain : table.chains) {
                for (const rules::Rule& rule : chain.rules) {
                    places.emplace(raw(rule.id), to_string(rule.where));
                }
            }
        }
    }
    return places;
}

bool ConntrackPass::takes(const ConntrackArgs& args) {
    const ConntrackCommand command = args.command;
    return args.table == ConntrackTable::Connections &&
           (command == ConntrackCommand::List || command == ConntrackCommand::Delete ||
            command == ConntrackCommand::Update || command == ConntrackCommand::Flush);
}

bool ConntrackPass::advance(Router& router, std::string& out, std::size_t bytes, Instant now) {
    const std::size_t enough = out.size() + bytes;
    const std::size_t enough_entries = std::min(entries_ + kEntriesPerCall, page_.most);
    begin(out);
    std::size_t looks = kLooksPerCall;
    while (out.size() < enough && entries_ < enough_entries) {
        const auto id = router.conntrack().table().next(cursor_, looks);
        if (!id && !cursor_.over) {
            return true;
        }
        if (!id) {
            end(out);
            return false;
        }
        if (wanted(router, *id, now)) {
            visit(router, out, *id, now);
        }
    }
    if (entries_ == page_.most) {
        end(out);
        return false;
    }
    return true;
}

void ConntrackPass::begin(std::string& out) {
    if (!std::exchange(begun_, true) && form_ == Form::Json) {
        out += "[";
    }
}

// The frame of XML, if it has something in it.
bool ConntrackPass::frames_xml() const {
    return form_ == Form::AsAsked && args_.output.xml && args_.command == ConntrackCommand::List;
}

// -F takes those that are over, too.
bool ConntrackPass::wanted(const Router& router, ConnId id, Instant now) const {
    const conntrack::Conntrack& conntrack = router.conntrack();
    const bool lives = jiffies_until(conntrack.table()[id].deadline, to_jiffies(now)) > 0;
    return (lives || args_.command == ConntrackCommand::Flush) &&
           selects(args_.filter, entry_of(conntrack, id, now));
}

void ConntrackPass::visit(Router& router, std::string& out, ConnId id, Instant now) {
    if (args_.command == ConntrackCommand::Update && !change(router, id, now)) {
        return;
    }
    append(router, out, id, now);
    ++entries_;
    if (dry_run_) {
        return;
    }
    if (args_.command == ConntrackCommand::Delete || args_.command == ConntrackCommand::Flush) {
        router.destroy_connection(id, now);
    } else if (args_.output.zero) {
        router.zero_counters(id);
    }
}

// False if there was nothing to change: such an entry does not count as updated. One that could not
// be changed does, as with the tool.
bool ConntrackPass::change(Router& router, ConnId id, Instant now) {
    const conntrack::Table& table = router.conntrack().table();
    if (!differs(args_.change, table[id], table.extra(id))) {
        return false;
    }
    if (const auto done = router.made_connections().update(id, args_.change, now); !done) {
        const bool busy = done.error() == conntrack::Refusal::Busy;
        ++(busy ? refusals_.busy : refusals_.not_permitted);
    }
    return true;
}

void ConntrackPass::append(Router& router, std::string& out, ConnId id, Instant now) {
    if (form_ == Form::Json) {
        out += entries_ == 0 ? "\n" : ",\n";
        append_conntrack_json(out, router.conntrack(), id, rules_of(router, id), now);
    } else if (form_ == Form::AsAsked && args_.command != ConntrackCommand::Flush) {
        out += frames_xml() && entries_ == 0 ? kXmlBegin : "";
        append_conntrack_entry(out, router.conntrack(), id, rules_of(router, id), args_.output, now,
                               args_.command);
    }
}

RulesOf ConntrackPass::rules_of(const Router& router, ConnId id) {
    if (!names_rules()) {
        return {};
    }
    if (places_ == nullptr) {
        places_ = std::make_shared<RulePlaces>(places_of(router.ruleset()));
    }
    return router::rules_of(*places_, router.conntrack().table()[id]);
}

void ConntrackPass::end(std::string& out) const {
    if (!last_table_) {
        return;
    }
    if (form_ == Form::Json) {
        out += "\n]\n";
    } else if (frames_xml() && entries_ != 0) {
        out += "</conntrack>\n";
    }
}

const char* needs_one_shard(ConntrackCommand command) {
    switch (command) {
        case ConntrackCommand::Get:
        case ConntrackCommand::Create:
        case ConntrackCommand::Add:
            return "making or asking for one connection";
        case ConntrackCommand::Events:
            return "following events of connections";
        default:
            return nullptr;
    }
}

Answer run_conntrack(const ConntrackArgs& args, Router& router, Instant now) {
    if (ConntrackPass::takes(args)) {
        return go_through(args, router, now);
    }
    if (args.table == ConntrackTable::Expectations) {
        return expectations(args, router, now);
    }
    if (args.table != ConntrackTable::Connections) {
        return other_table(args.command);
    }
    switch (args.command) {
        case ConntrackCommand::Get:
            return get(args, router, now);
        case ConntrackCommand::Create:
        case ConntrackCommand::Add:
            return make_connection(args, router, now);
        case ConntrackCommand::Count:
            return {std::to_string(router.connections()) + "\n", {}, 0};
        case ConntrackCommand::Statistics:
            return {statistics(router.conntrack().stats()), {}, 0};
        default:
            return {{}, "this command is of the command line: nsrouter conntrack", 0};
    }
}

namespace {

Answer go_through(const ConntrackArgs& args, Router& router, Instant now) {
    Answer answer;
    ConntrackPass pass(args);
    while (pass.advance(router, answer.text, kLooksPerCall, now)) {
    }
    answer.entries = pass.entries();
    return answer;
}

Answer list(const ConntrackArgs& args, const Router& router, Instant now) {
    Answer answer;
    answer.entries = append_expectations(answer.text, args, router.conntrack(), now);
    return answer;
}

// kernel: ctnetlink_dump_exp_ct, ctnetlink_del_expect, ctnetlink_stat_exp_cpu
Answer expectations(const ConntrackArgs& args, Router& router, Instant now) {
    const conntrack::Stats& stats = router.conntrack().stats();
    switch (args.command) {
        case ConntrackCommand::List:
            return list(args, router, now);
        case ConntrackCommand::Flush:
            router.flush_expectations(now);
            return {};
        case ConntrackCommand::Count:
            return {std::to_string(count_expectations(router.conntrack(), now)) + "\n", {}, 0};
        case ConntrackCommand::Statistics:
            return {"cpu=0   \texpect_new=" + number(stats.expect_new) +
                        " expect_create=" + number(stats.expect_create) +
                        " expect_delete=" + number(stats.expect_delete) + " \n",
                    {},
                    0};
        case ConntrackCommand::Create:
            return make_expectation(args, router, now);
        case ConntrackCommand::Delete:
        case ConntrackCommand::Get:
            return one_expectation(args, router, now);
        default:
            return {{}, "this command is of the command line: nsrouter conntrack", 0};
    }
}

// Nothing stays dying or unconfirmed between packets.
Answer other_table(ConntrackCommand command) {
    return command == ConntrackCommand::List ? Answer{}
                                             : Answer{{}, "only -L works on this table", 0};
}

// An entry that has the tuple in its reply is found, and not what was asked for.
// kernel: ctnetlink_get_conntrack
Answer get(const ConntrackArgs& args, Router& router, Instant now) {
    const conntrack::Conntrack& conntrack = router.conntrack();
    const auto hit = conntrack.table().find(whole_tuple(args.filter), Zone{}, to_jiffies(now));
    if (!hit) {
        return {{}, "Operation failed: such conntrack doesn't exist", 0};
    }
    Answer answer;
    if (selects(args.filter, entry_of(conntrack, hit->id, now))) {
        answer.entries = 1;
        answer.text = args.output.xml ? kXmlBegin : "";
        append_conntrack_entry(answer.text, conntrack, hit->id,
                               args.output.rules ? rules_of(router, hit->id) : RulesOf{},
                               args.output, now, args.command);
    }
    return answer;
}

std::string statistics(const conntrack::Stats& stats) {
    const auto field = [](const char* name, std::uint64_t value) {
        return std::string(name) + "=" + std::to_string(value) + " ";
    };
    return "cpu=0   \t" + field("found", stats.found) + field("invalid", stats.invalid) +
           field("insert", stats.insert) + field("insert_failed", stats.insert_failed) +
           field("drop", stats.drop) + field("early_drop", stats.early_drop) +
           field("error", stats.icmp_error) + field("search_restart", stats.search_restart) +
           field("clash_resolve", stats.clashres) + field("chaintoolong", stats.chaintoolong) +
           "\n";
}

}  // namespace

}  // namespace nsr::router
