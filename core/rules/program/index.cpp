#include "core/rules/program/index.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "core/rules/program/conditions.hpp"

namespace nsr::rules {

namespace {

using Row = std::uint16_t;

// The nearest shape that holds more, as long as there are too many; in the end the empty one.
Shape coarser(Shape shape) {
    if (shape.source_bits % 8 != 0 || shape.destination_bits % 8 != 0) {
        shape.source_bits = static_cast<std::uint8_t>(shape.source_bits / 8 * 8);
        shape.destination_bits = static_cast<std::uint8_t>(shape.destination_bits / 8 * 8);
    } else if (shape.source_bits != 0 && shape.destination_bits != 0) {
        (shape.source_bits < shape.destination_bits ? shape.source_bits : shape.destination_bits) =
            0;
    } else if (shape.has(Shape::kIn | Shape::kOut)) {
        shape.fields &= static_cast<std::uint8_t>(~(Shape::kIn | Shape::kOut));
    } else if (shape.has(Shape::kSourcePort)) {
        shape.fields &= static_cast<std::uint8_t>(~Shape::kSourcePort);
    } else if (shape.source_bits > 8 || shape.destination_bits > 8) {
        std::uint8_t& bits = shape.source_bits != 0 ? shape.source_bits : shape.destination_bits;
        bits = static_cast<std::uint8_t>(bits - 8);
    } else {
        return {};
    }
    return shape;
}

}  // namespace

class BlockIndex::Builder {
  public:
    explicit Builder(BlockIndex& index) : index_(index) {}

    void build(const Code& code, std::span<const CompiledRule> rules) {
        conditions_.reserve(rules.size());
        for (std::size_t row = 0; row < rules.size(); ++row) {
            const CompiledRule& rule = rules[row];
            conditions_.push_back(conditions_of(
                code, std::span(code.instructions).subspan(rule.first, rule.end - rule.first)));
            place(static_cast<Row>(row));
        }
        while (shapes_.size() > 4 * kMostShapes) {
            coarsen_all();
        }
        while (shapes_.size() > kMostShapes) {
            fold(std::min_element(shapes_.begin(), shapes_.end(), fewer));
        }
        fold_small_ones();
        for (const auto& [shape, rows] : shapes_) {
            add_table(shape, rows);
        }
        add_ranges(index_.ranges_[0], ranged_[0], &Conditions::source_ports);
        add_ranges(index_.ranges_[1], ranged_[1], &Conditions::destination_ports);
        add_sets(index_.sets_[0], by_sets_[0]);
        add_sets(index_.sets_[1], by_sets_[1]);
        std::vector<Row>& always = index_.always_;
        std::sort(always.begin(), always.end());
        always.erase(std::unique(always.begin(), always.end()), always.end());
        index_.helps_ = index_.always_.size() < rules.size() - rules.size() / 4;
    }

  private:
    using Shapes = std::map<Shape, std::vector<Row>>;
    static bool fewer(const Shapes::value_type& a, const Shapes::value_type& b) {
        return a.second.size() < b.second.size();
    }

    // An address or a port says more than a range, a range more than a set, and a set more than a
    // protocol or an interface.
    void place(Row row) {
        const Conditions& rule = conditions_[row];
        const Shape& shape = rule.shape;
        const bool says_much =
            shape.source_bits >= 8 || shape.destination_bits >= 8 || shape.has(Shape::kPorts);
        if (says_much || !place_by_range_or_set(row)) {
            put(shape, {row});
        }
    }
    bool place_by_range_or_set(Row row) {
        const Conditions& rule = conditions_[row];
        if (rule.either_port || !rule.destination_ports.empty()) {
            ranged_[1].push_back(row);
        }
        if (rule.either_port || (rule.destination_ports.empty() && !rule.source_ports.empty())) {
            ranged_[0].push_back(row);
        }
        const bool ranged = !rule.destination_ports.empty() || !rule.source_ports.empty();
        if (!ranged && rule.set) {
            by_sets_[rule.set->of_sources ? 0 : 1].push_back(row);
        }
        return ranged || rule.set;
    }
    // What no shape is left for may still be found by what it would not have been found by first.
    void put(const Shape& shape, const std::vector<Row>& rows) {
        for (const Row row : rows) {
            if (!shape.empty()) {
                shapes_[shape].push_back(row);
            } else if (!place_by_range_or_set(row)) {
                index_.always_.push_back(row);
            }
        }
    }
    void coarsen_all() {
        for (const auto& [shape, rows] : std::exchange(shapes_, {})) {
            put(coarser(shape), rows);
        }
    }
    // Into the shape that says most of those that hold it, or else into a coarser one.
    void fold(Shapes::iterator at) {
        const auto [shape, rows] = *at;
        shapes_.erase(at);
        Shapes::iterator best = shapes_.end();
        for (auto other = shapes_.begin(); other != shapes_.end(); ++other) {
            if (other->first.contains(shape) && says_more(other, best)) {
                best = other;
            }
        }
        put(best != shapes_.end() ? best->first : coarser(shape), rows);
    }
    bool says_more(Shapes::iterator a, Shapes::iterator b) const {
        const auto weight = [](const Shape& shape) {
            return shape.source_bits + shape.destination_bits + 16 * std::popcount(shape.fields);
        };
        return b == shapes_.end() || weight(a->first) > weight(b->first);
    }
    // One look costs as much as two or three rules.
    void fold_small_ones() {
        constexpr std::size_t kWorthALook = 4;
        for (auto at = shapes_.begin(); at != shapes_.end();) {
            if (at->second.size() < kWorthALook) {
                put({}, at->second);
                at = shapes_.erase(at);
            } else {
                ++at;
            }
        }
    }

    void add_table(const Shape& shape, std::vector<Row> rows) {
        std::sort(rows.begin(), rows.end());
        HashTable& table = index_.tables_.emplace_back();
        table.shape = shape;
        table.mask = std::bit_ceil(static_cast<std::uint32_t>(rows.size()) * 4) - 1;
        std::vector<std::pair<std::uint32_t, Row>> placed;
        placed.reserve(rows.size());
        for (const Row row : rows) {
            table.hashes.push_back(hash_of(shape, conditions_[row].fields));
            placed.emplace_back(table.hashes.back() & table.mask, row);
        }
        fill(table.lists, std::size_t{table.mask} + 1, placed);
    }
    // `placed` says the list of each row; rows of one list are in order.
    static void fill(Lists& lists, std::size_t count,
                     const std::vector<std::pair<std::uint32_t, Row>>& placed) {
        lists.starts.assign(count + 1, 0);
        for (const auto& [list, row] : placed) {
            ++lists.starts[list + 1];
        }
        for (std::size_t i = 1; i <= count; ++i) {
            lists.starts[i] += lists.starts[i - 1];
        }
        std::vector<std::uint32_t> next(lists.starts.begin(), lists.starts.end() - 1);
        lists.rows.resize(placed.size());
        for (const auto& [list, row] : placed) {
            lists.rows[next[list]++] = row;
        }
    }

    // Ranges that reach over many others would stand in too many lists.
    void add_ranges(RangeTable& table, std::vector<Row> rows,
                    std::vector<KeyRange> Conditions::*ranges_of) {
        constexpr std::size_t kListsPerRule = 16;
        if (rows.empty()) {
            return;
        }
        std::sort(rows.begin(), rows.end());
        table.borders = {0};
        for (const Row row : rows) {
            for (const KeyRange& range : conditions_[row].*ranges_of) {
                table.borders.push_back(range.low);
                table.borders.push_back(std::uint32_t{range.high} + 1);
            }
        }
        sort_once(table.borders);
        std::vector<std::pair<std::uint32_t, Row>> placed;
        for (const Row row : rows) {
            const std::vector<std::uint32_t> lists = lists_of(table, conditions_[row].*ranges_of);
            if (placed.size() + lists.size() > rows.size() * kListsPerRule) {
                index_.always_.push_back(row);
                continue;
            }
            for (const std::uint32_t list : lists) {
                placed.emplace_back(list, row);
            }
        }
        fill(table.lists, table.borders.size(), placed);
    }
    // Each once, though ranges may overlap.
    static std::vector<std::uint32_t> lists_of(const RangeTable& table,
                                               const std::vector<KeyRange>& ranges) {
        const auto place = [&](std::uint32_t port) {
            return static_cast<std::uint32_t>(
                std::lower_bound(table.borders.begin(), table.borders.end(), port) -
                table.borders.begin());
        };
        std::vector<std::uint32_t> lists;
        for (const KeyRange& range : ranges) {
            const std::uint32_t end = place(std::uint32_t{range.high} + 1);
            for (std::uint32_t list = place(range.low); list != end; ++list) {
                lists.push_back(list);
            }
        }
        sort_once(lists);
        return lists;
    }
    static void sort_once(std::vector<std::uint32_t>& numbers) {
        std::sort(numbers.begin(), numbers.end());
        numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    }

    void add_sets(SetTable& table, std::vector<Row> rows) {
        std::sort(rows.begin(), rows.end());
        for (const Row row : rows) {
            table.names.push_back(conditions_[row].set->name);
        }
        sort_once(table.names);
        std::vector<std::pair<std::uint32_t, Row>> placed;
        for (const Row row : rows) {
            const auto at = std::lower_bound(table.names.begin(), table.names.end(),
                                             conditions_[row].set->name);
            placed.emplace_back(static_cast<std::uint32_t>(at - table.names.begin()), row);
        }
        fill(table.lists, table.names.size(), placed);
    }

    BlockIndex& index_;
    std::vector<Conditions> conditions_;
    Shapes shapes_;
    std::array<std::vector<Row>, 2> ranged_;   // by source ports, by destination ports
    std::array<std::vector<Row>, 2> by_sets_;  // of sources, of destinations
};

BlockIndex::BlockIndex(const Code& code, std::span<const CompiledRule> rules) {
    if (rules.size() > kFewRules) {
        Builder(*this).build(code, rules);
    }
}

std::size_t BlockIndex::find(const PacketKey& key, std::array<Rows, kMostLists>& lists) const {
    std::size_t count = 0;
    const auto add = [&](Rows rows) {
        if (!rows.empty()) {
            lists[count++] = rows;
        }
    };
    add(always_);
    for (const HashTable& table : tables_) {
        if (key.has_ports || !table.shape.has(Shape::kPorts)) {
            add(table.lists[hash_of(table.shape, key.fields) & table.mask]);
        }
    }
    for (std::size_t i = 0; key.has_ports && i < ranges_.size(); ++i) {
        const auto& borders = ranges_[i].borders;
        if (!borders.empty()) {
            const std::uint16_t port =
                i == 0 ? key.fields.source_port : key.fields.destination_port;
            const auto at = std::upper_bound(borders.begin(), borders.end(), port) - 1;
            add(ranges_[i].lists[static_cast<std::size_t>(at - borders.begin())]);
        }
    }
    return count;
}

std::size_t BlockIndex::find_by_sets(const HeldBySets& held,
                                     std::vector<std::uint16_t>& rows) const {
    rows.clear();
    std::size_t looks = 0;
    for (std::size_t i = 0; i < sets_.size(); ++i) {
        if (sets_[i].names.empty()) {
            continue;
        }
        looks += each_held(sets_[i].names, held[i], [&](std::size_t list) {
            const Rows found = sets_[i].lists[list];
            rows.insert(rows.end(), found.begin(), found.end());
        });
    }
    std::sort(rows.begin(), rows.end());
    rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
    return looks + rows.size();
}

}  // namespace nsr::rules
