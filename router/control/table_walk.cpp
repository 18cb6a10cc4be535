#include "router/control/table_walk.hpp"

#include <utility>

#include "router/control/controls.hpp"

namespace nsr::router {

using http::Piece;

TableWalk::TableWalk(const Controls& controls, Steps steps)
    : controls_(controls), table_(std::make_shared<Table>()) {
    table_->steps = std::move(steps);
}

std::size_t TableWalk::others() const {
    return controls_.others == nullptr ? 0 : controls_.others->size();
}

Piece TableWalk::advance(std::string& out) {
    if (at_ == 0) {
        table_->more = step(*table_, controls_.router, controls_.tree, others() == 0, out,
                            controls_.clock.now());
        controls_.engine.deadlines_changed();
    } else if (!table_->asked) {
        ask();
        return Piece::NotYet;
    } else if (!table_->answered) {
        return Piece::NotYet;
    } else {
        out += std::exchange(table_->text, {});
        table_->asked = false;
    }
    if (table_->more) {
        return Piece::More;
    }
    table_->begun = false;
    return ++at_ > others() ? Piece::Last : Piece::More;
}

bool TableWalk::step(Table& table, Router& router, const procfs::Tree& tree, bool last,
                     std::string& out, Instant now) {
    if (!std::exchange(table.begun, true)) {
        table.steps.begin(last);
    }
    return table.steps.advance(router, tree, out, now);
}

void TableWalk::ask() {
    table_->asked = true;
    table_->answered = false;
    const bool last = at_ == others();
    controls_.others->ask(
        at_ - 1,
        [table = table_, last, &clock = controls_.clock](const OtherShards::Asked& shard) {
            table->more = step(*table, shard.router, shard.tree, last, table->text, clock.now());
        },
        [table = table_, wake = controls_.wake] {
            table->answered = true;
            wake();
        });
}

}  // namespace nsr::router
