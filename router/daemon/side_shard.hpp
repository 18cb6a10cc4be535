// SideShard: a shard beside the first one: its core, and its loop in a thread of its own.
//
// Theory of operation
//   It is made whole by the thread of the first shard, which then starts it; from there to its end
//   only its own thread touches its core and its engine. Others post work to it. What its core
//   writes to the log goes to the first shard's.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "core/procfs/tree.hpp"
#include "router/base/worker.hpp"
#include "router/changes/tasks.hpp"
#include "router/control/controls.hpp"
#include "router/daemon/core.hpp"
#include "router/ports/engine.hpp"
#include "router/shards/shard_link.hpp"

namespace nsr::router {

class SideShard {
  public:
    struct Parts {
        const Config& config;
        const SystemClock& clock;
        LogSink& log;   // of the first shard
        Engine& first;  // which is told of lines for the log
        std::uint64_t memory_limit_bytes;
    };
    // Throws SystemError.
    SideShard(const Parts& parts, ShardLinks& links, unsigned index);
    ~SideShard();  // as stop()
    SideShard(const SideShard&) = delete;
    SideShard& operator=(const SideShard&) = delete;

    // Its thread is at work when this returns. `worker` must outlive stop().
    void start(Worker& worker);
    void stop();

    // Has `work` done on its loop, without a line in the log about what everybody does.
    void post(std::function<void()> work);
    // What its core is made of; for its own thread once that is at work.
    [[nodiscard]] Router& router() { return *core_.router; }
    [[nodiscard]] procfs::Tree& tree() { return *tree_; }
    [[nodiscard]] Engine& engine() { return *engine_; }
    // On its loop: as Controls::change_rules.
    void change_rules(MakeRules make, RulesChanged done);

  private:
    // Lines for the log of the first shard, whose own thread writes them.
    class Relay : public LogSink {
      public:
        Relay(Engine& first, LogSink& log) : first_(first), log_(log) {}
        void log(Instant now, LogLevel level, std::string_view line) override;
        bool silent = true;

      private:
        Engine& first_;
        LogSink& log_;
        std::atomic<unsigned> waiting_ = 0;  // for the first shard to write them
        std::uint64_t lost_ = 0;             // since the last one that was not
    };

    class Silence;

    void run();

    const SystemClock& clock_;
    bool uses_ring_;
    Relay relay_;
    Core core_;
    std::unique_ptr<procfs::Tree> tree_;
    std::unique_ptr<Engine> engine_;
    Worker* worker_ = nullptr;
    std::unique_ptr<TaskQueue> tasks_;
    std::mutex mutex_;
    std::condition_variable begun_;
    bool at_work_ = false;
    std::thread thread_;
};

}  // namespace nsr::router
