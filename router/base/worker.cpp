#include "router/base/worker.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "router/base/signals_blocked.hpp"

namespace nsr::router {
namespace {

constexpr int kNice = 10;

}  // namespace

Worker::Worker() {
    {
        const SignalsBlocked blocked;
        thread_ = std::thread([this] { work(); });
    }
    // Once confined, it may not say how nice it is.
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ready_; });
}

Worker::~Worker() {
    end();
    thread_.join();
}

void Worker::run(Job job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_all();
}

void Worker::end() {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    changed_.notify_all();
}

void Worker::work() {
    ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);  // of this thread alone
    std::unique_lock lock(mutex_);
    ready_ = true;
    changed_.notify_all();
    while (true) {
        changed_.wait(lock, [this] { return ends_ || !jobs_.empty(); });
        if (ends_) {
            return;
        }
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        {
            const std::lock_guard busy(at_work_);
            job();
            job = nullptr;
        }
        lock.lock();
    }
}

}  // namespace nsr::router
