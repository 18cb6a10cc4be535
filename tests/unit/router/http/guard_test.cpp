#include "router/http/guard.hpp"

#include <doctest/doctest.h>

#include <utility>

using nsr::router::Caller;
using nsr::router::http::authority_of;
using nsr::router::http::Guard;
using nsr::router::http::parse_target;
using nsr::router::http::repeated_parameter;
using nsr::router::http::Request;

TEST_CASE("control port: a browser's page on another site cannot drive the router") {
    const Guard tcp{true, "127.0.0.1", {}};
    CHECK(tcp.check({"127.0.0.1:9080", ""}).status == 0);
    CHECK(tcp.check({"localhost:9080", ""}).status == 0);
    CHECK(tcp.check({"[::1]:9080", ""}).status == 0);
    CHECK(tcp.check({"LOCALHOST:9080", ""}).status == 0);
    CHECK(tcp.check({"LocalHost", "http://localhost"}).status == 0);
    CHECK(tcp.check({"127.0.0.1:9080", "http://127.0.0.1:9080"}).status == 0);
    CHECK(tcp.check({"127.0.0.1:9080", "http://evil.example"}).status == 403);
    CHECK(tcp.check({"127.0.0.1:9080", "null"}).status == 403);
    // A name that an attacker's DNS points at 127.0.0.1.
    CHECK(tcp.check({"evil.example:9080", ""}).status == 403);
    CHECK(tcp.check({"", "", ""}).status == 403);
}

TEST_CASE("control port: no web page reaches a unix socket by a name") {
    const Guard local{};
    CHECK(local.check({"anything", ""}).status == 0);
    CHECK(local.check({"localhost", "http://evil.example"}).status == 403);
}

TEST_CASE("control port: a token must be right, whole, and makes an owner of anybody") {
    const Guard guarded{true, "192.0.2.1", "0123456789abcdef"};
    const auto identified = [&](std::string_view authorization, Caller caller) {
        const unsigned status = guarded.identify(authorization, caller).status;
        return std::pair(status, caller.owner);
    };
    const Caller unknown;
    const Caller nobody{65534};
    for (const Caller& caller : {unknown, nobody}) {
        CHECK(identified("Bearer 0123456789abcdef", caller) == std::pair(0u, true));
        CHECK(identified("bEARER 0123456789abcdef", caller) == std::pair(0u, true));
        CHECK(identified("Bearer 0123456789abcde", caller) == std::pair(401u, false));
        CHECK(identified("Bearer 0123456789abcdefBearer", caller) == std::pair(401u, false));
        CHECK(identified("0123456789abcdef", caller) == std::pair(401u, false));
    }
    // Root with a wrong token is somebody who believes to need one.
    CHECK(identified("Bearer no", {0, true}) == std::pair(401u, false));
}

TEST_CASE("control port: without a token the user decides, and who has none is refused") {
    const Guard guarded{true, "192.0.2.1", "0123456789abcdef"};
    const Guard open{true, "127.0.0.1", {}};
    Caller unknown;
    CHECK(guarded.identify("", unknown).status == 401);
    CHECK(open.identify("", unknown).status == 403);
    CHECK(open.identify("", unknown).reason.find("[control] has no token") != std::string::npos);
    Caller nobody{65534};
    CHECK(guarded.identify("", nobody).status == 0);
    CHECK_FALSE(nobody.owner);
    Caller root{0, true};
    CHECK(guarded.identify("", root).status == 0);
    CHECK(open.identify("", root).status == 0);
    CHECK(root.owner);
}

TEST_CASE("control port: where there is no token every one is wrong, root's too") {
    const Guard open{true, "127.0.0.1", {}};
    for (Caller caller : {Caller{}, Caller{65534}, Caller{0, true}}) {
        const Guard::Refusal refusal = open.identify("Bearer 0123456789abcdef", caller);
        CHECK(refusal.status == 401);
        CHECK(refusal.reason.find("[control] has none") != std::string::npos);
    }
}

TEST_CASE("control port: a caller knows whether there is a token that would help") {
    for (const std::string_view token : {"", "0123456789abcdef"}) {
        Caller nobody{65534};
        const Guard guard{true, "127.0.0.1", std::string(token)};
        CHECK(guard.identify("", nobody).status == 0);
        CHECK(nobody.token_helps == !token.empty());
    }
}

TEST_CASE("control port: behind a wildcard the address that was reached is a Host") {
    const Guard wildcard{true, "0.0.0.0", "0123456789abcdef"};
    CHECK(wildcard.check({"192.0.2.1:9080", "", "192.0.2.1"}).status == 0);
    CHECK(wildcard.check({"[2001:db8::1]:9080", "", "2001:db8::1"}).status == 0);
    CHECK(wildcard.check({"192.0.2.2:9080", "", "192.0.2.1"}).status == 403);
    CHECK(wildcard.check({"", "", ""}).status == 403);
}

TEST_CASE("control port: request targets") {
    Request request;
    CHECK(parse_target("/conntrack?proto=udp&src=10.0.0.1%2F8&flag", request));
    CHECK(request.path == "/conntrack");
    CHECK(request.query.at("proto") == "udp");
    CHECK(request.query.at("src") == "10.0.0.1/8");
    CHECK(request.query.at("flag").empty());
    CHECK_FALSE(parse_target("", request));
    CHECK_FALSE(parse_target("/%0", request));
    CHECK_FALSE(parse_target("/?a=%zz", request));
    CHECK_FALSE(parse_target("/a%00b", request));
    CHECK_FALSE(parse_target("/?a%00b", request));
    CHECK_FALSE(parse_target("/?a=%00", request));
    CHECK(parse_target("/a%20b%2e+?=&c=d%3D=e+f", request));
    CHECK(request.path == "/a b.+");
    CHECK(request.query.at("c") == "d==e+f");
    CHECK_FALSE(request.query.contains(""));
}

TEST_CASE("control port: a parameter that is there twice") {
    CHECK(repeated_parameter("/nat?rule=1&chain=x").empty());
    CHECK(repeated_parameter("/nat?rule=1&chain=x&r%75le=2") == "rule");
    CHECK(repeated_parameter("http://localhost/nat?rule=1&rule=1") == "rule");
    CHECK(repeated_parameter("/nat").empty());
}

TEST_CASE("control port: a target in absolute form has an authority of its own") {
    CHECK(authority_of("http://localhost:9080/status") == "localhost:9080");
    CHECK(authority_of("HTTP://evil.example?x=http://localhost/") == "evil.example");
    CHECK(authority_of("/status?x=http://localhost/").empty());
    CHECK(authority_of("http:///status").empty());
    CHECK(authority_of("").empty());
    Request request;
    CHECK(parse_target("http://localhost:9080/log?follow=1", request));
    CHECK(request.path == "/log");
    CHECK(request.query.at("follow") == "1");
    CHECK(parse_target("http://localhost", request));
    CHECK(request.path == "/");
    CHECK(parse_target("http://localhost?a=b", request));
    CHECK(request.path == "/");
    CHECK_FALSE(parse_target("http:///status", request));
    CHECK_FALSE(parse_target("https://localhost/status", request));
    const Guard tcp{true, "127.0.0.1", {}};
    CHECK(tcp.check({authority_of("http://evil.example/stop"), ""}).status == 403);
    CHECK(tcp.check({authority_of("http://user@localhost/stop"), ""}).status == 403);
}
