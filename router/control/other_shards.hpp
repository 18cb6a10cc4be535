// OtherShards: what the control port, which is the first shard's, wants of the others.
//
// Theory of operation
//   The first shard is the one that is configured and asked; the others do as it does. Settings,
//   routes and rules are values, and go to them as such. What they have counted is gathered before
//   it is read (core/pipeline/shard_duties.hpp), and their tables are read on their own loops.
//   Everything here is called on the loop of the first shard, and so is whatever is called back.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/result.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/tree.hpp"
#include "router/ports/port.hpp"
#include "router/shards/shard_link.hpp"

namespace nsr::router {

class OtherShards {
  public:
    virtual ~OtherShards() = default;
    // Without the first one.
    [[nodiscard]] virtual std::size_t size() const = 0;

    struct Asked {
        Router& router;
        procfs::Tree& tree;
    };
    // Has `work` done on the loop of one of them, and then calls `done`. `work` must not throw.
    virtual void ask(std::size_t index, std::function<void(const Asked&)> work,
                     std::function<void()> done) = 0;
    // Adds what they have counted since the last time to what the first one has, and calls `done`.
    virtual void gather(std::function<void()> done) = 0;
    // Settings and mode of tracking of the first one, if they have changed; then calls `done`.
    virtual void follow_settings(std::function<void()> done) = 0;
    virtual void follow_network() = 0;

    // As of the last gather(): of the ports of an interface, and of each shard.
    [[nodiscard]] virtual Port::Counters port_counters(IfIndex interface) const = 0;
    struct Report {
        std::size_t connections = 0;
        ShardLink::Counters link;
    };
    // The first one's first.
    [[nodiscard]] virtual std::vector<Report> reports() const = 0;
};

}  // namespace nsr::router
