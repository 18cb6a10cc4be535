#include "router/commands/sink.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <utility>

namespace nsr::router {
namespace {

using Step = std::string (Sink::*)();

// All have taken a step before one takes the next.
std::string take(std::initializer_list<Step> steps, Sinks sinks) {
    for (const Step step : steps) {
        for (Sink* sink : sinks) {
            if (std::string bad = (sink->*step)(); !bad.empty()) {
                return bad;
            }
        }
    }
    return {};
}

}  // namespace

Sink::Sink(std::string path, Readers readers) : path_(std::move(path)) {
    if (is_file()) {
        output_.emplace(path_, readers);
        pieces_.emplace(output_->descriptor());
        file_.rdbuf(&*pieces_);
    }
}

std::ostream* Sink::stream() {
    if (path_.empty()) {
        return nullptr;
    }
    return path_ == "-" ? &std::cout : &file_;
}

std::string Sink::unopened() {
    return output_ ? told(output_->error()) : std::string();
}

std::string Sink::unbegun() {
    return output_ ? told(output_->begin()) : std::string();
}

std::string Sink::unwritten() {
    if (!is_file() || file_.flush().good()) {
        return {};
    }
    const int error = pieces_->error();
    return told(error != 0 ? error : EIO);
}

std::string Sink::unfinished() {
    return output_ ? told(output_->finish()) : std::string();
}

std::string Sink::unreplaced() {
    return output_ ? told(output_->replace()) : std::string();
}

std::string Sink::told(int error) const {
    return error == 0 ? std::string() : path_ + ": " + std::strerror(error);
}

std::string begin_all(Sinks sinks) {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is told as one that cannot
    return take({&Sink::unopened, &Sink::unbegun}, sinks);
}

std::string keep_all(Sinks sinks) {
    return take({&Sink::unwritten, &Sink::unfinished, &Sink::unreplaced}, sinks);
}

}  // namespace nsr::router
