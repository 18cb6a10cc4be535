// NamespaceWatch: says that a network namespace may have come or gone.
//
// Theory of operation
//   A name of a namespace is a mount: `ip netns add` makes one, `ip netns del` removes it, and the
//   kernel marks /proc/self/mountinfo for whoever polls it. Which one it was is not said; whoever
//   is called compares inodes. A namespace that was found by a process ends for us with that
//   process: a pidfd becomes readable. kernel: mounts_poll, pidfd_poll
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>

namespace boost::asio {
class io_context;
}

namespace nsr::router {

class NamespaceWatch {
  public:
    // `changed` is called after names have come or gone. Throws SystemError.
    NamespaceWatch(boost::asio::io_context& loop, std::function<void()> changed);
    ~NamespaceWatch();
    NamespaceWatch(const NamespaceWatch&) = delete;
    NamespaceWatch& operator=(const NamespaceWatch&) = delete;

    // `ended` is called once. Throws SystemError (ESRCH: it has ended).
    void follow_process(pid_t process, std::function<void()> ended);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::router
