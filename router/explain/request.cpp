#include "router/explain/request.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/base/words.hpp"
#include "router/base/hex.hpp"

namespace nsr::router {
namespace {

constexpr std::string_view kKnown = "packet, bytes, record, reply, then, if-rule, if-sysctl";
constexpr std::size_t kMostChanges = 64;

// Empty: the line is done.
std::string read_packet(std::string_view text, ExplainRequest& request) {
    auto words = parse_packet_words(text);
    if (!words) {
        return "column " + std::to_string(words.error().column) + " of \"" +
               std::string(text.substr(0, 200)) + "\": " + words.error().message;
    }
    request.packets.emplace_back(std::move(*words));
    return {};
}

std::string read_bytes(std::string_view text, ExplainRequest& request) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) {
        return "bytes takes INTERFACE and a packet in hexadecimal";
    }
    auto bytes = bytes_in(text.substr(blank + 1));
    if (!bytes || bytes->empty() || bytes->size() > kMaxPacketBytes) {
        return "bytes takes INTERFACE and a packet in hexadecimal";
    }
    request.packets.emplace_back(PacketBytes{std::string(text.substr(0, blank)), *bytes});
    return {};
}

std::string read_record(std::string_view text, ExplainRequest& request) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end) {
        return "record takes a number of `nsrouter why`, not \"" + std::string(text.substr(0, 60)) +
               "\"";
    }
    request.packets.emplace_back(PacketOfRecord{number});
    return {};
}

std::string read_line(std::string_view key, std::string_view value, ExplainRequest& request) {
    if (key == "packet" || key == "then") {
        return read_packet(value, request);
    }
    if (key == "bytes") {
        return read_bytes(value, request);
    }
    if (key == "record") {
        return read_record(value, request);
    }
    if (key == "reply" && value.empty()) {
        request.reply = true;
        return {};
    }
    if (key == "if-rule" || key == "if-sysctl") {
        auto& list = key == "if-rule" ? request.rules : request.sysctls;
        list.emplace_back(value);
        return list.size() > kMostChanges ? "too many lines of " + std::string(key) : std::string();
    }
    return "there is no \"" + std::string(key.substr(0, 60)) +
           "\" here; known: " + std::string(kKnown);
}

}  // namespace

Result<ExplainRequest, std::string> parse_explain_request(std::string_view body) {
    ExplainRequest request;
    for (const std::string_view line : split(body, '\n')) {
        if (line.empty()) {
            continue;
        }
        const std::size_t blank = std::min(line.find(' '), line.size());
        const std::string_view value =
            blank < line.size() ? line.substr(blank + 1) : std::string_view();
        if (std::string wrong = read_line(line.substr(0, blank), value, request); !wrong.empty()) {
            return wrong;
        }
        if (request.packets.size() > ExplainRequest::kMostPackets) {
            return std::string("at most 64 packets at a time");
        }
    }
    if (request.packets.empty()) {
        return std::string("there is no packet to explain");
    }
    return request;
}

}  // namespace nsr::router
