// What was dropped: by reason alone, and by where it happened.
#include <algorithm>
#include <array>
#include <vector>

#include "core/base/drop_reason.hpp"
#include "core/base/printable.hpp"
#include "core/observe/place_text.hpp"
#include "core/procfs/files.hpp"
#include "core/procfs/text.hpp"

namespace nsr::procfs {

// Every reason, its count and what it means; those that occurred stand out by their counts.
std::string read_drop_reasons(const Context& context, Instant /*now*/) {
    std::string out;
    for (const DropReasonRow& row : kDropReasons) {
        text::append_left(out, row.name, 24);
        text::append(out, context.router.drops().of(row.reason), 12);
        out.append("  ").append(row.explanation).append("\n");
    }
    return out;
}

// Reason, packets, interface, hook and stage, who or why; the largest number first.
std::string read_drops(const Context& context, Instant /*now*/) {
    const pipeline::DropPlaces& places = context.router.drop_places();
    using Row = std::pair<pipeline::DropPlace, std::uint64_t>;
    std::vector<Row> rows(places.rows().begin(), places.rows().end());
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
        const auto key = [](const Row& row) {
            return std::array<std::uint64_t, 5>{
                ~row.second, static_cast<std::uint64_t>(row.first.reason),
                std::uint64_t{raw(row.first.in)}, static_cast<std::uint64_t>(row.first.family),
                std::uint64_t{raw(row.first.rule)}};
        };
        return key(a) < key(b);
    });
    const pipeline::RuleNames::Names names = context.router.blamed_rules();
    std::string out;
    for (const auto& [place, packets] : rows) {
        const auto where = observe::describe(place, context.router.interfaces(), names);
        const std::string whom = observe::by_whom(where, place);
        text::append_left(out, name_of(place.reason), 24);
        text::append(out, packets, 12);
        out += "  ";
        text::append_left(out, where.in, 15);
        text::append_left(out, place.family == Family::Ipv6 ? " ipv6 " : " ipv4 ", 6);
        text::append_left(out, where.stage, 22);
        out += whom.empty() ? std::string(explain(place.reason)) : printable(whom);
        out += "\n";
    }
    if (places.others() != 0) {
        text::append_left(out, "other_places", 24);
        text::append(out, places.others(), 12);
        out += "\n";
    }
    return out;
}

}  // namespace nsr::procfs
