#include "router/changes/tasks.hpp"

#include <exception>
#include <utility>

namespace nsr::router {

void TaskQueue::add(std::unique_ptr<Task> task) {
    tasks_.push_back(std::move(task));
    if (tasks_.size() == 1) {
        begin_next();
    }
}

void TaskQueue::begin_next() {
    if (tasks_.empty()) {
        return;
    }
    try {
        if (!tasks_.front()->begin()) {
            return post_([this] { begin_next(); });
        }
    } catch (const std::exception& error) {
        post_([this, failure = std::string(error.what())] { finish(failure); });
        return;
    }
    work();
}

void TaskQueue::work() {
    worker_.run([this, task = tasks_.front().get()] {
        std::string failure;
        try {
            task->work();
        } catch (const std::exception& error) {
            failure = error.what();
        }
        post_([this, failure] { finish(failure); });
    });
}

// However it ends, the next one has its turn.
void TaskQueue::finish(const std::string& failure) {
    auto next = Task::Next::Over;
    try {
        next = tasks_.front()->finish(failure);
    } catch (...) {
        tasks_.pop_front();
        begin_next();
        throw;
    }
    if (next == Task::Next::WorkAgain) {
        work();
        return;
    }
    tasks_.pop_front();
    begin_next();
}

}  // namespace nsr::router
