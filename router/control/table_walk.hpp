// TableWalk: goes over the connection tables of all shards, one after the other, in pieces.
//
// Theory of operation
//   What is done with a table is the caller's. It is done on the loop of the table's shard, by one
//   shard at a time, so that one object can go along from table to table; what it appends comes
//   back to the loop of the first shard, which asks for the next piece when the client has taken
//   this one. Of one shard: nothing but its own table.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/instant.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/tree.hpp"
#include "router/http/http.hpp"

namespace nsr::router {

struct Controls;

class TableWalk {
  public:
    struct Steps {
        // A bounded piece. False: that was the last of this table.
        std::function<bool(Router&, const procfs::Tree&, std::string& out, Instant now)> advance;
        // Before the first piece of each table; `last`: no other one follows.
        std::function<void(bool last)> begin;
    };
    // `controls` must outlive it.
    TableWalk(const Controls& controls, Steps steps);

    http::Piece advance(std::string& out);

  private:
    // Outlives the walk where a shard is still at work on it.
    struct Table {
        Steps steps;
        bool begun = false;
        bool asked = false;
        bool answered = false;
        bool more = true;
        std::string text;
    };

    static bool step(Table& table, Router& router, const procfs::Tree& tree, bool last,
                     std::string& out, Instant now);
    [[nodiscard]] std::size_t others() const;
    void ask();

    const Controls& controls_;
    std::size_t at_ = 0;  // 0: the first shard's
    std::shared_ptr<Table> table_;
};

}  // namespace nsr::router
