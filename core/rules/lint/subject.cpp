#include "core/rules/lint/subject.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "core/rules/save.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules::lint {

namespace {

// Chains may lie in each other as deep as there are chains; what is deeper than this counts as
// coming back.
constexpr int kDepth = 32;

// Targets behind which nothing of a chain is seen by the packets that they got.
constexpr std::array<std::string_view, 9> kEnds = {
    "ACCEPT", "DROP", "RETURN", "REJECT", "SNAT", "DNAT", "MASQUERADE", "REDIRECT", "NETMAP"};

Target::Jump jump_of(const Line& line) {
    return line.rule->target == nullptr ? Target::Jump::None : line.rule->target->jump();
}

}  // namespace

std::string_view Line::target() const {
    return rule->target == nullptr ? std::string_view() : std::string_view(rule->target->name());
}

TableView::TableView(const Table& table, TableId id, Family family) : id_(id), family_(family) {
    for (const Chain& chain : table.chains) {
        places_.emplace(chain.name, chains_.size());
        ChainView& view = chains_.emplace_back();
        view.chain = &chain;
        for (const Rule& rule : chain.rules) {
            view.lines.push_back({&rule, conditions_of(rule)});
        }
    }
    follow_jumps();
}

const ChainView* TableView::find(std::string_view chain) const {
    const auto found = places_.find(chain);
    return found == places_.end() ? nullptr : &chains_[found->second];
}

// Every pass knows of chains that lie one deeper.
void TableView::follow_jumps() {
    for (ChainView& view : chains_) {
        for (const Line& line : view.lines) {
            const auto called = places_.find(line.target());
            if (jump_of(line) != Target::Jump::None && called != places_.end()) {
                chains_[called->second].called = true;
            }
        }
    }
    bool changed = true;
    for (int depth = 0; changed && depth < kDepth; ++depth) {
        changed = false;
        for (ChainView& view : chains_) {
            if (view.comes_back && !may_come_back(view)) {
                view.comes_back = false;
                changed = true;
            }
        }
    }
}

bool TableView::may_come_back(const ChainView& view) const {
    for (const Line& line : view.lines) {
        const ChainView* called = find(line.target());
        const bool goes_for_good = jump_of(line) == Target::Jump::Goto;
        // Behind the end of a chain that was gone to, a packet is back where this one was called.
        if (line.target() == "RETURN" ||
            (goes_for_good && (called == nullptr || called->comes_back))) {
            return true;
        }
        if (line.always() && ends(line)) {
            return false;
        }
    }
    return true;
}

bool TableView::ends(const Line& line) const {
    switch (jump_of(line)) {
        case Target::Jump::Goto:
            return true;
        case Target::Jump::Call: {
            const ChainView* called = find(line.target());
            return called != nullptr && !called->comes_back;
        }
        case Target::Jump::None:
            break;
    }
    return std::find(kEnds.begin(), kEnds.end(), line.target()) != kEnds.end();
}

std::vector<const Line*> TableView::reached_from(std::string_view chain) const {
    std::vector<const Line*> lines;
    std::vector<const ChainView*> open = {find(chain)};
    std::set<const ChainView*> seen = {nullptr};
    while (!open.empty()) {
        const ChainView* view = open.back();
        open.pop_back();
        if (!seen.insert(view).second) {
            continue;
        }
        for (const Line& line : view->lines) {
            lines.push_back(&line);
            if (jump_of(line) != Target::Jump::None) {
                open.push_back(find(line.target()));
            }
        }
    }
    return lines;
}

bool TableView::drops_the_rest(std::string_view chain) const {
    const ChainView* view = find(chain);
    if (view == nullptr) {
        return false;
    }
    for (const Line& line : view->lines) {
        if (line.always() && ends(line) && line.target() != "RETURN") {
            return line.target() == "DROP" || line.target() == "REJECT";
        }
    }
    return view->chain->policy == Policy::Drop;
}

Subject::Subject(const Ruleset& ruleset, const Surroundings& surroundings)
    : surroundings_(surroundings) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            const auto id = static_cast<TableId>(i);
            if (ruleset.table(family, id).loaded) {
                tables_.emplace_back(ruleset.table(family, id), id, family);
            }
        }
    }
}

const TableView* Subject::table(Family family, TableId id) const {
    const auto found = std::find_if(tables_.begin(), tables_.end(), [&](const TableView& each) {
        return each.family() == family && each.id() == id;
    });
    return found == tables_.end() ? nullptr : &*found;
}

void Report::warn(const Line& line, const std::string& message) {
    SourceLocation where = line.where();
    where.column = 0;
    warnings_.push_back({where, message + " [" + std::string(check_) + "]"});
}

std::string words_for(const Line& line, const Line& reader) {
    const SourceLocation& where = line.where();
    const std::string file = where.file == reader.where().file ? "" : where.file + ", ";
    const std::string rule = rule_text("", *line.rule);
    return file + "line " + std::to_string(where.line) + (rule.empty() ? "" : " (" + rule + ")");
}

}  // namespace nsr::rules::lint
