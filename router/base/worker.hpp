// Worker: one thread beside the event loop, for what takes long and needs nobody: parsing,
// checking, compiling, and destroying what is no longer wanted.
//
// Theory of operation
//   Jobs run one at a time, in the order in which they came. A job works on values that nobody else
//   touches meanwhile, or that nobody changes; it never asks the router. What it made reaches the
//   loop through the function that it was given for that. A job that throws is a bug: whoever makes
//   jobs catches what they may throw. The thread is made in the constructor, before a process is
//   confined (threads made later would need more system calls), and gives way to the loop where
//   both want one processor.
//   What it destroys it had best have made, too: the allocator keeps apart what each thread
//   allocates, and many pieces of the loop's own that are freed here the loop has to sort when it
//   allocates next.
//   fork(2): a child has the thread that forks, not this one. Whoever forks to look at a copy of
//   the state does so on the loop while holding a Pause, so that no lock of the allocator and
//   no half-made value is in the copy.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace nsr::router {

class Worker {
  public:
    using Job = std::function<void()>;

    Worker();
    // Waits for the job at work; those that have not begun are destroyed.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    // The job is destroyed by the thread that ran it.
    void run(Job job);
    // Destroys `value` in the thread.
    template <class T>
    void destroy(T value) {
        run([kept = std::make_shared<T>(std::move(value))]() mutable { kept.reset(); });
    }

    // While one lives, no job is at work and none begins.
    class Pause {
      public:
        explicit Pause(Worker& worker) : lock_(worker.at_work_) {}
        // Does not wait: no pause, unless holds(), if a job is at work.
        Pause(Worker& worker, std::try_to_lock_t) : lock_(worker.at_work_, std::try_to_lock) {}
        [[nodiscard]] bool holds() const { return lock_.owns_lock(); }

      private:
        std::unique_lock<std::mutex> lock_;
    };

  private:
    void work();
    void end();

    std::mutex at_work_;  // held while a job runs
    std::mutex mutex_;    // of all below
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    bool ready_ = false;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace nsr::router
