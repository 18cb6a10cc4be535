// The client of the control port against a real server: what each sees of the other's troubles.
#include "router/http/client.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "router/http/http.hpp"
#include "router/log/log.hpp"
#include "router/ports/engine.hpp"

namespace nsr::router {
namespace {

http::Response answer(const http::Request& request) {
    http::Response response;
    response.body = request.path;
    if (request.path == "/throws") {
        response.stream = [](std::string&) -> http::Piece { throw std::runtime_error("a bug"); };
    }
    if (request.path == "/counts") {
        response.trailer = kEntriesField;
        response.trailer_value = [] { return std::string("17"); };
        response.stream = [](std::string& out) {
            out += "text";
            return http::Piece::Last;
        };
    }
    if (request.path == "/refuses") {
        throw std::runtime_error("not today");
    }
    return response;
}

// An engine without ports, which serves the control port in a thread of its own.
class Served {
  public:
    Served() : engine_(router_, clock_, log_), server_(engine_.loop(), answer) {
        log_.copy_to_stderr = false;
        target.unix_path = std::filesystem::temp_directory_path() /
                           ("nsr-client-test-" + std::to_string(::getpid()));
        server_.listen_unix(target.unix_path, {});
        thread_ = std::thread([this] { engine_.run(); });
    }
    ~Served() { stop(); }
    void stop() {
        engine_.stop();
        if (thread_.joinable()) {
            thread_.join();
        }
    }
    [[nodiscard]] std::string log() const { return log_.text(); }

    ControlTarget target;

  private:
    SystemClock clock_;
    KernelLog log_{clock_};
    Router router_{Router::Options{}};
    Engine engine_;
    http::Server server_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("control client: a stream that throws ends its connection, and nothing else") {
    Served served;
    CHECK_THROWS_AS(ask(served.target, {"GET", "/throws", {}}), HungUp);
    CHECK(ask(served.target, {"GET", "/next", {}}).body == "/next");
    served.stop();
    CHECK(served.log().find("gave up: a bug") != std::string::npos);
}

TEST_CASE("control client: the number behind a stream") {
    Served served;
    const ControlReply reply = ask(served.target, {"GET", "/counts", {}});
    CHECK(reply.body == "text");
    CHECK(reply.entries == 17);
    CHECK(ask(served.target, {"GET", "/next", {}}).entries == 0);
}

TEST_CASE("control client: a handler that throws is a failed request") {
    Served served;
    const ControlReply reply = ask(served.target, {"GET", "/refuses", {}});
    CHECK(reply.status == 500);
    CHECK(reply.body == "not today\n");
}

TEST_CASE("control client: names, paths and addresses of routers") {
    CHECK(find_instance("demo").unix_path == "/run/nsrouter/demo.sock");
    CHECK(find_instance("./demo.sock").unix_path == "./demo.sock");
    CHECK(find_instance("127.0.0.1:9080").host == "127.0.0.1");
    CHECK(find_instance("[::1]:9080").host == "::1");
    CHECK(find_instance("http://localhost:9080/").port == 9080);
    for (const char* wrong : {"host:", ":", "host:0", "host:65536", "http://host", "a@host:1",
                              "https://host:1", "[::1:9080", "host:12x"}) {
        CAPTURE(std::string(wrong));
        CHECK_THROWS_AS(find_instance(wrong), std::runtime_error);
    }
    CHECK(percent_encode("/a b+c&d=\xc3\xa9~") == "/a%20b%2Bc%26d%3D%C3%A9~");
}

TEST_CASE("control client: nobody there is not the end of somebody") {
    bool hung_up = false;
    try {
        ask({"/nonexistent/nsrouter.sock", {}, 0, {}}, {"POST", "/stop", {}});
    } catch (const HungUp&) {
        hung_up = true;
    } catch (const std::runtime_error&) {
    }
    CHECK_FALSE(hung_up);
}

}  // namespace nsr::router
