#include "router/commands/replay_files.hpp"

#include <cerrno>
#include <cstring>
#include <iostream>
#include <utility>

namespace nsr::router {

Sink::Sink(std::string path) : path_(std::move(path)) {
    if (is_file()) {
        output_.emplace(path_);
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

ReplayFiles::ReplayFiles(const ReplayFileNames& names)
    : packets(names.packets),
      connections(names.connections),
      stats(names.stats),
      events(names.events) {
}

std::string ReplayFiles::begin() {
    return take({&Sink::unopened, &Sink::unbegun});
}

std::string ReplayFiles::keep() {
    return take({&Sink::unwritten, &Sink::unfinished, &Sink::unreplaced});
}

// All files have taken a step before one takes the next.
std::string ReplayFiles::take(std::initializer_list<Step> steps) {
    for (const Step step : steps) {
        for (Sink* sink : {&packets, &connections, &stats, &events}) {
            if (std::string bad = (sink->*step)(); !bad.empty()) {
                return bad;
            }
        }
    }
    return {};
}

ReplayFileOutput::ReplayFileOutput(ReplayFiles& files, const std::vector<std::string>& interfaces)
    : connections_(files.connections.stream()), events_(files.events.stream()) {
    if (files.packets.stream() != nullptr) {
        writer_.emplace(*files.packets.stream(), interfaces);
    }
}

void ReplayFileOutput::packet(std::int64_t time_ns, std::uint32_t interface, const Packet& packet,
                              std::string_view comment) {
    if (writer_) {
        writer_->packet(time_ns, interface, packet.bytes(), comment);
    }
}

void ReplayFileOutput::connections(std::string_view text) {
    if (connections_ != nullptr) {
        *connections_ << text;
    }
}

void ReplayFileOutput::event(std::string_view line) {
    if (events_ != nullptr) {
        *events_ << line << '\n';
    }
}

void ReplayFileOutput::trace(std::string_view line) {
    std::cout << line << '\n';
}

}  // namespace nsr::router
