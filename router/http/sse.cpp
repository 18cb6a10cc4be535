#include "router/http/sse.hpp"

#include <algorithm>
#include <charconv>

#include "router/http/request.hpp"

namespace nsr::router {
namespace {

constexpr const char* kRetryMilliseconds = "1000";
constexpr std::uint64_t kTellPlaceAfter = 1000;

// {"lost":12,"from":5,"to":16,"reason":"overrun"}; how many were lost may be unknown.
void append_gap(std::string& out, std::uint64_t from, std::uint64_t to, std::string_view reason) {
    const bool known = reason == "overrun";
    std::string data = "{\"lost\":" + (known ? std::to_string(to - from + 1) : "null");
    data += ",\"from\":" + std::to_string(from) + ",\"to\":" + std::to_string(to);
    data.append(",\"reason\":\"").append(reason).append("\"}");
    append_sse(out, to, "gap", data);
}

}  // namespace

void append_sse(std::string& out, std::uint64_t number, std::string_view name,
                std::string_view data) {
    out += "id: " + std::to_string(number) + "\nevent: ";
    out.append(name).append("\ndata: ").append(data).append("\n\n");
}

void Place::follow(const Held& held, std::string& out) {
    if (!begun_) {
        begin(held, out);
    }
    if (next_ < held.first) {
        append_gap(out, next_, held.first - 1, next_ <= held.unwatched ? "unwatched" : "overrun");
        next_ = told_ = held.first;
    }
}

// A number that was not given yet is from another life of the router.
void Place::begin(const Held& held, std::string& out) {
    begun_ = true;
    next_ = last_ ? *last_ + 1 : held.next;
    out.append("retry: ").append(kRetryMilliseconds).append("\n\n");
    if (next_ > held.next) {
        next_ = held.first;
        append_gap(out, 0, next_ - 1, "restarted");
    } else if (!last_) {
        out += "id: " + std::to_string(next_ - 1) + "\n\n";
    }
    told_ = next_;
}

void Place::tell_place(const Held& held, std::string& out) {
    if (next_ - told_ >= std::min(kTellPlaceAfter, (held.next - held.first) / 2 + 1)) {
        out += "id: " + std::to_string(next_ - 1) + "\n\n";
        told_ = next_;
    }
}

Result<std::optional<std::uint64_t>, http::Response> last_event_of(const http::Request& request) {
    const bool in_query = request.query.contains("last_event_id");
    const std::string text = in_query ? value_of(request, "last_event_id") : request.last_event_id;
    if (text.empty() && !in_query) {
        return std::optional<std::uint64_t>();
    }
    constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || stop != end || number > kMost) {
        return http::plain(400, std::string(in_query ? "last_event_id" : "Last-Event-ID") +
                                    " is the number of an event, not \"" + text.substr(0, 60) +
                                    "\"\n");
    }
    return std::optional(number);
}

}  // namespace nsr::router
