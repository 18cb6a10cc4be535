#include "core/conntrack/invalid_log.hpp"

namespace nsr::conntrack {

void append_packet(std::string& line, const Packet& packet) {
    line += "IN= OUT= SRC=" + to_proc_string(packet.layout.source) +
            " DST=" + to_proc_string(packet.layout.destination) +
            " LEN=" + std::to_string(packet.layout.total_length) + ' ';
}

}  // namespace nsr::conntrack
