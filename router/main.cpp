#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>

#include "router/commands/cli.hpp"

namespace {

// Whatever a command printed, it did not do its work unless all of it arrived.
int finish_output(int exit_code) {
    errno = 0;
    std::cout.flush();
    const bool flushed = std::fflush(stdout) == 0;
    const int error = errno;
    if (flushed && std::ferror(stdout) == 0) {
        return exit_code;
    }
    std::fprintf(stderr, "nsrouter: standard output: %s\n",
                 error != 0 ? std::strerror(error) : "writing failed");
    return exit_code == nsr::router::kSuccess ? nsr::router::kFailure : exit_code;
}

// Whoever started us may have closed standard input, output or error. The next file that is opened
// must not take such a place; reading and writing there go on failing. glibc:
// __libc_check_standard_fds
void keep_standard_descriptors_taken() {
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        int mode = O_RDONLY;
        if (standard == STDIN_FILENO) {
            mode = O_WRONLY;
        }
        if (::fcntl(standard, F_GETFD) < 0 && errno == EBADF) {
            ::open("/dev/null", mode);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    keep_standard_descriptors_taken();
    int exit_code = nsr::router::kFailure;
    try {
        exit_code = nsr::router::run_cli(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nsrouter: %s\n", error.what());
    }
    return finish_output(exit_code);
}
