#include "router/http.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <functional>
#include <type_traits>
#include <utility>

#include "netlink/error.hpp"
#include "router/http_session.hpp"
#include "router/socket_file.hpp"

namespace nsr::router::http {

// --- one connection -------------------------------------------------------------------------

template <class Protocol>
void Session<Protocol>::start() {
    read_header();
}

template <class Protocol>
void Session<Protocol>::refuse() {
    respond({503, "text/plain", "too many connections\n", {}, {}, false}, false);
}

template <class Protocol>
void Session<Protocol>::read_header() {
    parser_.emplace();
    parser_->header_limit(kMaxHeaderBytes);
    parser_->body_limit(kMaxBodyBytes);
    arm(kHeaderDeadline);
    beast::http::async_read_header(
        socket_, buffer_, *parser_,
        [self = this->shared_from_this()](Error error, std::size_t) { self->header_done(error); });
}

template <class Protocol>
void Session<Protocol>::header_done(Error error) {
    if (error) {
        failed_to_read(error);
        return;
    }
    const auto coding = parser_->get()[beast::http::field::transfer_encoding];
    if (!coding.empty() && !beast::iequals(coding, "chunked")) {
        respond({501, "text/plain", "the only Transfer-Encoding is chunked\n", {}, {}, false},
                false);
        return;
    }
    if (parser_->get().count(beast::http::field::host) > 1) {
        respond({400, "text/plain", "more than one Host\n", {}, {}, false}, false);
        return;
    }
    if (!beast::iequals(parser_->get()[beast::http::field::expect], "100-continue")) {
        read_body();
        return;
    }
    piece_ = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(socket_, asio::buffer(piece_),
                      [self = this->shared_from_this()](Error failure, std::size_t) {
                          failure ? self->close() : self->read_body();
                      });
}

template <class Protocol>
void Session<Protocol>::read_body() {
    arm(kBodyDeadline);
    beast::http::async_read(
        socket_, buffer_, *parser_,
        [self = this->shared_from_this()](Error error, std::size_t) { self->body_done(error); });
}

template <class Protocol>
void Session<Protocol>::body_done(Error error) {
    if (error) {
        failed_to_read(error);
        return;
    }
    auto message = parser_->release();
    version_ = message.version();
    const auto field = [&](beast::http::field name) {
        const auto value = message[name];
        return std::string_view(value.data(), value.size());
    };
    const std::string local = local_address();
    const auto refusal =
        guard_.check({field(beast::http::field::host), field(beast::http::field::origin),
                      field(beast::http::field::authorization), local});
    if (refusal.status != 0) {
        respond({refusal.status, "text/plain", refusal.reason + "\n", {}, {}, false}, false);
        return;
    }
    Request request;
    request.method = std::string(message.method_string());
    request.body = std::move(message.body());
    const auto target = message.target();
    if (!parse_target(std::string_view(target.data(), target.size()), request)) {
        respond({400, "text/plain", "malformed request target\n", {}, {}, false}, false);
        return;
    }
    respond(answer(request), message.keep_alive());
}

template <class Protocol>
void Session<Protocol>::failed_to_read(Error error) {
    const bool began = parser_->got_some() || buffer_.size() != 0;
    if (timed_out_ && began) {
        respond({408, "text/plain", "the request took too long\n", {}, {}, false}, false);
    } else if (error == beast::http::error::body_limit) {
        respond({413, "text/plain", "the body is too large\n", {}, {}, false}, false);
    } else if (error == beast::http::error::header_limit ||
               error == beast::http::error::buffer_overflow) {
        respond({431, "text/plain", "the header is too large\n", {}, {}, false}, false);
    } else if (error.category() ==
                   beast::http::make_error_code(beast::http::error::bad_method).category() &&
               error != beast::http::error::end_of_stream &&
               error != beast::http::error::partial_message) {
        respond({400, "text/plain", "malformed request: " + error.message() + "\n", {}, {}, false},
                false);
    } else {
        close();
    }
}

template <class Protocol>
Response Session<Protocol>::answer(const Request& request) const {
    try {
        return sessions_->handler(request);
    } catch (const std::exception& failure) {
        return {500, "text/plain", std::string(failure.what()) + "\n", {}, {}, false};
    }
}

template <class Protocol>
void Session<Protocol>::respond(Response response, bool keep_alive) {
    if (response.follows && !start_following()) {
        write_whole({503, "text/plain", "too many clients follow already\n", {}, {}, false},
                    keep_alive);
    } else if (response.stream) {
        begin_stream(std::move(response), keep_alive && version_ >= 11);
    } else {
        write_whole(std::move(response), keep_alive);
    }
}

template <class Protocol>
bool Session<Protocol>::start_following() {
    if (count().followers >= kMaxFollowers) {
        return false;
    }
    ++count().followers;
    follows_ = true;
    return true;
}

template <class Protocol>
void Session<Protocol>::stop_following() {
    if (std::exchange(follows_, false)) {
        --count().followers;
    }
}

// Where the client reached us: behind a wildcard that is not what was listened on.
template <class Protocol>
std::string Session<Protocol>::local_address() const {
    if constexpr (std::is_same_v<Protocol, asio::ip::tcp>) {
        Error error;
        asio::ip::address address = socket_.local_endpoint(error).address();
        if (!error && address.is_v6() && address.to_v6().is_v4_mapped()) {
            address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
        }
        return error ? std::string() : address.to_string();
    }
    return {};
}

template <class Protocol>
void Session<Protocol>::write_whole(Response response, bool keep_alive) {
    using Message = beast::http::response<beast::http::string_body>;
    const auto message = std::make_shared<Message>(
        static_cast<beast::http::status>(response.status), version_, std::move(response.body));
    message->set(beast::http::field::content_type, response.content_type);
    if (!response.allow.empty()) {
        message->set(beast::http::field::allow, response.allow);
    }
    message->keep_alive(keep_alive);
    message->prepare_payload();
    keep_alive_ = keep_alive;
    arm(kWriteDeadline);
    beast::http::async_write(socket_, *message,
                             [self = this->shared_from_this(), message](Error error, std::size_t) {
                                 self->finished(error);
                             });
}

template <class Protocol>
void Session<Protocol>::begin_stream(Response response, bool keep_alive) {
    stream_ = std::move(response.stream);
    trailer_ = std::move(response.trailer);
    trailer_value_ = std::move(response.trailer_value);
    keep_alive_ = keep_alive;
    last_ = false;
    using Message = beast::http::response<beast::http::empty_body>;
    const auto message =
        std::make_shared<Message>(static_cast<beast::http::status>(response.status), version_);
    message->set(beast::http::field::content_type, response.content_type);
    message->keep_alive(keep_alive);
    message->chunked(version_ >= 11);
    if (!trailer_.empty()) {
        message->set(beast::http::field::trailer, trailer_);
    }
    const auto serializer =
        std::make_shared<beast::http::response_serializer<beast::http::empty_body>>(*message);
    arm(kWriteDeadline);
    beast::http::async_write_header(
        socket_, *serializer,
        [self = this->shared_from_this(), message, serializer](Error error, std::size_t) {
            error ? self->close() : self->next_piece();
        });
}

template <class Protocol>
void Session<Protocol>::next_piece() {
    if (last_) {
        end_stream();
        return;
    }
    piece_.clear();
    const Piece kind = stream_(piece_);
    last_ = kind == Piece::Last;
    if (piece_.empty() && kind == Piece::More) {  // not yet: it looked at much and found nothing
        arm(kWriteDeadline);
        asio::post(socket_.get_executor(),
                   [self = this->shared_from_this()] { self->next_piece(); });
        return;
    }
    if (piece_.empty()) {
        last_ ? end_stream() : wait_for_more();
        return;
    }
    const auto written = [self = this->shared_from_this()](Error error, std::size_t) {
        error ? self->close() : self->next_piece();
    };
    arm(kWriteDeadline);
    if (version_ >= 11) {
        asio::async_write(socket_, beast::http::make_chunk(asio::buffer(piece_)), written);
    } else {
        asio::async_write(socket_, asio::buffer(piece_), written);
    }
}

template <class Protocol>
void Session<Protocol>::end_stream() {
    stream_ = nullptr;
    if (version_ < 11) {
        close();
        return;
    }
    trailer_fields_.clear();
    if (!trailer_.empty()) {
        trailer_fields_.set(trailer_, trailer_value_());
    }
    asio::async_write(
        socket_, beast::http::make_chunk_last(trailer_fields_),
        [self = this->shared_from_this()](Error error, std::size_t) { self->finished(error); });
}

// Until wake(), or until the peer hangs up.
template <class Protocol>
void Session<Protocol>::wait_for_more() {
    waiting_ = true;
    deadline_.cancel();
    socket_.async_wait(Socket::wait_read, [self = this->shared_from_this()](Error error) {
        if (error == asio::error::operation_aborted) {
            return;
        }
        Error ignored;
        if (error || self->socket_.available(ignored) == 0) {
            self->close();
        }
    });
}

template <class Protocol>
void Session<Protocol>::wake() {
    if (!waiting_) {
        return;
    }
    waiting_ = false;
    Error ignored;
    socket_.cancel(ignored);
    asio::post(socket_.get_executor(), [self = this->shared_from_this()] {
        if (self->socket_.is_open()) {
            self->next_piece();
        }
    });
}

template <class Protocol>
void Session<Protocol>::finished(Error error) {
    if (error || !keep_alive_) {
        close();
    } else {
        read_header();
    }
}

template <class Protocol>
void Session<Protocol>::cut() {
    if (follows_ && waiting_ && version_ >= 11) {
        // The event loop has ended: what the peer does not take at once it does not get.
        Error ignored;
        socket_.non_blocking(true, ignored);
        asio::write(socket_, beast::http::make_chunk_last(), ignored);
    }
    close();
}

template <class Protocol>
void Session<Protocol>::close() {
    waiting_ = false;
    stream_ = nullptr;
    stop_following();
    deadline_.cancel();
    Error ignored;
    socket_.shutdown(Socket::shutdown_both, ignored);
    socket_.close(ignored);
}

template <class Protocol>
void Session<Protocol>::arm(std::chrono::seconds limit) {
    timed_out_ = false;
    deadline_.expires_after(limit);
    deadline_.async_wait([weak = this->weak_from_this()](Error error) {
        const auto self = weak.lock();
        if (!error && self) {
            self->timed_out_ = true;
            Error ignored;
            self->socket_.cancel(ignored);
        }
    });
}

// --- the server -----------------------------------------------------------------------------

struct Server::State {
    explicit State(asio::io_context& io) : loop(io) {}

    asio::io_context& loop;
    std::shared_ptr<Sessions> sessions = std::make_shared<Sessions>();
    std::vector<std::function<void()>> close_acceptors;
    SocketFile unix_file;
    bool waking = false;
};

namespace {

template <class Protocol>
struct Listener : std::enable_shared_from_this<Listener<Protocol>> {
    typename Protocol::acceptor acceptor;
    std::shared_ptr<Sessions> sessions;
    Guard guard;
    asio::steady_timer pause;

    Listener(asio::io_context& loop, std::shared_ptr<Sessions> shared, Guard who)
        : acceptor(loop), sessions(std::move(shared)), guard(std::move(who)), pause(loop) {}

    void open(const typename Protocol::endpoint& endpoint, const std::string& attempt) {
        const auto check = [&](boost::system::error_code error) {
            if (error) {
                throw SystemError(attempt, error.value());
            }
        };
        boost::system::error_code error;
        acceptor.open(endpoint.protocol(), error);
        check(error);
        ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
        acceptor.set_option(asio::socket_base::reuse_address(true), error);
        acceptor.bind(endpoint, error);
        check(error);
        acceptor.listen(static_cast<int>(kMaxClients), error);
        check(error);
    }

    void accept() {
        acceptor.async_accept([self = this->shared_from_this()](boost::system::error_code error,
                                                                typename Protocol::socket socket) {
            if (error == asio::error::operation_aborted || !self->acceptor.is_open()) {
                return;
            }
            if (error) {
                self->accept_later();
                return;
            }
            self->accept();
            self->serve(std::move(socket));
        });
    }

    // Without descriptors left (EMFILE) the connection stays in the queue: asking again at once
    // would spin.
    void accept_later() {
        pause.expires_after(kAcceptPause);
        pause.async_wait([self = this->shared_from_this()](boost::system::error_code error) {
            if (!error && self->acceptor.is_open()) {
                self->accept();
            }
        });
    }

    void serve(typename Protocol::socket socket) {
        const bool full = sessions->count(guard.tcp).clients >= kMaxClients;
        const auto session =
            std::make_shared<Session<Protocol>>(std::move(socket), sessions, guard);
        full ? session->refuse() : session->start();
    }
};

template <class Protocol>
std::shared_ptr<Listener<Protocol>> make_listener(Server::State& state, Guard guard) {
    auto listener =
        std::make_shared<Listener<Protocol>>(state.loop, state.sessions, std::move(guard));
    state.close_acceptors.push_back([listener] {
        boost::system::error_code ignored;
        listener->acceptor.close(ignored);
    });
    return listener;
}

}  // namespace

Server::Server(asio::io_context& loop, Handler handler) : state_(std::make_shared<State>(loop)) {
    state_->sessions->handler = std::move(handler);
}

Server::~Server() {
    close();
}

void Server::listen_tcp(const std::string& address, std::uint16_t port, const std::string& token) {
    const std::string attempt = "listen on " + address + ":" + std::to_string(port);
    boost::system::error_code error;
    const auto ip = asio::ip::make_address(address, error);
    if (error) {
        throw SystemError(attempt, EINVAL);
    }
    const auto listener = make_listener<asio::ip::tcp>(*state_, Guard{true, address, token});
    listener->open(asio::ip::tcp::endpoint(ip, port), attempt);
    listener->accept();
}

void Server::listen_unix(const std::string& path) {
    const auto listener = make_listener<asio::local::stream_protocol>(*state_, Guard{});
    clear_socket_path(path);
    // The file must never be open to others, not even for a moment.
    const mode_t before = ::umask(0177);
    try {
        listener->open(asio::local::stream_protocol::endpoint(path), "listen on " + path);
    } catch (...) {
        ::umask(before);
        throw;
    }
    ::umask(before);
    state_->unix_file = SocketFile(path);
    listener->accept();
}

// In the next turn of the loop, however often it is called in this one: a batch of packets may log
// many lines.
void Server::wake() {
    if (std::exchange(state_->waking, true)) {
        return;
    }
    asio::post(state_->loop, [state = state_] {
        state->waking = false;
        const std::set<SessionBase*> open = state->sessions->open;
        for (SessionBase* session : open) {
            session->wake();
        }
    });
}

void Server::stop_listening() {
    for (const auto& close_acceptor : state_->close_acceptors) {
        close_acceptor();
    }
    state_->close_acceptors.clear();
    state_->unix_file.remove();
}

void Server::close() {
    stop_listening();
    for (SessionBase* session :
         std::vector<SessionBase*>(state_->sessions->open.begin(), state_->sessions->open.end())) {
        session->cut();
    }
}

}  // namespace nsr::router::http
