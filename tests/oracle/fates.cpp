#include "tests/oracle/fates.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace oracle {
namespace {

constexpr unsigned kTcp = 6;
constexpr std::uint8_t kFin = 1;
constexpr std::uint8_t kRst = 4;

std::uint8_t tcp_flags(const RecordedPacket& packet) {
    const std::size_t at = packet.l4_offset.value_or(0) + 13;
    const bool is_tcp = packet.protocol == kTcp && packet.fragment_offset == 0;
    return is_tcp && at < packet.raw.size() ? packet.raw[at] : std::uint8_t{0};
}

// One that IPv4 rations by its receiver, whose later packets are then not answered. kernel:
// ip_error
bool is_rationed(const RecordedPacket& answer) {
    constexpr std::uint8_t kUnreachable = 3;
    constexpr std::array<std::uint8_t, 3> kNoRoute = {0, 1, 13};
    const std::uint8_t* icmp = answer.raw.data() + *answer.l4_offset;
    return answer.version == 4 && answer.is_icmp_error() && icmp[0] == kUnreachable &&
           std::find(kNoRoute.begin(), kNoRoute.end(), icmp[1]) != kNoRoute.end();
}

std::string way_of(const Left& left, const Bytes& arrival) {
    const RecordedPacket packet(left.departure.bytes);
    std::string text = left.departure.interface + " " + to_string(*packet.source) + " " +
                       to_string(*packet.destination);
    const auto ports = packet.ports();
    if (is_answer(left.departure, arrival)) {
        text += " answer";
    } else if (ports) {
        text += " " + std::to_string(load16(packet.raw, ports->first)) + " " +
                std::to_string(load16(packet.raw, ports->second));
    }
    return text + " " + std::to_string(static_cast<unsigned>(left.meta.ct_info)) + " " +
           std::to_string(left.layout.tos) + " " + std::to_string(left.layout.ttl);
}

}  // namespace

std::optional<std::uint32_t> arrival_of(const Departure& departure) {
    return departure.comment.starts_with("in=")
               ? std::optional(static_cast<std::uint32_t>(std::stoul(departure.comment.substr(3))))
               : std::nullopt;
}

bool is_answer(const Departure& departure, const Bytes& arrival) {
    const RecordedPacket left(departure.bytes);
    const RecordedPacket arrived(arrival);
    return left.protocol != arrived.protocol ||
           (tcp_flags(left) & kRst) != (tcp_flags(arrived) & kRst);
}

Fates::Fates(const Run& run, const Frames& arrivals) : run_(run) {
    for (const Left& left : run.left) {
        if (const auto arrival = arrival_of(left.departure)) {
            ways_[*arrival].push_back(way_of(left, arrivals[*arrival].bytes));
            if (is_rationed(RecordedPacket(left.departure.bytes))) {
                rationed_.insert(*arrival);
            }
        }
    }
}

bool Fates::went_along(const nsr::test::KeptFrame& frame) const {
    const auto ways = [this](std::uint32_t arrival) {
        const auto found = ways_.find(arrival);
        return found == ways_.end() ? std::vector<std::string>{} : found->second;
    };
    const bool ends = (tcp_flags(RecordedPacket(frame.bytes)) & kFin) != 0;
    return ways(frame.index) == ways(frame.index - 1) && !rationed_.contains(frame.index) &&
           (ends || !run_.eventful.contains(frame.index));
}

bool rules_count_packets(const Case& one) {
    constexpr std::array<const char*, 9> kWords = {"-m connbytes", "-m hashlimit", "-m length",
                                                   "-m limit",     "-m quota",     "-m recent",
                                                   "-m statistic", "--packets-",   "--bytes-"};
    for (const auto& entry : std::filesystem::directory_iterator(one.folder)) {
        if (!entry.path().filename().string().starts_with("rules")) {
            continue;
        }
        std::ifstream file(entry.path());
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        if (std::any_of(kWords.begin(), kWords.end(),
                        [&](const char* word) { return text.find(word) != std::string::npos; })) {
            return true;
        }
    }
    return false;
}

}  // namespace oracle
