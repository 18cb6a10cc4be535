#include "router/commands/replay_files.hpp"

#include <iostream>

namespace nsr::router {

ReplayFiles::ReplayFiles(const ReplayFileNames& names)
    : packets(names.packets),
      connections(names.connections),
      stats(names.stats),
      events(names.events) {
}

std::string ReplayFiles::begin() {
    return begin_all({&packets, &connections, &stats, &events});
}

std::string ReplayFiles::keep() {
    return keep_all({&packets, &connections, &stats, &events});
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
