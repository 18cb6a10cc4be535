#include "core/rules/program/index.hpp"

#include <algorithm>
#include <bit>
#include <map>
#include <optional>

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
        std::sort(index_.always_.begin(), index_.always_.end());
        index_.helps_ = index_.always_.size() < rules.size() - rules.size() / 4;
    }

  private:
    using Shapes = std::map<Shape, std::vector<Row>>;
    static bool fewer(const Shapes::value_type& a, const Shapes::value_type& b) {
        return a.second.size() < b.second.size();
    }

    // An address or a port says more than a range, a range more than a protocol or an interface.
    void place(Row row) {
        const Conditions& rule = conditions_[row];
        const Shape& shape = rule.shape;
        const bool says_much =
            shape.source_bits >= 8 || shape.destination_bits >= 8 || shape.has(Shape::kPorts);
        if (!says_much && rule.destination_ports) {
            ranged_[1].push_back(row);
        } else if (!says_much && rule.source_ports) {
            ranged_[0].push_back(row);
        } else {
            put(shape, {row});
        }
    }
    void put(const Shape& shape, const std::vector<Row>& rows) {
        auto& to = shape.empty() ? index_.always_ : shapes_[shape];
        to.insert(to.end(), rows.begin(), rows.end());
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
    void add_ranges(RangeTable& table, const std::vector<Row>& rows,
                    std::optional<KeyRange> Conditions::*range_of) {
        constexpr std::size_t kListsPerRule = 16;
        if (rows.empty()) {
            return;
        }
        table.borders = {0};
        for (const Row row : rows) {
            const KeyRange& range = *(conditions_[row].*range_of);
            table.borders.push_back(range.low);
            table.borders.push_back(std::uint32_t{range.high} + 1);
        }
        std::sort(table.borders.begin(), table.borders.end());
        table.borders.erase(std::unique(table.borders.begin(), table.borders.end()),
                            table.borders.end());
        std::vector<std::pair<std::uint32_t, Row>> placed;
        for (const Row row : rows) {
            const KeyRange& range = *(conditions_[row].*range_of);
            const auto place = [&](std::uint32_t port) {
                return std::lower_bound(table.borders.begin(), table.borders.end(), port) -
                       table.borders.begin();
            };
            const auto first = place(range.low);
            const auto end = place(std::uint32_t{range.high} + 1);
            if (placed.size() + static_cast<std::size_t>(end - first) >
                rows.size() * kListsPerRule) {
                index_.always_.push_back(row);
                continue;
            }
            for (auto list = first; list != end; ++list) {
                placed.emplace_back(static_cast<std::uint32_t>(list), row);
            }
        }
        fill(table.lists, table.borders.size(), placed);
    }

    BlockIndex& index_;
    std::vector<Conditions> conditions_;
    Shapes shapes_;
    std::array<std::vector<Row>, 2> ranged_;  // by source ports, by destination ports
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

}  // namespace nsr::rules
