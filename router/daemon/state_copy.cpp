#include "router/daemon/state_copy.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <exception>
#include <utility>

#include "netlink/descriptor.hpp"
#include "netlink/error.hpp"

namespace nsr::router {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr rlim_t kProcessorSeconds = 2;
constexpr unsigned kSeconds = 10;
constexpr auto kAskAgain = std::chrono::milliseconds(5);
constexpr int kTries = 2000;
constexpr char kComplete = 0x04;  // the last byte of what a child says

// Ends, whatever the work does: by itself or by the kernel.
void limit_child() {
    const rlimit limit{kProcessorSeconds, kProcessorSeconds};
    ::setrlimit(RLIMIT_CPU, &limit);
    std::signal(SIGALRM, SIG_DFL);
    std::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::alarm(kSeconds);
}

[[noreturn]] void be_child(int pipe, const StateCopies::Work& work) {
    constexpr int kPipe = STDERR_FILENO + 1;
    if (pipe != kPipe) {
        ::dup2(pipe, kPipe);
    }
    ::close_range(kPipe + 1, ~0u, 0);
    limit_child();
    std::string text;
    try {
        text = work();
    } catch (const std::exception&) {
        ::_exit(1);
    }
    text += kComplete;
    for (std::size_t at = 0; at < text.size();) {
        const ssize_t written = ::write(kPipe, text.data() + at, text.size() - at);
        if (written < 0 && errno != EINTR) {
            ::_exit(1);
        }
        at += written > 0 ? static_cast<std::size_t>(written) : 0;
    }
    ::_exit(0);
}

// What one child says.
struct Child {
    Child(asio::io_context& loop, int pipe, StateCopies::Done then)
        : from(loop, pipe), done(std::move(then)) {}

    asio::posix::stream_descriptor from;
    std::string text;
    StateCopies::Done done;
};

}  // namespace

struct StateCopies::Impl : std::enable_shared_from_this<StateCopies::Impl> {
    Impl(asio::io_context& io, Worker& beside) : loop(io), worker(&beside) {}

    void begin(const Work& work, const Done& done, int tries);
    void fork_now(const Work& work, const Done& done);
    void read(const std::shared_ptr<Child>& child);

    asio::io_context& loop;
    Worker* worker;  // null: all is over
    std::size_t children = 0;
};

StateCopies::StateCopies(asio::io_context& loop, Worker& worker)
    : impl_(std::make_shared<Impl>(loop, worker)) {
    std::signal(SIGCHLD, SIG_IGN);
}

StateCopies::~StateCopies() {
    impl_->worker = nullptr;
}

void StateCopies::ask(Work work, Done done) {
    if (impl_->children == kMost) {
        return done("too many explanations at a time: ask again", {});
    }
    ++impl_->children;
    impl_->begin(work, done, kTries);
}

void StateCopies::Impl::begin(const Work& work, const Done& done, int tries) {
    {
        const Worker::Pause pause(*worker, std::try_to_lock);
        if (pause.holds()) {
            return fork_now(work, done);
        }
    }
    if (tries == 0) {
        --children;
        return done("the router is busy with a change of its configuration: ask again", {});
    }
    const auto timer = std::make_shared<asio::steady_timer>(loop, kAskAgain);
    timer->async_wait([self = shared_from_this(), timer, work, done, tries](Error error) {
        if (!error && self->worker != nullptr) {
            self->begin(work, done, tries - 1);
        }
    });
}

void StateCopies::Impl::fork_now(const Work& work, const Done& done) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        --children;
        return done(SystemError("make a pipe", errno).what(), {});
    }
    const pid_t pid = ::fork();
    if (pid == 0) {
        be_child(ends[1], work);
    }
    const int error = errno;
    ::close(ends[1]);
    if (pid < 0) {
        ::close(ends[0]);
        --children;
        return done(SystemError("copy the state", error).what(), {});
    }
    read(std::make_shared<Child>(loop, ends[0], done));
}

void StateCopies::Impl::read(const std::shared_ptr<Child>& child) {
    asio::async_read(child->from, asio::dynamic_buffer(child->text, kMostBytes),
                     [self = shared_from_this(), child](Error, std::size_t) {
                         --self->children;
                         child->from.close();
                         std::string& text = child->text;
                         if (text.empty() || text.back() != kComplete) {
                             return child->done("the explanation took too long, or failed", {});
                         }
                         text.pop_back();
                         child->done({}, std::move(text));
                     });
}

}  // namespace nsr::router
