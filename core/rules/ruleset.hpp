// Ruleset: tables, chains and rules as values, whatever text they came from.
//
// Theory of operation
//   Text becomes a Ruleset (language/), a Ruleset becomes a Program (program/), a Program judges
//   packets. iptables-save text (language/parse.hpp) and native TOML rules (language/native.hpp,
//   one at a time: their keys are iptables' long options) both end here. A Ruleset is checked
//   (language/check.hpp: every name resolved, every match legal in its table and chain), then
//   compiled and swapped in. A rule is a list of Match and one Target, both immutable and shared:
//   a rule that two rulesets hold is the same rule. Tables, chains and blocks of rules are shared
//   until they are changed: a copy costs as little for 50,000 rules as for five, and a change costs
//   what it touches. Read through const, since the other functions make what they hand out one's
//   own. Counters are not here but memory of the program (counters.hpp); rules that stay go on
//   counting, others begin with what the file gives, else zero. Order of tables and of chains is
//   the file's; every rule knows its file and line.
// kernel: struct ipt_replace; iptables-save(8)
#pragma once

#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cow.hpp"
#include "core/rules/rule.hpp"
#include "core/rules/rule_list.hpp"
#include "core/rules/table_id.hpp"
#include "core/rules/tolerance.hpp"
#include "core/wire/address.hpp"

namespace nsr::rules {

enum class Policy : std::uint8_t { None, Accept, Drop };  // None: a user chain
std::string_view name_of(Policy policy);                  // "ACCEPT", "DROP", "-"

struct Chain {
    std::string name;
    Policy policy = Policy::None;
    RuleCounters counters;       // that the policy begins with; see count_from
    std::uint64_t counting = 0;  // as Rule::counting
    RuleList rules;
};

class ChainList {
  public:
    class Iterator {
      public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Chain;
        using difference_type = std::ptrdiff_t;
        using pointer = const Chain*;
        using reference = const Chain&;

        Iterator() = default;
        explicit Iterator(const Cow<Chain>* at) : at_(at) {}
        reference operator*() const { return **at_; }
        pointer operator->() const { return &**at_; }
        Iterator& operator++() {
            ++at_;
            return *this;
        }
        Iterator operator++(int) { return Iterator(at_++); }
        friend bool operator==(const Iterator&, const Iterator&) = default;

      private:
        const Cow<Chain>* at_ = nullptr;
    };

    [[nodiscard]] std::size_t size() const { return chains_.size(); }
    [[nodiscard]] bool empty() const { return chains_.empty(); }
    const Chain& operator[](std::size_t at) const { return *chains_[at]; }
    [[nodiscard]] std::shared_ptr<const Chain> share(std::size_t at) const {
        return chains_[at].share();
    }
    [[nodiscard]] Iterator begin() const { return Iterator(chains_.data()); }
    [[nodiscard]] Iterator end() const { return Iterator(chains_.data() + chains_.size()); }
    // One's own, to be written to; its name changes by Table::rename() only.
    Chain& change(std::size_t at) { return chains_[at].change(); }
    // The very one of another list, which has the same name.
    void share_with(std::size_t at, const ChainList& other, std::size_t its_place) {
        chains_[at] = other.chains_[its_place];
    }

  private:
    friend struct Table;
    std::vector<Cow<Chain>> chains_;
};

struct Table {
    bool loaded = false;
    // Built-in ones first in hook order, then user chains in the file's order.
    ChainList chains;

    // Precondition: no chain has this name.
    Chain& add(std::string name, Policy policy);
    // Precondition: there is such a chain, and none that is called `to`.
    void remove(std::string_view chain);
    void rename(std::string_view chain, std::string to);
    [[nodiscard]] Chain* find(std::string_view chain);
    [[nodiscard]] const Chain* find(std::string_view chain) const;
    // Its number in `chains`.
    static constexpr std::size_t kNone = ~std::size_t{0};
    [[nodiscard]] std::size_t number_of(std::string_view chain) const;

  private:
    using Places = std::map<std::string, std::size_t, std::less<>>;
    Cow<Places> places_;  // in `chains`
};

class Ruleset {
  public:
    [[nodiscard]] Table& table(Family family, TableId id) {
        return tables_[index_of(family)][static_cast<std::size_t>(id)].change();
    }
    [[nodiscard]] const Table& table(Family family, TableId id) const {
        return *tables_[index_of(family)][static_cast<std::size_t>(id)];
    }
    [[nodiscard]] std::shared_ptr<const Table> share(Family family, TableId id) const {
        return tables_[index_of(family)][static_cast<std::size_t>(id)].share();
    }
    // The very one of another ruleset.
    void share_with(Family family, TableId id, const Ruleset& other) {
        const auto table = static_cast<std::size_t>(id);
        tables_[index_of(family)][table] = other.tables_[index_of(family)][table];
    }
    // All tables of a family as if they had never been loaded.
    void clear(Family family) { tables_[index_of(family)] = {}; }

    // Makes `table` loaded with its built-in chains, all ACCEPT, if it is not yet.
    Table& load(Family family, TableId id);

    RuleId next_id = RuleId{1};
    Tolerance tolerance;  // what rules may name though it is not supported

  private:
    std::array<std::array<Cow<Table>, kTableCount>, 2> tables_;  // [0] IPv4, [1] IPv6
    std::uint64_t loads_ = 0;
};

// An id that no rule of `ruleset` ever had.
RuleId take_id(Ruleset& ruleset);

// Appends a parsed rule to `chain` of `ruleset` and gives it its id.
const Rule* add_rule(Ruleset& ruleset, Chain& chain, Rule rule);

}  // namespace nsr::rules
