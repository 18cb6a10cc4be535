#include "router/http/request.hpp"

#include <algorithm>
#include <charconv>

namespace nsr::router {

using http::Request;
using http::Response;

namespace {

std::string listed(const std::vector<std::string_view>& words) {
    std::string list;
    for (const std::string_view one : words) {
        list.append(list.empty() ? "" : ", ").append(one);
    }
    return list;
}

}  // namespace

std::string value_of(const Request& request, const std::string& key) {
    const auto found = request.query.find(key);
    return found == request.query.end() ? std::string() : found->second;
}

bool wants_json(const Request& request) {
    return request.accepts_json || request.path.ends_with(".json");
}

std::optional<Response> unknown_parameters(const Request& request,
                                           const std::vector<std::string_view>& known) {
    for (const auto& [name, value] : request.query) {
        if (std::find(known.begin(), known.end(), name) != known.end()) {
            continue;
        }
        const std::string names = listed(known);
        return http::plain(400, "unknown parameter \"" + name.substr(0, 60) + "\"; " +
                                    (names.empty() ? "there is none here" : "known: " + names) +
                                    "\n");
    }
    return std::nullopt;
}

std::optional<Response> not_one_of(const Request& request, const std::string& key,
                                   std::initializer_list<std::string_view> known) {
    const std::string value = value_of(request, key);
    if (!request.query.contains(key) ||
        std::find(known.begin(), known.end(), value) != known.end()) {
        return std::nullopt;
    }
    return http::plain(
        400, key + " is one of " + listed(known) + ", not \"" + value.substr(0, 60) + "\"\n");
}

Result<std::uint64_t, Response> number_in(const Request& request, const std::string& key,
                                          std::uint64_t otherwise, std::uint64_t most) {
    if (!request.query.contains(key)) {
        return otherwise;
    }
    const std::string value = value_of(request, key);
    std::uint64_t number = 0;
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, number);
    if (value.empty() || error != std::errc{} || stop != end || number > most) {
        return http::plain(400, key + " is a number from 0 to " + std::to_string(most) +
                                    ", not \"" + value.substr(0, 60) + "\"\n");
    }
    return number;
}

std::optional<Response> not_allowed(const Request& request, unsigned mode) {
    const Access access = request.method == "GET" ? Access::Read : Access::Write;
    if (may(access, mode, request.caller)) {
        return std::nullopt;
    }
    return http::plain(403,
                       why_not(request.method + " " + request.path, mode, request.caller) + "\n");
}

std::vector<std::string> words_in(const std::string& body) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < body.size();) {
        const std::size_t end = std::min(body.find('\n', at), body.size());
        words.push_back(body.substr(at, end - at));
        at = end + 1;
    }
    return words;
}

}  // namespace nsr::router
