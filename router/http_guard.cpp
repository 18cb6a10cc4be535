#include "router/http_guard.hpp"

#include <algorithm>

namespace nsr::router::http {
namespace {

// "host:port", "[v6]:port" without the port.
std::string_view without_port(std::string_view host) {
    if (!host.empty() && host.front() == '[') {
        const auto end = host.find(']');
        return end == std::string_view::npos ? host : host.substr(1, end - 1);
    }
    return host.substr(0, host.rfind(':'));
}

bool is_loopback_name(std::string_view name) {
    return name == "localhost" || name == "127.0.0.1" || name == "::1";
}

// In a time that does not tell how much of it was right.
bool same_secret(std::string_view a, std::string_view b) {
    unsigned difference = a.size() == b.size() ? 0 : 1;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference |= static_cast<unsigned char>(a[i]) ^
                      static_cast<unsigned char>(b.empty() ? 0 : b[i % b.size()]);
    }
    return difference == 0;
}

// The name of a scheme may be in any case.
std::string_view bearer_of(std::string_view authorization) {
    constexpr std::string_view kScheme = "bearer ";
    const bool is_bearer =
        authorization.size() > kScheme.size() &&
        std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                   [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b - 'A' + 'a' : b); });
    return is_bearer ? authorization.substr(kScheme.size()) : std::string_view();
}

int digit_of(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

Guard::Refusal Guard::check(const Headers& headers) const {
    if (tcp) {
        const std::string_view host = without_port(headers.host);
        const bool reached = !headers.reached.empty() && host == headers.reached;
        if (!is_loopback_name(host) && host != local_address && !reached) {
            return {403, "this Host is not served here"};
        }
    }
    if (!headers.origin.empty() && headers.origin != "http://" + std::string(headers.host)) {
        return {403, "requests of other web sites are refused"};
    }
    if (!token.empty() && !same_secret(bearer_of(headers.authorization), token)) {
        return {401, "the token is missing or wrong (Authorization: Bearer TOKEN)"};
    }
    return {};
}

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        if (i + 2 >= text.size() || digit_of(text[i + 1]) < 0 || digit_of(text[i + 2]) < 0) {
            return std::nullopt;
        }
        const int value = digit_of(text[i + 1]) * 16 + digit_of(text[i + 2]);
        if (value == 0) {
            return std::nullopt;
        }
        out += static_cast<char>(value);
        i += 2;
    }
    return out;
}

bool parse_target(std::string_view target, Request& request) {
    if (target.empty() || target.front() != '/') {
        return false;
    }
    const auto mark = target.find('?');
    const auto path = percent_decode(target.substr(0, mark));
    if (!path) {
        return false;
    }
    request.path = *path;
    std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        const auto equals = pair.find('=');
        const auto key = percent_decode(pair.substr(0, equals));
        const auto value = percent_decode(
            equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1));
        if (!key || !value) {
            return false;
        }
        if (!key->empty()) {
            request.query[*key] = *value;
        }
    }
    return true;
}

}  // namespace nsr::router::http
