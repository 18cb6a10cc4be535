// One connection: framing, limits, and clients that are slow or do not read.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>

#include "server_fixture.hpp"

namespace nsr::router::http {
namespace {

using namespace std::chrono_literals;

Response echo(const Request& request) {
    return plain(200, request.method + " " + request.path + " [" + *request.body + "]\n");
}

Limits short_limits() {
    Limits limits;
    limits.header_bytes = 1024;
    limits.body_bytes = 2000;
    limits.header_time = 200ms;
    limits.body_time = 200ms;
    limits.write_time = 200ms;
    return limits;
}

std::size_t times(const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        ++count;
    }
    return count;
}

std::string status_line(const std::string& answer) {
    return answer.substr(0, answer.find("\r\n"));
}

const std::string kClose = "Connection: close\r\n";

}  // namespace

TEST_CASE("http session: a connection stays for the next request") {
    const Served served(echo);
    Client client(served);
    for (const char* path : {"/one", "/two", "/three"}) {
        REQUIRE(client.send(request(std::string("GET ") + path)));
        const std::string answer = client.receive_until("]\n");
        CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        CHECK(answer.find(std::string("GET ") + path + " []\n") != std::string::npos);
    }
    client.send(request("GET /four", kClose));
    CHECK(client.receive_all().find("/four") != std::string::npos);
    CHECK(client.hung_up());
}

TEST_CASE("http session: requests sent at once are answered in their order") {
    const Served served(echo);
    Client client(served);
    client.send(request("PUT /a", "Content-Length: 2\r\n", "xy") + request("GET /b") +
                request("GET /c", kClose));
    const std::string answers = client.receive_all();
    CHECK(times(answers, "HTTP/1.1 200 OK") == 3);
    const std::size_t first = answers.find("PUT /a [xy]");
    const std::size_t second = answers.find("GET /b []");
    const std::size_t third = answers.find("GET /c []");
    CHECK(first < second);
    CHECK(second < third);
    CHECK(third != std::string::npos);
}

TEST_CASE("http session: a parameter given twice is refused, whichever of them was meant") {
    const Served served(echo);
    Client client(served);
    client.send(request("POST /nat?action=reboot&rule=1&rule=2", kClose));
    const std::string answer = client.receive_all();
    CHECK(status_line(answer) == "HTTP/1.1 400 Bad Request");
    CHECK(answer.find("parameter \"rule\" is given twice\n") != std::string::npos);
}

TEST_CASE("http session: HTTP/1.0 ends with its answer") {
    const Served served(echo);
    Client client(served);
    client.send("GET /old HTTP/1.0\r\n\r\n");
    CHECK(client.receive_all().find("GET /old []\n") != std::string::npos);
    CHECK(client.hung_up());
}

TEST_CASE("http session: HEAD is GET without what comes behind the header") {
    const Served served([](const Request& asked) {
        Response response = echo(asked);
        if (asked.path == "/stream") {
            response.stream = [](std::string& out) {
                out += "never sent";
                return Piece::Last;
            };
        }
        if (asked.path == "/missing") {
            response.status = 404;
        }
        return response;
    });
    Client client(served);
    client.send(request("HEAD /file") + request("HEAD /stream") + request("HEAD /missing") +
                request("GET /last", kClose));
    const std::string answers = client.receive_all();
    CHECK(times(answers, "HTTP/1.1 200 OK") == 3);
    CHECK(times(answers, "HTTP/1.1 404 Not Found") == 1);
    CHECK(answers.find("Content-Length: 13\r\n") != std::string::npos);  // "GET /file []\n"
    CHECK(answers.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    CHECK(answers.find("/file") == std::string::npos);
    CHECK(answers.find("never sent") == std::string::npos);
    CHECK(answers.find("GET /last []") != std::string::npos);
}

TEST_CASE("http session: what is no request is refused, and the connection with it") {
    const Served served(echo, short_limits());
    const std::string long_line = "GET /" + std::string(2000, 'x');
    const std::pair<std::string, std::string> cases[] = {
        {"\x16\x03\x01\x02\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {"GET / HTTP/9.9\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {request("GET https://x/"), "HTTP/1.1 400 Bad Request"},
        {request("GET /", "Host: other\r\n"), "HTTP/1.1 400 Bad Request"},
        {request("PUT /", "Content-Length: -1\r\n"), "HTTP/1.1 400 Bad Request"},
        {request("PUT /", "Transfer-Encoding: gzip\r\n"), "HTTP/1.1 501 Not Implemented"},
        {request(long_line), "HTTP/1.1 431 Request Header Fields Too Large"},
        {request("PUT /", "Content-Length: 2001\r\n"), "HTTP/1.1 413 Payload Too Large"},
        {request("PUT /", "Transfer-Encoding: chunked\r\n",
                 "7d1\r\n" + std::string(2001, 'x') + "\r\n0\r\n\r\n"),
         "HTTP/1.1 413 Payload Too Large"},
    };
    for (const auto& [text, expected] : cases) {
        CAPTURE(text.substr(0, 60));
        Client client(served);
        client.send(text);
        CHECK(status_line(client.receive_all()) == expected);
        CHECK(client.hung_up());
    }
    Client client(served);
    client.send(request("PUT /", "Content-Length: 2000\r\n" + kClose, std::string(2000, 'y')));
    CHECK(status_line(client.receive_all()) == "HTTP/1.1 200 OK");
}

TEST_CASE("http session: a client that is slow is told so, one that says nothing is let go") {
    const Served served(echo, short_limits());
    Client header(served);
    Client body(served);
    Client silent(served);
    header.send("GET / HTTP/1.1\r\nHost: loc");
    body.send(request("PUT /", "Content-Length: 10\r\n", "12345"));
    CHECK(status_line(header.receive_all()) == "HTTP/1.1 408 Request Timeout");
    CHECK(status_line(body.receive_all()) == "HTTP/1.1 408 Request Timeout");
    CHECK(silent.receive_all().empty());
    CHECK(silent.hung_up());
}

TEST_CASE("http session: the body is asked for where the client waits to be asked") {
    const Served served(echo);
    Client client(served);
    client.send(request("PUT /", "Content-Length: 3\r\nExpect: 100-continue\r\n" + kClose));
    CHECK(client.receive_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    CHECK(client.receive_all().find("[abc]") != std::string::npos);
}

TEST_CASE("http session: a stream goes out in chunks, and the next request follows it") {
    const Served served([](const Request& asked) {
        Response response = echo(asked);
        if (asked.path == "/stream") {
            response.stream = [left = 3](std::string& out) mutable {
                out += "piece";
                return --left == 0 ? Piece::Last : Piece::More;
            };
        }
        return response;
    });
    Client client(served);
    client.send(request("GET /stream") + request("GET /next", kClose));
    const std::string answers = client.receive_all();
    CHECK(times(answers, "5\r\npiece\r\n") == 3);
    CHECK(answers.find("0\r\n\r\nHTTP/1.1 200 OK") != std::string::npos);
    CHECK(answers.find("/next") != std::string::npos);
}

TEST_CASE("http session: a reader that stops gets no more pieces, and is cut in the end") {
    std::atomic<int> pieces{0};
    const Served served(
        [&](const Request& asked) {
            Response response = echo(asked);
            if (asked.path == "/endless") {
                response.stream = [&](std::string& out) {
                    ++pieces;
                    out.append(32768, 'x');
                    return Piece::More;
                };
            }
            return response;
        },
        short_limits());
    Client reader(served);
    reader.send(request("GET /endless"));
    CHECK(reader.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    // Others are served meanwhile; the write that nobody takes ends by its limit, which these
    // clients, who say nothing, outlast.
    for (int i = 0; i < 3; ++i) {
        Client silent(served);
        silent.receive_all();
    }
    const int made = pieces;
    CHECK(made < 100);  // what the two sockets hold
    Client other(served);
    other.send(request("GET /other", kClose));
    CHECK(other.receive_all().find("/other") != std::string::npos);
    CHECK(pieces == made);
    CHECK(reader.receive_all().find("0\r\n\r\n") == std::string::npos);
    CHECK(reader.hung_up());
}

TEST_CASE("http session: a stream that has nothing to say waits until it is woken") {
    std::atomic<bool> has_news{false};
    Served served([&](const Request& asked) {
        Response response = echo(asked);
        response.follows = true;
        response.stream = [&](std::string& out) {
            out += has_news.exchange(false) ? "news" : "";
            return out.empty() ? Piece::NotYet : Piece::More;
        };
        return response;
    });
    Client client(served);
    client.send(request("GET /"));
    CHECK(client.receive_until("\r\n\r\n").starts_with("HTTP/1.1 200 OK"));
    has_news = true;
    served.wake();
    CHECK(client.receive_until("\r\n4\r\nnews\r\n").find("news") != std::string::npos);
}

TEST_CASE("http session: an answer may come later, and others are served meanwhile") {
    std::function<void(Response)> reply;
    std::atomic<bool> asked = false;
    const Served served([&](const Request& asking) {
        if (asking.path == "/now") {
            if (reply) {
                std::exchange(reply, nullptr)(plain(409, "too late\n"));
            }
            return plain(200, "now\n");
        }
        Response response;
        response.later = [&](std::function<void(Response)> tell) {
            reply = std::move(tell);
            asked = true;
        };
        return response;
    });
    Client patient(served);
    REQUIRE(patient.send(request("GET /later")));
    while (!asked) {
        std::this_thread::yield();
    }
    Client other(served);
    REQUIRE(other.send(request("GET /now")));
    CHECK(other.receive_until("now\n").starts_with("HTTP/1.1 200"));
    CHECK(patient.receive_until("too late\n").starts_with("HTTP/1.1 409"));
    REQUIRE(patient.send(request("GET /now")));
    CHECK(patient.receive_until("now\n").starts_with("HTTP/1.1 200"));
}

}  // namespace nsr::router::http
