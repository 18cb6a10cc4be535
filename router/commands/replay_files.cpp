#include "router/commands/replay_files.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <utility>

namespace nsr::router {

Sink::Sink(std::string path) : path_(std::move(path)) {
    if (is_file()) {
        constexpr mode_t kForAll = 0666;  // but for what the umask takes
        descriptor_ = netlink::Descriptor(
            ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kForAll));
        error_ = descriptor_.valid() ? 0 : errno;
        pieces_.emplace(descriptor_.get());
        file_.rdbuf(&*pieces_);
    }
}

std::ostream* Sink::stream() {
    if (path_.empty()) {
        return nullptr;
    }
    return path_ == "-" ? &std::cout : &file_;
}

ReplayFiles::ReplayFiles(const ReplayFileNames& names)
    : packets(names.packets),
      connections(names.connections),
      stats(names.stats),
      events(names.events) {
}

std::string ReplayFiles::unopened() const {
    for (const Sink* sink : {&packets, &connections, &stats, &events}) {
        if (!sink->opened()) {
            return sink->path() + ": " + std::strerror(sink->error());
        }
    }
    return {};
}

std::string ReplayFiles::unwritten() {
    for (Sink* sink : {&packets, &connections, &stats, &events}) {
        if (!sink->flush()) {
            return sink->path();
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
