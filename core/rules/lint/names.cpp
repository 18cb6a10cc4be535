// Names that nothing answers to: no-such-interface, unused-chain, ftp-without-helper.
#include <algorithm>
#include <map>
#include <set>

#include "core/rules/code.hpp"
#include "core/rules/lint/rows.hpp"
#include "core/rules/lint/subject.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules::lint {

namespace {

bool is_used_in(const TableView* table, std::string_view chain) {
    const ChainView* view = table == nullptr ? nullptr : table->find(chain);
    return view != nullptr && view->called;
}

Family other(Family family) {
    return family == Family::Ipv4 ? Family::Ipv6 : Family::Ipv4;
}

// A chain that native rules share may be of use in one family only.
bool is_unused(const Subject& subject, const TableView& table, const ChainView& view) {
    return view.chain->policy == Policy::None && !view.called && !view.lines.empty() &&
           !is_used_in(subject.table(other(table.family()), table.id()), view.chain->name);
}

// "ufw-" of ufw-logging-allow, "zone_" of zone_wan_input; the whole name where nothing is marked
// off.
std::string_view stem_of(std::string_view chain) {
    const std::size_t end = chain.find_first_of("-_");
    return end == std::string_view::npos ? chain : chain.substr(0, end + 1);
}

// Stems of chains that a program has written: programs keep some in stock, and know why.
std::set<std::string_view> stems_of_programs(const TableView& table) {
    constexpr std::size_t kManyInUse = 8;
    std::map<std::string_view, std::size_t> in_use;
    std::set<std::string_view> stems;
    for (const ChainView& view : table.chains()) {
        const std::string_view stem = stem_of(view.chain->name);
        if (view.called && ++in_use[stem] == kManyInUse) {
            stems.insert(stem);
        }
    }
    return stems;
}

bool has_helper(const Subject& subject, Family family, std::string_view helper) {
    const auto& loaded = subject.surroundings().helpers;
    if (std::find(loaded.begin(), loaded.end(), helper) != loaded.end()) {
        return true;
    }
    const TableView* raw = subject.table(family, TableId::Raw);
    const auto asks_for_it = [&](const Line& line) {
        const std::string options = line.target() == "CT" ? line.rule->target->save() : "";
        return options.find("--helper " + std::string(helper)) != std::string::npos;
    };
    return raw != nullptr &&
           std::any_of(raw->chains().begin(), raw->chains().end(), [&](const ChainView& view) {
               return std::any_of(view.lines.begin(), view.lines.end(), asks_for_it);
           });
}

// FTP's control connections among what it accepts, and little else.
bool is_for_ftp(const Line& line) {
    constexpr std::uint16_t kFtp = 21;
    const Condition* protocol = find(line.conditions, Field::Protocol);
    const Condition* port = find(line.conditions, Field::DestinationPort);
    const auto holds = [](const PortRange& range) {
        return range.high <= kFtp && range.contains(kFtp);
    };
    return line.accepts() && protocol != nullptr && protocol->text == "tcp" &&
           !protocol->inverted && port != nullptr && !port->inverted &&
           std::any_of(port->ports.begin(), port->ports.end(), holds);
}

// A data connection may begin by it: TCP, to any port.
bool opens_any_port(const Line& line) {
    const Condition* protocol = find(line.conditions, Field::Protocol);
    const Condition* port = find(line.conditions, Field::DestinationPort);
    const Condition* state = find(line.conditions, Field::State);
    constexpr std::uint16_t kFirstOfClients = 1024;
    const auto is_wide = [](const PortRange& range) {
        return range.high >= kFirstOfClients && range.low != range.high;
    };
    const bool any_port = port == nullptr || port->inverted ||
                          std::any_of(port->ports.begin(), port->ports.end(), is_wide);
    const bool tcp = protocol == nullptr || (protocol->text == "tcp") != protocol->inverted;
    const bool fresh =
        state == nullptr || ((state->states & ctstate::kNew) != 0) != state->inverted;
    return line.accepts() && tcp && any_port && fresh;
}

}  // namespace

void look_for_missing_interfaces(const Subject& subject, Report& report) {
    const auto& there = subject.surroundings().interfaces;
    std::set<std::string> said;
    const auto look = [&](const Line& line) {
        for (const Condition& each : line.conditions) {
            const bool names_one =
                each.field == Field::InInterface || each.field == Field::OutInterface;
            const bool known = std::any_of(
                there.begin(), there.end(),
                [&](const std::string& name) { return interfaces_meet(name, each.text); });
            if (names_one && !known && said.insert(line.where().file + "\n" + each.text).second) {
                report.warn(line, "there is no interface " + in_quotes(each.text) +
                                      did_you_mean(each.text, {there.begin(), there.end()}));
            }
        }
    };
    for (const TableView& table : subject.tables()) {
        for (const ChainView& view : table.chains()) {
            if (!there.empty()) {
                std::for_each(view.lines.begin(), view.lines.end(), look);
            }
        }
    }
}

void look_for_unused_chains(const Subject& subject, Report& report) {
    for (const TableView& table : subject.tables()) {
        const std::set<std::string_view> in_stock = stems_of_programs(table);
        std::vector<const ChainView*> unused;
        for (const ChainView& view : table.chains()) {
            if (is_unused(subject, table, view) && !in_stock.contains(stem_of(view.chain->name))) {
                unused.push_back(&view);
            }
        }
        if (!unused.empty()) {
            const std::size_t others = unused.size() - 1;
            report.warn(unused.front()->lines.front(),
                        "is never reached: no rule of table " + std::string(name_of(table.id())) +
                            " goes to chain " + unused.front()->chain->name +
                            (others == 0 ? "" : ", nor to " + std::to_string(others) + " more"));
        }
    }
}

void look_for_ftp_without_helper(const Subject& subject, Report& report) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        const TableView* table = subject.table(family, TableId::Filter);
        if (table == nullptr || has_helper(subject, family, "ftp")) {
            continue;
        }
        for (const char* chain : {"INPUT", "FORWARD"}) {
            const std::vector<const Line*> lines = table->reached_from(chain);
            const auto ftp = std::find_if(lines.begin(), lines.end(),
                                          [](const Line* line) { return is_for_ftp(*line); });
            const bool open = std::any_of(lines.begin(), lines.end(),
                                          [](const Line* line) { return opens_any_port(*line); });
            if (table->drops_the_rest(chain) && ftp != lines.end() && !open) {
                report.warn(**ftp,
                            "accepts FTP, whose data connections nothing accepts: the helper"
                            " ftp is not there to make them RELATED");
            }
        }
    }
}

}  // namespace nsr::rules::lint
