#include <cstdio>
#include <exception>

#include "router/cli.hpp"

int main(int argc, char** argv) {
    try {
        return nsr::router::run_cli(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nsrouter: %s\n", error.what());
        return nsr::router::kFailure;
    }
}
