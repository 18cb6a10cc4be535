#include "router/conntrack_command.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "router/conntrack_text.hpp"

namespace nsr::router {
namespace {

using Answer = ConntrackAnswer;

constexpr std::size_t kLooksPerCall = 20000;

std::vector<ConnId> selected(const ConntrackArgs& args, const conntrack::Conntrack& conntrack,
                             Instant now) {
    std::vector<ConnId> ids;
    const conntrack::Table& table = conntrack.table();
    for (auto id = table.next(std::nullopt); id; id = table.next(id)) {
        if (jiffies_until(table[*id].deadline, to_jiffies(now)) > 0 &&
            selects(args.filter, conntrack, *id)) {
            ids.push_back(*id);
        }
    }
    return ids;
}

std::string text_of(const std::vector<ConnId>& ids, const ConntrackArgs& args,
                    const conntrack::Conntrack& conntrack, Instant now) {
    std::string out;
    for (const ConnId id : ids) {
        append_conntrack_entry(out, conntrack, id, args.output, now);
    }
    return out;
}

void zero_counters(conntrack::Conntrack& conntrack, ConnId id) {
    if (conntrack::Extra* extra = conntrack.table().extra(id)) {
        extra->counters = {};
    }
}

Answer other_table(ConntrackCommand command);
Answer get(const ConntrackArgs& args, Router& router, Instant now);
Answer remove(const ConntrackArgs& args, Router& router, Instant now);
Answer update(const ConntrackArgs& args, Router& router, Instant now);
std::string statistics(const conntrack::Stats& stats);

}  // namespace

bool ConntrackListing::read(Router& router, std::string& out, std::size_t bytes, Instant now) {
    const conntrack::Conntrack& conntrack = router.conntrack();
    const std::size_t enough = out.size() + bytes;
    begin(out);
    std::size_t looks = kLooksPerCall;
    while (out.size() < enough) {
        const auto id = conntrack.table().next(walk_, looks);
        if (!id && !walk_.over) {
            return true;
        }
        if (!id) {
            end(out);
            return false;
        }
        if (jiffies_until(conntrack.table()[*id].deadline, to_jiffies(now)) > 0 &&
            selects(args_.filter, conntrack, *id)) {
            append(router, out, *id, now);
        }
    }
    return true;
}

void ConntrackListing::begin(std::string& out) {
    if (begun_) {
        return;
    }
    begun_ = true;
    if (form_ == Form::Json) {
        out += "[";
    } else if (args_.output.xml) {
        out += "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n";
    }
}

void ConntrackListing::append(Router& router, std::string& out, ConnId id, Instant now) {
    if (form_ == Form::Json) {
        out += first_ ? "\n" : ",\n";
        append_conntrack_json(out, router.conntrack(), id, now);
    } else {
        append_conntrack_entry(out, router.conntrack(), id, args_.output, now);
    }
    first_ = false;
    if (args_.output.zero) {
        zero_counters(router.conntrack(), id);
    }
}

void ConntrackListing::end(std::string& out) const {
    if (form_ == Form::Json) {
        out += "\n]\n";
    } else if (args_.output.xml) {
        out += "</conntrack>\n";
    }
}

Answer run_conntrack(const ConntrackArgs& args, Router& router, Instant now) {
    if (args.table != ConntrackTable::Connections) {
        return other_table(args.command);
    }
    switch (args.command) {
        case ConntrackCommand::List: {
            Answer answer;
            ConntrackListing listing(args);
            while (listing.read(router, answer.text, kLooksPerCall, now)) {
            }
            return answer;
        }
        case ConntrackCommand::Get:
            return get(args, router, now);
        case ConntrackCommand::Delete:
            return remove(args, router, now);
        case ConntrackCommand::Update:
            return update(args, router, now);
        case ConntrackCommand::Flush:  // -f is the only filter it has
            router.conntrack().destroy_if(
                [&](ConnId id) { return selects(args.filter, router.conntrack(), id); }, now);
            return {};
        case ConntrackCommand::Count:
            return {std::to_string(router.conntrack().table().size()) + "\n", {}};
        case ConntrackCommand::Statistics:
            return {statistics(router.conntrack().stats()), {}};
        case ConntrackCommand::Create:
        case ConntrackCommand::Events:
            break;
    }
    return {{}, "this command is not supported: -L -G -D -U -F -C -S are"};
}

namespace {

// No helper makes expectations, and nothing stays dying or unconfirmed between packets.
Answer other_table(ConntrackCommand command) {
    switch (command) {
        case ConntrackCommand::List:
        case ConntrackCommand::Flush:
            return {};
        case ConntrackCommand::Count:
            return {"0\n", {}};
        case ConntrackCommand::Statistics:
            return {"cpu=0   \texpect_new=0 expect_create=0 expect_delete=0 \n", {}};
        default:
            return {{}, "-L, -F, -C and -S work on this table"};
    }
}

Answer get(const ConntrackArgs& args, Router& router, Instant now) {
    std::vector<ConnId> ids = selected(args, router.conntrack(), now);
    if (ids.empty()) {
        return {{}, "Operation failed: such conntrack doesn't exist"};
    }
    ids.erase(ids.begin() + 1, ids.end());
    return {text_of(ids, args, router.conntrack(), now), {}};
}

Answer remove(const ConntrackArgs& args, Router& router, Instant now) {
    const std::vector<ConnId> ids = selected(args, router.conntrack(), now);
    Answer answer{text_of(ids, args, router.conntrack(), now), {}};
    for (const ConnId id : ids) {
        router.conntrack().destroy(id, now);
    }
    return answer;
}

// False if there was nothing to change: such an entry does not count as updated.
bool change_one(const ConntrackChange& change, conntrack::Conntrack& conntrack, ConnId id,
                Instant now) {
    conntrack::Connection& connection = conntrack.table()[id];
    const auto before = std::pair(connection.mark, connection.status);
    if (change.mark) {
        connection.mark = (connection.mark & ~change.mark->mask) ^ change.mark->value;
    }
    connection.status |= change.status_set;
    if (change.timeout) {
        connection.deadline = to_jiffies(now) + seconds_to_jiffies(*change.timeout);
        conntrack.table().deadline_lowered(id, to_jiffies(now));
    }
    return change.timeout || before != std::pair(connection.mark, connection.status);
}

Answer update(const ConntrackArgs& args, Router& router, Instant now) {
    std::vector<ConnId> ids = selected(args, router.conntrack(), now);
    std::erase_if(ids,
                  [&](ConnId id) { return !change_one(args.change, router.conntrack(), id, now); });
    return {text_of(ids, args, router.conntrack(), now), {}};
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
