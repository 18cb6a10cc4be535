#include "router/daemon/side_shard.hpp"

#include <utility>

#include "router/base/signals_blocked.hpp"
#include "router/changes/rule_change.hpp"

namespace nsr::router {

// No more wait for the other thread than it could ever catch up with.
void SideShard::Relay::log(Instant now, LogLevel level, std::string_view line) {
    constexpr unsigned kMostWaiting = 1000;
    constexpr std::string_view kSaidByTheFirst = "nf_conntrack version";
    if (silent || line.starts_with(kSaidByTheFirst)) {
        return;
    }
    if (waiting_ >= kMostWaiting) {
        ++lost_;
        return;
    }
    ++waiting_;
    first_.post([this, now, level, text = std::string(line), lost = std::exchange(lost_, 0)] {
        --waiting_;
        if (lost != 0) {
            log_.log(now, LogLevel::Warning,
                     "nsrouter: " + std::to_string(lost) + " lines of a shard were lost");
        }
        log_.log(now, level, text);
    });
}

SideShard::SideShard(const Parts& parts, ShardLinks& links, unsigned index)
    : clock_(parts.clock), uses_ring_(parts.config.ring), relay_(parts.first, parts.log) {
    core_ = make_core(parts.config, parts.memory_limit_bytes, clock_.now(), relay_,
                      links.place_of(index));
    tree_ = std::make_unique<procfs::Tree>(procfs::Context{*core_.router, parts.config.line_format,
                                                           [] { return std::string(); },
                                                           parts.memory_limit_bytes});
    engine_ = std::make_unique<Engine>(*core_.router, clock_, relay_);
    engine_->set_spin(parts.config.spin);
    engine_->set_coalescing(parts.config.coalesce);
    engine_->join(links.of(index));
}

SideShard::~SideShard() {
    stop();
}

void SideShard::start(Worker& worker) {
    worker_ = &worker;
    tasks_ = std::make_unique<TaskQueue>(
        worker, [this](std::function<void()> work) { engine_->post(std::move(work)); });
    core_.memory->work_beside([&worker](Worker::Job job) { worker.run(std::move(job)); });
    {
        const SignalsBlocked blocked;
        thread_ = std::thread([this] { run(); });
    }
    std::unique_lock lock(mutex_);
    begun_.wait(lock, [this] { return at_work_; });
}

// A ring is of the thread that makes it, and once confined nobody may.
void SideShard::run() {
    engine_->ring().make();
    engine_->ring().set(uses_ring_);
    relay_.silent = false;
    {
        const std::lock_guard lock(mutex_);
        at_work_ = true;
    }
    begun_.notify_all();
    engine_->run();
}

void SideShard::stop() {
    if (thread_.joinable()) {
        engine_->stop();
        thread_.join();
    }
    core_.memory->work_beside(nullptr);
    engine_->close_ports();
}

class SideShard::Silence {
  public:
    explicit Silence(Relay& relay) : relay_(relay) { relay_.silent = true; }
    ~Silence() { relay_.silent = false; }
    Silence(const Silence&) = delete;
    Silence& operator=(const Silence&) = delete;

  private:
    Relay& relay_;
};

void SideShard::post(std::function<void()> work) {
    engine_->post([this, work = std::move(work)] {
        const Silence silence(relay_);
        work();
    });
}

void SideShard::change_rules(MakeRules make, RulesChanged done) {
    tasks_->add(
        std::make_unique<RuleChange>(RuleChange::Parts{*core_.router, *engine_, clock_, *worker_},
                                     std::move(make), std::move(done)));
}

}  // namespace nsr::router
