// A ruleset as lint looks at it: read once, with what each chain does to the packets in it.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/rules/lint/condition.hpp"
#include "core/rules/lint/surroundings.hpp"

namespace nsr::rules::lint {

struct Line {
    const Rule* rule = nullptr;
    Conditions conditions;

    [[nodiscard]] const SourceLocation& where() const { return rule->where; }
    [[nodiscard]] std::string_view target() const;  // name behind -j or -g; empty: none
    [[nodiscard]] bool accepts() const { return target() == "ACCEPT"; }
    // Every packet of the chain fits.
    [[nodiscard]] bool always() const { return conditions.empty(); }
};

struct ChainView {
    const Chain* chain = nullptr;
    std::deque<Line> lines;
    bool comes_back = true;  // a packet that goes in may come out at the end, or by RETURN
    bool called = false;     // some rule of the table goes there
};

class TableView {
  public:
    TableView(const Table& table, TableId id, Family family);

    [[nodiscard]] TableId id() const { return id_; }
    [[nodiscard]] Family family() const { return family_; }
    [[nodiscard]] const std::deque<ChainView>& chains() const { return chains_; }
    [[nodiscard]] const ChainView* find(std::string_view chain) const;
    // No packet that fits the line goes on behind it in its chain.
    [[nodiscard]] bool ends(const Line& line) const;
    // The lines of this chain and of those that can be reached from it.
    [[nodiscard]] std::vector<const Line*> reached_from(std::string_view chain) const;
    // What its rules let on is dropped at the end of it: by its policy, or by a last rule for all.
    [[nodiscard]] bool drops_the_rest(std::string_view chain) const;

  private:
    void follow_jumps();
    [[nodiscard]] bool may_come_back(const ChainView& view) const;

    TableId id_;
    Family family_;
    std::deque<ChainView> chains_;
    std::unordered_map<std::string_view, std::size_t> places_;
};

class Subject {
  public:
    Subject(const Ruleset& ruleset, const Surroundings& surroundings);

    [[nodiscard]] const std::deque<TableView>& tables() const { return tables_; }  // loaded ones
    [[nodiscard]] const TableView* table(Family family, TableId id) const;
    [[nodiscard]] const Surroundings& surroundings() const { return surroundings_; }

  private:
    const Surroundings& surroundings_;
    std::deque<TableView> tables_;
};

// Collects what the check at work has to say.
class Report {
  public:
    explicit Report(ConfigErrors& warnings) : warnings_(warnings) {}

    void begin(std::string_view check) { check_ = check; }
    void warn(const Line& line, const std::string& message);

  private:
    ConfigErrors& warnings_;
    std::string_view check_;
};

// `line 7 (-s 10.0.0.0/8 -j DROP)`, with its file if that is not the one of `reader`.
std::string words_for(const Line& line, const Line& reader);

}  // namespace nsr::rules::lint
