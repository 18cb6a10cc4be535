// A server of the control port on a loop of its own, and a client that sends what it likes.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>

#include "netlink/descriptor.hpp"
#include "router/http/http.hpp"

namespace nsr::router::http {

// The loop runs in a thread of its own until the end.
class Served {
  public:
    explicit Served(Handler handler, Limits limits = {})
        : server_(loop_, std::move(handler), limits) {
        static int count = 0;
        path_ = std::filesystem::temp_directory_path() /
                ("nsr-http-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
        server_.listen_unix(path_, {});
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~Served() {
        loop_.stop();
        thread_.join();
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    void wake() {
        boost::asio::post(loop_, [this] { server_.wake(); });
    }

  private:
    boost::asio::io_context loop_;
    Server server_;
    std::string path_;
    std::thread thread_;
};

class Client {
  public:
    explicit Client(const Served& served)
        : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, served.path().c_str(), served.path().size());
        connected_ = ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address),
                               sizeof address) == 0;
    }
    [[nodiscard]] bool connected() const { return connected_; }

    // False: the server has hung up.
    bool send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t count = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
            if (count < 0) {
                return false;
            }
            text.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }
    void end_of_requests() { ::shutdown(socket_.get(), SHUT_WR); }

    // What comes until `end` is there, or the server hangs up, or nothing comes for ten seconds.
    std::string receive_until(std::string_view end) {
        std::string text;
        while (end.empty() || text.find(end) == std::string::npos) {
            pollfd waiting{socket_.get(), POLLIN, 0};
            char piece[4096];
            if (::poll(&waiting, 1, 10'000) != 1) {
                return text + "<nothing comes>";
            }
            const ssize_t count = ::recv(socket_.get(), piece, sizeof piece, 0);
            if (count <= 0) {
                hung_up_ = true;
                return text;
            }
            text.append(piece, static_cast<std::size_t>(count));
        }
        return text;
    }
    std::string receive_all() { return receive_until({}); }
    [[nodiscard]] bool hung_up() const { return hung_up_; }

  private:
    netlink::Descriptor socket_;
    bool connected_ = false;
    bool hung_up_ = false;
};

inline std::string request(const std::string& line, const std::string& fields = {},
                           const std::string& body = {}) {
    return line + " HTTP/1.1\r\nHost: localhost\r\n" + fields + "\r\n" + body;
}

}  // namespace nsr::router::http
