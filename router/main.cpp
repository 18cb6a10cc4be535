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

}  // namespace

int main(int argc, char** argv) {
    int exit_code = nsr::router::kFailure;
    try {
        exit_code = nsr::router::run_cli(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nsrouter: %s\n", error.what());
    }
    return finish_output(exit_code);
}
