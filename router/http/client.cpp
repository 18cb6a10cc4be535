#include "router/http/client.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/authority_view.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <charconv>
#include <filesystem>
#include <stdexcept>

#include "router/base/run_directory.hpp"
#include "router/http/socket_file.hpp"

namespace nsr::router {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace urls = boost::urls;
using Error = boost::system::error_code;
using Sink = std::function<void(std::string_view)>;

// A router that hangs must not hang those who want to know; what it works out beside its packets
// may have to wait for its turn there.
constexpr int kPatienceMilliseconds = 10'000;
constexpr int kLongPatienceMilliseconds = 600'000;
constexpr std::string_view kAnsweredAtOnce[] = {"/status", "/proc", "/log", "/sysctl", "/module"};

int patience_for(const ControlRequest& request) {
    const bool at_once =
        std::any_of(std::begin(kAnsweredAtOnce), std::end(kAnsweredAtOnce),
                    [&](std::string_view path) { return request.target.starts_with(path); });
    return at_once ? kPatienceMilliseconds : kLongPatienceMilliseconds;
}

std::string only_instance();
ControlTarget parse_host_port(const std::string& given);
template <class Socket>
ControlReply exchange(Socket& socket, const ControlTarget& target, const ControlRequest& request,
                      const Sink& sink);

}  // namespace

ControlTarget find_instance(const std::string& control) {
    ControlTarget target;
    if (control.empty()) {
        target.unix_path = only_instance();
    } else if (control.find(':') != std::string::npos) {
        return parse_host_port(control);
    } else if (control.find('/') != std::string::npos) {
        target.unix_path = control;
    } else {
        target.unix_path = socket_path(control);
    }
    return target;
}

ControlReply ask(const ControlTarget& target, const ControlRequest& request) {
    std::string body;
    ControlReply reply =
        ask_streaming(target, request, [&](std::string_view piece) { body.append(piece); });
    if (reply.ok()) {
        reply.body = std::move(body);
    }
    return reply;
}

ControlReply ask_streaming(const ControlTarget& target, const ControlRequest& request,
                           const Sink& sink) {
    asio::io_context loop;
    Error error;
    if (!target.unix_path.empty()) {
        asio::local::stream_protocol::socket socket(loop);
        socket.connect(asio::local::stream_protocol::endpoint(target.unix_path), error);
        if (error) {
            throw std::runtime_error("no router answers at " + target.unix_path + " (" +
                                     error.message() + ")");
        }
        return exchange(socket, target, request, sink);
    }
    asio::ip::tcp::resolver resolver(loop);
    asio::ip::tcp::socket socket(loop);
    const auto found = resolver.resolve(target.host, std::to_string(target.port), error);
    if (!error) {
        asio::connect(socket, found, error);
    }
    if (error) {
        throw std::runtime_error("no router answers at " + target.host + ":" +
                                 std::to_string(target.port) + " (" + error.message() + ")");
    }
    return exchange(socket, target, request, sink);
}

std::string percent_encode(std::string_view text) {
    return urls::encode({text.data(), text.size()},
                        urls::unreserved_chars + urls::grammar::lut_chars('/'));
}

std::string percent_decode(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const char* digits = text.data() + i + 1;
        const bool escaped = text[i] == '%' && i + 2 < text.size() &&
                             std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2;
        decoded += escaped ? static_cast<char>(byte) : text[i];
        i += escaped ? 2 : 0;
    }
    return decoded;
}

namespace {

std::string only_instance() {
    std::vector<std::string> sockets;
    std::string dead;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(kRunDirectory, none)) {
        if (entry.path().extension() != ".sock") {
            continue;
        }
        if (is_dead_socket(entry.path().string())) {
            dead += " " + entry.path().stem().string();
        } else {
            sockets.push_back(entry.path().string());
        }
    }
    if (sockets.empty()) {
        throw std::runtime_error(
            dead.empty()
                ? std::string("no router is running: there is no socket in ") + kRunDirectory
                : "no router is running; killed were (`nsrouter stop --control NAME` "
                  "removes what they left):" +
                      dead);
    }
    if (sockets.size() > 1) {
        std::string names;
        for (const std::string& socket : sockets) {
            names += " " + std::filesystem::path(socket).stem().string();
        }
        throw std::runtime_error("several routers are running, choose one with --control:" + names);
    }
    return sockets.front();
}

// The library takes a number that is too large, modulo 65536.
void require_port(std::string_view text, const std::string& given) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) {
        throw std::runtime_error("--control: the port of \"" + given + "\" is not in 1 to 65535");
    }
}

// "http://127.0.0.1:9080", "[::1]:9080"
ControlTarget parse_host_port(const std::string& given) {
    constexpr std::string_view kScheme = "http://";
    std::string_view text = given;
    text.remove_prefix(text.starts_with(kScheme) ? kScheme.size() : 0);
    text = text.substr(0, text.find('/'));
    const auto authority = urls::parse_authority({text.data(), text.size()});
    if (authority && authority->has_port()) {
        require_port({authority->port().data(), authority->port().size()}, given);
    }
    if (!authority || authority->has_userinfo() || authority->port_number() == 0) {
        throw std::runtime_error("--control takes NAME, PATH or HOST:PORT, not \"" + given + "\"");
    }
    ControlTarget target;
    target.host = authority->host_address();
    target.port = authority->port_number();
    return target;
}

void require(const Error& error) {
    if (error) {
        throw std::runtime_error("the router hung up: " + error.message());
    }
}

void require_more(const Error& error) {
    if (error == http::error::partial_message || error == asio::error::connection_reset) {
        throw HungUp("the router hung up: " + error.message());
    }
    if (error != http::error::need_buffer) {
        require(error);
    }
}

http::request<http::string_body> message_for(const ControlTarget& target,
                                             const ControlRequest& request) {
    http::request<http::string_body> message(http::string_to_verb(request.method), request.target,
                                             11, request.body);
    message.set(http::field::host, target.host.empty()
                                       ? "localhost"
                                       : target.host + ":" + std::to_string(target.port));
    message.keep_alive(false);
    if (!request.last_event_id.empty()) {
        message.set("Last-Event-ID", request.last_event_id);
    }
    if (!target.token.empty()) {
        message.set(http::field::authorization, "Bearer " + target.token);
    }
    message.prepare_payload();
    return message;
}

template <class Socket>
ControlReply exchange(Socket& socket, const ControlTarget& target, const ControlRequest& request,
                      const Sink& sink) {
    Error error;
    http::write(socket, message_for(target, request), error);
    require(error);
    pollfd first_byte{socket.native_handle(), POLLIN, 0};
    if (::poll(&first_byte, 1, patience_for(request)) == 0) {
        throw std::runtime_error("the router does not answer");
    }
    boost::beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    http::read_header(socket, buffer, parser, error);
    require(error);
    ControlReply reply;
    reply.status = parser.get().result_int();
    std::array<char, 64 * 1024> piece;
    while (!parser.is_done()) {
        parser.get().body().data = piece.data();
        parser.get().body().size = piece.size();
        http::read_some(socket, buffer, parser, error);
        require_more(error);
        const std::string_view text(piece.data(), piece.size() - parser.get().body().size);
        if (reply.ok()) {
            sink(text);
        } else {
            reply.body.append(text);
        }
    }
    const auto counts = parser.get()[kEntriesField];
    const char* at = counts.data();
    for (std::size_t* count : {&reply.entries, &reply.not_permitted, &reply.busy}) {
        at = std::from_chars(at, counts.data() + counts.size(), *count).ptr;
        at += at != counts.data() + counts.size() ? 1 : 0;  // the blank
    }
    const auto result = parser.get()[kResultField];
    reply.result.assign(result.data(), result.size());
    return reply;
}

}  // namespace

}  // namespace nsr::router
