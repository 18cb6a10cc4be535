#include "router/topology/namespace_watch.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <list>
#include <string>
#include <utility>

#include "netlink/error.hpp"

namespace nsr::router {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;
using Error = boost::system::error_code;

struct NamespaceWatch::Impl {
    struct Process {
        Process(asio::io_context& loop, int pidfd, std::function<void()> call)
            : descriptor(loop, pidfd), ended(std::move(call)) {}
        Descriptor descriptor;
        std::function<void()> ended;
    };

    Impl(asio::io_context& io, std::function<void()> call)
        : loop(io), changed(std::move(call)), mounts(io) {}

    void await_mount();
    void await_end(std::list<Process>::iterator process);

    asio::io_context& loop;
    std::function<void()> changed;
    Descriptor mounts;
    std::list<Process> processes;
};

NamespaceWatch::NamespaceWatch(asio::io_context& loop, std::function<void()> changed)
    : impl_(std::make_unique<Impl>(loop, std::move(changed))) {
    constexpr const char* kMounts = "/proc/self/mountinfo";
    impl_->mounts.assign(
        netlink::check_call(std::string("open ") + kMounts, ::open(kMounts, O_RDONLY | O_CLOEXEC)));
    impl_->await_mount();
}

NamespaceWatch::~NamespaceWatch() = default;

void NamespaceWatch::follow_process(pid_t process, std::function<void()> ended) {
    const int pidfd = netlink::check_call("follow process " + std::to_string(process),
                                          static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    auto& processes = impl_->processes;
    impl_->await_end(processes.emplace(processes.end(), impl_->loop, pidfd, std::move(ended)));
}

void NamespaceWatch::Impl::await_mount() {
    mounts.async_wait(Descriptor::wait_error, [this](Error error) {
        if (!error) {
            await_mount();
            changed();
        }
    });
}

void NamespaceWatch::Impl::await_end(std::list<Process>::iterator process) {
    process->descriptor.async_wait(Descriptor::wait_read, [this, process](Error error) {
        if (!error) {
            const std::function<void()> ended = std::move(process->ended);
            processes.erase(process);
            ended();
        }
    });
}

}  // namespace nsr::router
