#include "router/topology/link_changes.hpp"

#include <algorithm>
#include <optional>

#include "netlink/error.hpp"

namespace nsr::router {
namespace {

using Kind = LinkChange::Kind;

const Part* find(const Plan& plan, const std::string& name) {
    const auto found =
        std::find_if(plan.begin(), plan.end(), [&](const Part& part) { return part.name == name; });
    return found == plan.end() ? nullptr : &*found;
}

const Operation& device_of(const Part& part) {
    return *std::find_if(
        part.operations.begin(), part.operations.end(),
        [](const Operation& operation) { return operation.kind == Operation::Kind::Tun; });
}

Kind kind_of(const Part& before, const Part& after) {
    return device_of(before) == device_of(after) ? Kind::Adjusts : Kind::Moves;
}

std::optional<LinkChange> change_of(const std::string& name, const Part* before, const Part* after,
                                    bool lost) {
    if (before == nullptr || after == nullptr) {
        const Kind kind = before == nullptr ? Kind::Comes : Kind::Goes;
        return LinkChange{kind, name, before == nullptr ? Part{} : *before,
                          after == nullptr ? Part{} : *after};
    }
    if (lost) {
        return LinkChange{Kind::Rejoins, name, *before, *after};
    }
    if (before->operations == after->operations) {
        return std::nullopt;
    }
    return LinkChange{kind_of(*before, *after), name, *before, *after};
}

void carry_out_one(const LinkChange& change, Setup& setup) {
    switch (change.kind) {
        case Kind::Comes:
        case Kind::Moves:
        case Kind::Rejoins:
            setup.apply({part_name(change), change.after.operations});
            break;
        case Kind::Adjusts:
            setup.adjust(change.after);
            break;
        case Kind::Goes:
            break;
    }
}

void take_back_one(const LinkChange& change, Setup& setup) {
    switch (change.kind) {
        case Kind::Comes:
        case Kind::Moves:
        case Kind::Rejoins:
            setup.take_back(part_name(change));
            break;
        case Kind::Adjusts:
            setup.adjust(change.before);
            break;
        case Kind::Goes:
            break;
    }
}

}  // namespace

// Those that go first: names and namespaces that they held are free then, as far as they can be.
std::vector<LinkChange> link_changes(const Config& now, const Config& next,
                                     const std::vector<std::string>& lost) {
    const Plan before = plan_for(now);
    const Plan after = plan_for(next);
    std::vector<LinkChange> changes;
    for (const InterfaceConfig& interface : now.interfaces) {
        if (next.find_interface(interface.name) == nullptr) {
            changes.push_back(
                *change_of(interface.name, find(before, interface.name), nullptr, false));
        }
    }
    for (const InterfaceConfig& interface : next.interfaces) {
        const std::string& name = interface.name;
        const bool is_lost = std::find(lost.begin(), lost.end(), name) != lost.end();
        if (auto change = change_of(name, find(before, name), find(after, name), is_lost)) {
            changes.push_back(std::move(*change));
        }
    }
    const bool host_is_lost = std::find(lost.begin(), lost.end(), kHostInterface) != lost.end();
    if (host_is_lost) {
        changes.push_back(*change_of(kHostInterface, find(before, kHostInterface),
                                     find(after, kHostInterface), true));
    }
    return changes;
}

std::string part_name(const LinkChange& change) {
    return change.kind == Kind::Moves ? change.name + " (new)" : change.name;
}

void carry_out(const std::vector<LinkChange>& changes, Setup& setup) {
    auto at = changes.begin();
    try {
        for (; at != changes.end(); ++at) {
            carry_out_one(*at, setup);
        }
    } catch (...) {
        take_back({changes.begin(), at}, setup);
        throw;
    }
}

void take_back(const std::vector<LinkChange>& changes, Setup& setup) {
    for (auto at = changes.rbegin(); at != changes.rend(); ++at) {
        try {
            take_back_one(*at, setup);
        } catch (const std::exception& error) {
            setup.say_that_it_stays(at->name, error.what());
        }
    }
}

void let_go(const std::vector<LinkChange>& changes, Setup& setup) {
    for (const LinkChange& change : changes) {
        if (change.kind == Kind::Goes || change.kind == Kind::Moves) {
            setup.take_back(change.name);
        }
        if (change.kind == Kind::Moves) {
            setup.rename(part_name(change), change.name);
        }
    }
}

}  // namespace nsr::router
