// StateCopies: work on a copy of all that a running router has, while the router goes on.
//
// Theory of operation
//   fork(2) makes the copy: pages are shared until somebody writes. The child has the one thread
//   that forks. It closes every descriptor but its end of a pipe, so that it can touch no device
//   and no socket, does the work, writes what came of it into the pipe and ends; nothing of it
//   comes back but that text. A child is held to a second or two of processor time (RLIMIT_CPU) and
//   a few seconds of time (alarm), whatever the work does; the kernel reaps it (SIGCHLD is
//   ignored). The fork waits until the worker thread is idle, see Worker::Pause.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "router/base/worker.hpp"

namespace boost::asio {
class io_context;
}

namespace nsr::router {

class StateCopies {
  public:
    static constexpr std::size_t kMost = 2;                           // children at a time
    static constexpr std::size_t kMostBytes = std::size_t{16} << 20;  // of an answer

    StateCopies(boost::asio::io_context& loop, Worker& worker);
    ~StateCopies();
    StateCopies(const StateCopies&) = delete;
    StateCopies& operator=(const StateCopies&) = delete;

    // Runs in the child; returns what `done` gets.
    using Work = std::function<std::string()>;
    // On the loop. `failure` says why there is no text; empty: there is.
    using Done = std::function<void(const std::string& failure, std::string text)>;
    void ask(Work work, Done done);

  private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace nsr::router
