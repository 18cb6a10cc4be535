// Tasks: changes of the running router that take long, one after the other.
//
// Theory of operation
//   A task begins on the loop, where it takes copies of what it needs, in as many turns as that
//   takes; is worked out by the worker, on those values alone, while packets go on; and ends on the
//   loop, where its result is swapped in between two batches. The next one begins only then: none
//   ever begins from rules that another one is about to replace. A task belongs to the queue, and
//   both its ends, its birth and its death are the loop's: what is heavy in it goes to the worker
//   for destruction.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "router/base/worker.hpp"

namespace nsr::router {

class Task {
  public:
    enum class Next : std::uint8_t { Over, WorkAgain };

    Task() = default;
    virtual ~Task() = default;
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

    // False: it is to be called again, in a later turn.
    virtual bool begin() = 0;
    virtual void work() = 0;
    // `failure`: what work() threw, in words; empty: nothing.
    virtual Next finish(const std::string& failure) = 0;
};

class TaskQueue {
  public:
    // `post` has a function called on the loop; it may be called in any thread.
    using Post = std::function<void(std::function<void()>)>;
    TaskQueue(Worker& worker, Post post) : worker_(worker), post_(std::move(post)) {}
    TaskQueue(const TaskQueue&) = delete;
    TaskQueue& operator=(const TaskQueue&) = delete;

    void add(std::unique_ptr<Task> task);
    [[nodiscard]] std::size_t size() const { return tasks_.size(); }

  private:
    void begin_next();
    void work();
    void finish(const std::string& failure);

    Worker& worker_;
    Post post_;
    std::deque<std::unique_ptr<Task>> tasks_;  // the first one is at work
};

}  // namespace nsr::router
