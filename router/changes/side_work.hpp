// SideWork: what the control port wants to know and what takes long to work out: done by the
// worker, on values, without a turn among the changes of the router.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "router/changes/tasks.hpp"

namespace nsr::router {

class SideWork : public Task {
  public:
    SideWork(std::function<void()> work, std::function<void(const std::string& failure)> done)
        : work_(std::move(work)), done_(std::move(done)) {}

    bool begin() override { return true; }
    // What `work` holds dies in the worker, too.
    void work() override { std::exchange(work_, nullptr)(); }
    Next finish(const std::string& failure) override {
        done_(failure);
        return Next::Over;
    }

  private:
    std::function<void()> work_;
    std::function<void(const std::string& failure)> done_;
};

}  // namespace nsr::router
