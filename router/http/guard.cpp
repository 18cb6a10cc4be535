#include "router/http/guard.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <set>

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

bool same_name(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char one, char other) { return lower(one) == lower(other); });
}

bool is_loopback_name(std::string_view name) {
    return same_name(name, "localhost") || name == "127.0.0.1" || name == "::1";
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
    const bool is_bearer = authorization.size() > kScheme.size() &&
                           same_name(authorization.substr(0, kScheme.size()), kScheme);
    return is_bearer ? authorization.substr(kScheme.size()) : std::string_view();
}

constexpr std::string_view kHttp = "http://";

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

}  // namespace

Guard::Refusal Guard::check(const Headers& headers) const {
    if (tcp) {
        const std::string_view host = without_port(headers.host);
        const bool reached = !headers.reached.empty() && same_name(host, headers.reached);
        if (!is_loopback_name(host) && !same_name(host, local_address) && !reached) {
            return {403, "this Host is not served here"};
        }
    }
    if (!headers.origin.empty() &&
        !same_name(headers.origin, "http://" + std::string(headers.host))) {
        return {403, "requests of other web sites are refused"};
    }
    return {};
}

Guard::Refusal Guard::identify(std::string_view authorization, Caller& caller) const {
    caller.token_helps = !token.empty();
    if (!authorization.empty() && token.empty()) {
        return {401, "the token is wrong: [control] has none, ask without Authorization"};
    }
    if (!authorization.empty()) {
        caller.owner = same_secret(bearer_of(authorization), token);
        return caller.owner ? Refusal{} : Refusal{401, "the token is wrong"};
    }
    if (caller.uid) {
        return {};
    }
    return token.empty() ? Refusal{403, why_not_known()}
                         : Refusal{401, "the token is missing (Authorization: Bearer TOKEN)"};
}

std::string_view authority_of(std::string_view target) {
    if (!same_name(target.substr(0, kHttp.size()), kHttp)) {
        return {};
    }
    target.remove_prefix(kHttp.size());
    return target.substr(0, target.find_first_of("/?#"));
}

bool parse_target(std::string_view target, Request& request) {
    namespace urls = boost::urls;
    std::string origin_form(target);
    if (const std::string_view authority = authority_of(target); !authority.empty()) {
        origin_form.erase(0, kHttp.size() + authority.size());
        // An empty path there means "/".
        origin_form.insert(0, origin_form.starts_with('/') ? "" : "/");
    }
    const auto url = urls::parse_origin_form(origin_form);
    if (!url || has_nul(request.path = url->path())) {
        return false;
    }
    constexpr bool kSpaceAsPlus = false;
    for (const auto& parameter : url->params(urls::encoding_opts(kSpaceAsPlus))) {
        if (has_nul(parameter.key) || has_nul(parameter.value)) {
            return false;
        }
        if (!parameter.key.empty()) {
            request.query[parameter.key] = parameter.value;
        }
    }
    return true;
}

std::string repeated_parameter(std::string_view target) {
    const auto url = boost::urls::parse_uri_reference(target);
    std::set<std::string> names;
    for (const auto& parameter : url ? url->params() : boost::urls::params_view()) {
        if (!names.insert(parameter.key).second) {
            return parameter.key;
        }
    }
    return {};
}

}  // namespace nsr::router::http
