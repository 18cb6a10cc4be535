#include "router/control/http_guard.hpp"

#include <doctest/doctest.h>

using nsr::router::http::authority_of;
using nsr::router::http::Guard;
using nsr::router::http::parse_target;
using nsr::router::http::Request;

TEST_CASE("control port: a browser's page on another site cannot drive the router") {
    const Guard tcp{true, "127.0.0.1", {}};
    CHECK(tcp.check({"127.0.0.1:9080", "", ""}).status == 0);
    CHECK(tcp.check({"localhost:9080", "", ""}).status == 0);
    CHECK(tcp.check({"[::1]:9080", "", ""}).status == 0);
    CHECK(tcp.check({"LOCALHOST:9080", "", ""}).status == 0);
    CHECK(tcp.check({"LocalHost", "http://localhost", ""}).status == 0);
    CHECK(tcp.check({"127.0.0.1:9080", "http://127.0.0.1:9080", ""}).status == 0);
    CHECK(tcp.check({"127.0.0.1:9080", "http://evil.example", ""}).status == 403);
    CHECK(tcp.check({"127.0.0.1:9080", "null", ""}).status == 403);
    // A name that an attacker's DNS points at 127.0.0.1.
    CHECK(tcp.check({"evil.example:9080", "", ""}).status == 403);
    CHECK(tcp.check({"", "", ""}).status == 403);
}

TEST_CASE("control port: on a unix socket the file's mode decides, not the Host") {
    const Guard local{};
    CHECK(local.check({"anything", "", ""}).status == 0);
    CHECK(local.check({"localhost", "http://evil.example", ""}).status == 403);
}

TEST_CASE("control port: a token must be there and right, whole") {
    const Guard guarded{true, "192.0.2.1", "0123456789abcdef"};
    CHECK(guarded.check({"192.0.2.1:9080", "", "Bearer 0123456789abcdef"}).status == 0);
    CHECK(guarded.check({"192.0.2.1:9080", "", ""}).status == 401);
    CHECK(guarded.check({"192.0.2.1:9080", "", "Bearer 0123456789abcde"}).status == 401);
    CHECK(guarded.check({"192.0.2.1:9080", "", "Bearer 0123456789abcdefBearer"}).status == 401);
    CHECK(guarded.check({"192.0.2.1:9080", "", "0123456789abcdef"}).status == 401);
}

TEST_CASE("control port: behind a wildcard the address that was reached is a Host") {
    const Guard wildcard{true, "0.0.0.0", "0123456789abcdef"};
    const char* token = "bEARER 0123456789abcdef";
    CHECK(wildcard.check({"192.0.2.1:9080", "", token, "192.0.2.1"}).status == 0);
    CHECK(wildcard.check({"[2001:db8::1]:9080", "", token, "2001:db8::1"}).status == 0);
    CHECK(wildcard.check({"192.0.2.2:9080", "", token, "192.0.2.1"}).status == 403);
    CHECK(wildcard.check({"", "", token, ""}).status == 403);
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
    CHECK(tcp.check({authority_of("http://evil.example/stop"), "", ""}).status == 403);
    CHECK(tcp.check({authority_of("http://user@localhost/stop"), "", ""}).status == 403);
}
