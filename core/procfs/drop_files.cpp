// What was dropped: by reason alone, and by where it happened.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>
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

namespace {

// Reason, packets, interface, hook and stage, who or why; the largest number first. Some at a time:
// to name a rule takes longer than to count it.
class DropsCursor : public Cursor {
  public:
    explicit DropsCursor(const Router& router) : router_(router) {
        const pipeline::DropPlaces& places = router.drop_places();
        rows_.assign(places.rows().begin(), places.rows().end());
        others_ = places.others();
        std::sort(rows_.begin(), rows_.end(),
                  [](const Row& a, const Row& b) { return key(a) > key(b); });
    }

    bool read(std::string& out, std::size_t bytes, Instant /*now*/) override {
        const std::size_t enough = out.size() + bytes;
        for (int i = 0; i < kRowsPerRead && !rows_.empty() && out.size() < enough; ++i) {
            append(out, rows_.back());
            rows_.pop_back();
        }
        if (rows_.empty() && others_ != 0) {
            text::append_left(out, "other_places", 24);
            text::append(out, others_, 12);
            out += "\n";
        }
        return !rows_.empty();
    }

  private:
    static constexpr int kRowsPerRead = 16;
    using Row = std::pair<pipeline::DropPlace, std::uint64_t>;

    static std::array<std::uint64_t, 5> key(const Row& row) {
        return {~row.second, static_cast<std::uint64_t>(row.first.reason),
                std::uint64_t{raw(row.first.in)}, static_cast<std::uint64_t>(row.first.family),
                std::uint64_t{raw(row.first.rule)}};
    }
    void append(std::string& out, const Row& row) const {
        const auto& [place, packets] = row;
        const auto where = observe::describe(place, router_);
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

    const Router& router_;
    std::vector<Row> rows_;  // the next one last
    std::uint64_t others_ = 0;
};

}  // namespace

std::unique_ptr<Cursor> open_drops(const Context& context) {
    return std::make_unique<DropsCursor>(context.router);
}

}  // namespace nsr::procfs
