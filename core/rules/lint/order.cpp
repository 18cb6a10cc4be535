// What the order of rules makes useless: unreachable, shadowed, never-matches.
#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <unordered_map>

#include "core/rules/lint/lint.hpp"
#include "core/rules/lint/rows.hpp"
#include "core/rules/lint/subject.hpp"

namespace nsr::rules::lint {

namespace {

bool one_source(const Line& one, const Line& other) {
    return one.where().line == other.where().line && one.where().file == other.where().file;
}

// It does nothing but count all packets: programs keep their signatures in comments of such rules.
bool is_note(const Line& line) {
    return line.always() && line.rule->target == nullptr;
}

// The first line that ends the chain for every packet; lines.size(): none does.
std::size_t end_of(const TableView& table, const ChainView& view) {
    for (std::size_t i = 0; i < view.lines.size(); ++i) {
        if (view.lines[i].always() && table.ends(view.lines[i])) {
            return i;
        }
    }
    return view.lines.size();
}

// Lines that end the chain for what fits them, found again by what their packets have in common:
// the source, else the destination, else the port they go to.
class Earlier {
  public:
    void add(const Line& line);
    // One that covers `line`; null: none was found.
    [[nodiscard]] const Line* covering(const Line& line) const;

  private:
    using Lines = std::vector<const Line*>;
    struct Key {
        Field field;
        std::uint32_t length;  // of the prefix
        std::string value;
        bool operator==(const Key&) const = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const {
            return std::hash<std::string>()(key.value) * 31 + key.length * 7 +
                   static_cast<std::size_t>(key.field);
        }
    };
    [[nodiscard]] static std::optional<Key> key_of(const Line& line);
    [[nodiscard]] std::vector<Key> keys_for(const Line& line) const;

    std::unordered_map<Key, Lines, Hash> found_by_;
    std::array<std::vector<bool>, 2> lengths_;  // of prefixes that are keys, of each address
    Lines rest_;
};

bool is_port(const Condition& condition) {
    return condition.field == Field::DestinationPort && !condition.inverted &&
           condition.ports.size() == 1 && condition.ports[0].low == condition.ports[0].high;
}

std::optional<Earlier::Key> Earlier::key_of(const Line& line) {
    for (const Field field : {Field::Source, Field::Destination}) {
        const Condition* condition = find(line.conditions, field);
        if (condition == nullptr || condition->inverted) {
            continue;
        }
        if (const auto length = prefix_length(condition->address.mask)) {
            return Key{field, *length, nsr::to_string(condition->address.address)};
        }
    }
    const Condition* port = find(line.conditions, Field::DestinationPort);
    if (port != nullptr && is_port(*port)) {
        return Key{Field::DestinationPort, 0, port->text};
    }
    return std::nullopt;
}

void Earlier::add(const Line& line) {
    const auto key = key_of(line);
    if (!key) {
        rest_.push_back(&line);
        return;
    }
    if (key->field != Field::DestinationPort) {
        auto& lengths = lengths_[key->field == Field::Source ? 0 : 1];
        lengths.resize(std::max<std::size_t>(lengths.size(), key->length + 1));
        lengths[key->length] = true;
    }
    found_by_[*key].push_back(&line);
}

// Whatever a line that covers this one can be found by.
std::vector<Earlier::Key> Earlier::keys_for(const Line& line) const {
    std::vector<Key> keys;
    for (const Field field : {Field::Source, Field::Destination}) {
        const Condition* condition = find(line.conditions, field);
        if (condition == nullptr || condition->inverted) {
            continue;
        }
        const IpAddress& address = condition->address.address;
        const auto length = prefix_length(condition->address.mask);
        const auto& lengths = lengths_[field == Field::Source ? 0 : 1];
        for (std::uint32_t i = 0; length && i < lengths.size() && i <= *length; ++i) {
            if (lengths[i]) {
                keys.push_back({field, i, nsr::to_string(address & mask_of(address.family, i))});
            }
        }
    }
    const Condition* port = find(line.conditions, Field::DestinationPort);
    if (port != nullptr && is_port(*port)) {
        keys.push_back({Field::DestinationPort, 0, port->text});
    }
    return keys;
}

const Line* Earlier::covering(const Line& line) const {
    std::size_t left = kMostCompared;
    const auto first_of = [&](const Lines& lines) -> const Line* {
        for (const Line* earlier : lines) {
            if (left == 0) {
                return nullptr;
            }
            --left;
            if (!one_source(*earlier, line) && covers(earlier->conditions, line.conditions)) {
                return earlier;
            }
        }
        return nullptr;
    };
    for (const Key& key : keys_for(line)) {
        const auto lines = found_by_.find(key);
        const Line* found = lines == found_by_.end() ? nullptr : first_of(lines->second);
        if (found != nullptr) {
            return found;
        }
    }
    return first_of(rest_);
}

void shadowed_in(const TableView& table, const ChainView& view, Report& report) {
    Earlier earlier;
    const std::size_t end = end_of(table, view);
    for (std::size_t i = 0; i < std::min(end + 1, view.lines.size()); ++i) {
        const Line& line = view.lines[i];
        const Line* cover = line.always() ? nullptr : earlier.covering(line);
        if (cover != nullptr) {
            report.warn(line, "matches nothing: " + words_for(*cover, line) + " of chain " +
                                  view.chain->name + " has taken it all");
        } else if (table.ends(line)) {
            earlier.add(line);
        }
    }
}

}  // namespace

void look_for_unreachable(const Subject& subject, Report& report) {
    for (const TableView& table : subject.tables()) {
        for (const ChainView& view : table.chains()) {
            const std::size_t end = end_of(table, view);
            std::size_t next = end + 1;
            while (next < view.lines.size() &&
                   (one_source(view.lines[next], view.lines[end]) || is_note(view.lines[next]))) {
                ++next;
            }
            if (next < view.lines.size()) {
                report.warn(view.lines[next], "is never reached, nor what follows it: " +
                                                  words_for(view.lines[end], view.lines[next]) +
                                                  " ends chain " + view.chain->name +
                                                  " for every packet");
            }
        }
    }
}

void look_for_shadowed(const Subject& subject, Report& report) {
    for (const TableView& table : subject.tables()) {
        for (const ChainView& view : table.chains()) {
            shadowed_in(table, view, report);
        }
    }
}

void look_for_impossible(const Subject& subject, Report& report) {
    for (const TableView& table : subject.tables()) {
        for (const ChainView& view : table.chains()) {
            for (const Line& line : view.lines) {
                if (std::any_of(line.conditions.begin(), line.conditions.end(), is_impossible)) {
                    report.warn(line, "matches nothing: it asks for what no packet has");
                }
            }
        }
    }
}

}  // namespace nsr::rules::lint
