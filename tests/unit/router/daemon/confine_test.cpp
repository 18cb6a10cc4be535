// A confined process, each in a child of its own: what it may do, and how it ends when it does
// more.
#include "router/daemon/confine.hpp"

#include <doctest/doctest.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "router/base/worker.hpp"

namespace nsr::router {
namespace {

struct Ended {
    int status = 0;
    std::string words;  // on standard error
};

Ended in_child(const std::function<int()>& action) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::_exit(action());
    }
    ::close(ends[1]);
    Ended ended;
    char piece[512];
    for (ssize_t count = 0; (count = ::read(ends[0], piece, sizeof piece)) > 0;) {
        ended.words.append(piece, static_cast<std::size_t>(count));
    }
    ::close(ends[0]);
    ::waitpid(child, &ended.status, 0);
    return ended;
}

std::string line_of_status(const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(name + ":\t")) {
            return line.substr(name.size() + 2);
        }
    }
    return {};
}

}  // namespace

TEST_CASE("confine: what a running router does goes on") {
    const Ended ended = in_child([] {
        filter_system_calls();
        const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
        void* page =
            ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        std::ifstream file("/proc/self/status");
        const bool read = file.good();
        return socket >= 0 && page != MAP_FAILED && read ? 0 : 1;
    });
    CHECK(WIFEXITED(ended.status));
    CHECK(WEXITSTATUS(ended.status) == 0);
    CHECK(ended.words.empty());
}

TEST_CASE("confine: any other call ends the process, by its name") {
    struct Case {
        const char* name;
        std::function<void()> action;
    };
    const pid_t somebody_else = ::getpid();
    const Case cases[] = {
        {"socket", [] { ::socket(AF_PACKET, SOCK_RAW, 0); }},
        {"swapoff", [] { ::syscall(SYS_swapoff, "/nowhere"); }},
        {"bpf", [] { ::syscall(SYS_bpf, 0, nullptr, 0); }},
        {"init_module", [] { ::syscall(SYS_init_module, nullptr, 0, ""); }},
        {"io_uring_setup", [] { ::syscall(SYS_io_uring_setup, 1, nullptr); }},
        {"io_uring_register", [] { ::syscall(SYS_io_uring_register, -1, 0, nullptr, 0); }},
        {"mprotect",
         [] {
             void* page = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
             ::mprotect(page, 4096, PROT_READ | PROT_EXEC);
         }},
        {"unshare", [] { ::syscall(SYS_unshare, 0x10000000); }},  // a user namespace
        {"tgkill", [=] { ::syscall(SYS_tgkill, somebody_else, somebody_else, 0); }},
#if !defined(__SANITIZE_ADDRESS__)
        {"execve", [] { ::execl("/bin/true", "true", nullptr); }},
        {"ptrace", [] { ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
#endif
    };
    for (const Case& one : cases) {
        CAPTURE(std::string(one.name));
        const Ended ended = in_child([&] {
            filter_system_calls();
            one.action();
            return 0;
        });
        CHECK(WIFSIGNALED(ended.status));
        CHECK(WTERMSIG(ended.status) == SIGSYS);
        CHECK(ended.words.find("the system call " + std::string(one.name) + " ") !=
              std::string::npos);
    }
}

TEST_CASE("confine: a thread that was there before is confined, too") {
    const Ended ended = in_child([] {
        Worker worker;
        filter_system_calls();
        worker.run([] { ::syscall(SYS_swapoff, "/nowhere"); });
        std::promise<void> never;  // until the thread ends the process
        never.get_future().wait_for(std::chrono::seconds(10));
        return 0;
    });
    CHECK(WIFSIGNALED(ended.status));
    CHECK(WTERMSIG(ended.status) == SIGSYS);
    CHECK(ended.words.find("the system call swapoff ") != std::string::npos);
}

TEST_CASE("confine: the worker takes and gives back as much memory as it likes") {
    const Ended ended = in_child([] {
        std::promise<std::size_t> done;
        Worker worker;
        filter_system_calls();
        worker.run([&] {
            std::vector<std::string> texts(100000);
            for (std::string& text : texts) {
                text.assign(1000, 'x');
            }
            done.set_value(texts.size());
        });
        return done.get_future().get() == 100000 ? 0 : 1;
    });
    CHECK(WIFEXITED(ended.status));
    CHECK(WEXITSTATUS(ended.status) == 0);
    CHECK(ended.words.empty());
}

TEST_CASE("confine: only what is named of the capabilities is left, for good") {
    const Ended ended = in_child([] {
        const std::array<unsigned, 2> kept = {CAP_NET_ADMIN, CAP_SYS_ADMIN};
        keep_capabilities(kept);
        std::string expected = "0000000000201000";
        if (::geteuid() != 0) {
            expected = "0000000000000000";
        }
        const bool right = line_of_status("CapEff") == expected &&
                           line_of_status("CapPrm") == expected &&
                           line_of_status("CapInh") == "0000000000000000" &&
                           line_of_status("CapAmb") == "0000000000000000";
        return right && ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
    });
    CHECK(WIFEXITED(ended.status));
    CHECK(WEXITSTATUS(ended.status) == 0);
}

}  // namespace nsr::router
