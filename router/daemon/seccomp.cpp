#include <linux/if_tun.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <type_traits>

#include "netlink/error.hpp"
#include "router/daemon/confine.hpp"

namespace nsr::router {
namespace {

// A call that is allowed whatever its arguments are.
// clang-format off
constexpr const char* kAlways[] = {
    // packets, timers and the control port: what the event loop does
    "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
    "select", "pselect6", "eventfd2", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    "read", "readv", "write", "writev", "recvfrom", "recvmsg", "recvmmsg", "sendto", "sendmsg",
    "sendmmsg", "accept", "accept4", "shutdown", "getsockopt", "setsockopt", "getsockname",
    "getpeername", "socketpair", "bind", "listen", "connect", "close", "close_range", "fcntl",
    "dup", "dup2", "dup3", "pipe2",
    // ... with a ring that can do no more than read and write, and can be neither made nor changed
    "io_uring_enter",
    // memory and time
    "brk", "munmap", "mremap", "madvise", "futex", "getrandom", "clock_gettime", "clock_getres",
    "gettimeofday", "time", "clock_nanosleep", "nanosleep", "sched_yield",
    // files: a reload, and what an instance keeps in /run
    "open", "openat", "stat", "lstat", "fstat", "newfstatat", "statx", "lseek", "pread64",
    "pwrite64", "getdents64", "readlink", "readlinkat", "access", "faccessat", "faccessat2",
    "unlink", "unlinkat", "rename", "renameat", "renameat2", "ftruncate", "mkdir", "mkdirat",
    "rmdir", "umask", "flock", "fsync", "fdatasync", "getcwd", "fstatfs", "statfs", "chmod",
    "fchmod", "fallocate", "copy_file_range", "sendfile",
    // namespaces: taking away what was mounted on their names
    "umount2",
    // ... and knowing when the process ends that one was found by
    "pidfd_open",
    // a child that looks at a copy of the state, see state_copy.hpp
    "alarm", "setitimer",
    // the process itself
    "exit", "exit_group", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "restart_syscall",
    "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "uname", "sysinfo",
    "prlimit64", "getrlimit", "getrusage", "rseq", "set_robust_list", "sched_getaffinity",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    // the sanitizers' reports, and the thread that looks for leaks at the end
    "sigaltstack", "clone", "clone3", "ptrace", "wait4", "prctl", "arch_prctl", "getppid",
    "execve", "kill", "personality", "process_vm_readv", "mincore", "getdents",
#endif
};
// clang-format on

// One that is allowed with this argument only.
struct Allowed {
    const char* call;
    scmp_arg_cmp argument;
};

constexpr scmp_arg_cmp equal(unsigned argument, scmp_datum_t value) {
    return {argument, SCMP_CMP_EQ, value, 0};
}
constexpr scmp_arg_cmp without(unsigned argument, scmp_datum_t bits) {
    return {argument, SCMP_CMP_MASKED_EQ, bits, 0};
}

const Allowed kWithArgument[] = {
    {"clone", equal(0, CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD)},  // fork(2)
    {"mmap", without(2, PROT_EXEC)},
    {"mprotect", without(2, PROT_EXEC)},
    {"socket", equal(0, AF_UNIX)},
    {"socket", equal(0, AF_INET)},
    {"socket", equal(0, AF_INET6)},
    {"socket", equal(0, AF_NETLINK)},
    {"setns", equal(1, CLONE_NEWNET)},
    {"unshare", equal(0, CLONE_NEWNET)},
    {"mount", equal(3, MS_BIND)},
    {"mount", equal(3, MS_BIND | MS_REC)},
    {"mount", equal(3, MS_SHARED | MS_REC)},
    {"ioctl", equal(1, FIONBIO)},
    {"ioctl", equal(1, FIONREAD)},
    {"ioctl", equal(1, TCGETS)},
    {"ioctl", equal(1, TUNGETFEATURES)},
    {"ioctl", equal(1, TUNGETIFF)},
    {"ioctl", equal(1, TUNSETIFF)},
    {"ioctl", equal(1, TUNSETOFFLOAD)},
    {"ioctl", equal(1, TUNSETVNETHDRSZ)},
    {"ioctl", equal(1, TUNSETPERSIST)},
    {"ioctl", equal(1, TUNSETCARRIER)},
    {"ioctl", equal(1, TUNSETSTEERINGEBPF)},
};

// Names for the handler, which may not call anything that takes memory.
std::array<std::array<char, 32>, 512> names;

void learn_names() {
    for (std::size_t number = 0; number < names.size(); ++number) {
        const std::unique_ptr<char, decltype(&std::free)> name(
            seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number)),
            &std::free);
        std::strncpy(names[number].data(), name ? name.get() : "?", names[number].size() - 1);
    }
}

void say(const char* text) {
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) {
        // Nobody listens; the kernel's audit log has it, too.
    }
}

void refuse_call(int /*signal*/, siginfo_t* info, void* /*context*/) {
    const auto number = static_cast<std::size_t>(info->si_syscall);
    say("nsrouter: the system call ");
    say(number < names.size() ? names[number].data() : "of an unknown number");
    say(" (or its argument) is not one that a running router makes: stopped by seccomp, "
        "see docs/security.md\n");
    std::raise(SIGSYS);  // without a handler by now
}

void check(int result) {
    if (result < 0) {
        throw SystemError("install the seccomp filter", -result);
    }
}

}  // namespace

void filter_system_calls() {
    learn_names();
    struct sigaction action {};
    action.sa_sigaction = refuse_call;
    action.sa_flags = SA_SIGINFO | SA_NODEFER | static_cast<int>(SA_RESETHAND);
    netlink::check_call("handle SIGSYS", ::sigaction(SIGSYS, &action, nullptr));
    const std::unique_ptr<std::remove_pointer_t<scmp_filter_ctx>, decltype(&seccomp_release)>
        filter(seccomp_init(SCMP_ACT_TRAP), &seccomp_release);
    if (!filter) {
        throw SystemError("install the seccomp filter", ENOMEM);
    }
    for (const char* call : kAlways) {
        check(
            seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, seccomp_syscall_resolve_name(call), 0));
    }
    for (const Allowed& allowed : kWithArgument) {
        check(seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW,
                                     seccomp_syscall_resolve_name(allowed.call), 1,
                                     &allowed.argument));
    }
    // abort() and raise() signal the process itself; nobody else.
    const scmp_arg_cmp self = equal(0, static_cast<scmp_datum_t>(::getpid()));
    check(seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &self));
    // The kernel's mitigation for filters of untrusted code would slow down every packet.
    check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_SSB, 1));
    check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_LOG, 1));
    check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2));
    check(seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1));
    check(seccomp_load(filter.get()));
}

}  // namespace nsr::router
