// RuleList: the rules of a chain in order, as a value that is cheap to copy and cheap to change.
//
// Theory of operation
//   Rules lie in blocks of at most kMost; a copy shares the blocks, and a change copies the one
//   block that it touches. Blocks are also what is compiled: a block that two rulesets share is
//   compiled once. Beside each rule lies what checks ask of it, so that a walk over all rules reads
//   memory in one row. Where the borders between blocks are means nothing.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <span>
#include <vector>

#include "core/base/cow.hpp"
#include "core/rules/rule.hpp"

namespace nsr::rules {

struct RuleBlock {
    static constexpr std::size_t kMost = 2048;

    struct Row {
        std::shared_ptr<const Rule> rule;
        RuleId id = RuleId::None;
        std::uint8_t hooks = 0;  // where all of its matches and its target may stand
        bool jumps = false;
        bool unconditional = false;
        bool needs_tracking = false;
        bool needs_accounting = false;
        bool names_sets = false;
        bool names_timeout = false;
    };
    static Row row(std::shared_ptr<const Rule> rule);

    std::vector<Row> rows;
};

class RuleList {
  public:
    class Iterator {
      public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = Rule;
        using difference_type = std::ptrdiff_t;
        using pointer = const Rule*;
        using reference = const Rule&;

        Iterator() = default;
        Iterator(const RuleList* list, std::size_t block) : list_(list), block_(block) {}
        reference operator*() const { return *list_->blocks_[block_]->rows[row_].rule; }
        pointer operator->() const { return &**this; }
        Iterator& operator++() {
            if (++row_ == list_->blocks_[block_]->rows.size()) {
                row_ = 0;
                ++block_;
            }
            return *this;
        }
        Iterator operator++(int) {
            Iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const Iterator&, const Iterator&) = default;

      private:
        const RuleList* list_ = nullptr;
        std::size_t block_ = 0;
        std::size_t row_ = 0;
    };

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] Iterator begin() const { return {this, 0}; }
    [[nodiscard]] Iterator end() const { return {this, blocks_.size()}; }
    // Precondition of all that take `at`, a number from 0: there is such a rule; insert() takes
    // size(), too.
    const Rule& operator[](std::size_t at) const { return *row(at).rule; }
    [[nodiscard]] const std::shared_ptr<const Rule>& share(std::size_t at) const {
        return row(at).rule;
    }
    [[nodiscard]] const RuleBlock::Row& row(std::size_t at) const;
    // None of them is empty.
    [[nodiscard]] std::span<const Cow<RuleBlock>> blocks() const { return blocks_; }

    void push_back(Rule rule) { insert(size_, std::move(rule)); }
    void push_back(std::shared_ptr<const Rule> rule) { insert(size_, std::move(rule)); }
    void insert(std::size_t at, Rule rule) {
        insert(at, std::make_shared<const Rule>(std::move(rule)));
    }
    void insert(std::size_t at, std::shared_ptr<const Rule> rule);
    void replace(std::size_t at, Rule rule);
    void erase(std::size_t at);
    void clear() { *this = {}; }

  private:
    struct Position {
        std::size_t block = 0;
        std::size_t row = 0;
    };
    [[nodiscard]] Position find(std::size_t at) const;
    // Two halves in the place of one.
    void split(std::size_t block);
    // Takes in the block behind it if both together are small.
    void merge(std::size_t block);

    std::vector<Cow<RuleBlock>> blocks_;
    std::size_t size_ = 0;
};

}  // namespace nsr::rules
