#include "router/control/http_session.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <type_traits>
#include <utility>

namespace nsr::router::http {

Response plain(unsigned status, std::string text) {
    Response response;
    response.status = status;
    response.body = std::move(text);
    return response;
}

template <class Protocol>
void Session<Protocol>::start() {
    read_header();
}

template <class Protocol>
void Session<Protocol>::refuse() {
    respond(plain(503, "too many connections\n"), false);
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
        respond(plain(501, "the only Transfer-Encoding is chunked\n"), false);
        return;
    }
    if (parser_->get().count(beast::http::field::host) > 1) {
        respond(plain(400, "more than one Host\n"), false);
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
    const std::string_view target(message.target().data(), message.target().size());
    const std::string_view authority = authority_of(target);
    const std::string_view host = authority.empty() ? field(beast::http::field::host) : authority;
    const auto refusal = guard_.check(
        {host, field(beast::http::field::origin), field(beast::http::field::authorization), local});
    if (refusal.status != 0) {
        respond(plain(refusal.status, refusal.reason + "\n"), false);
        return;
    }
    Request request;
    request.method = std::string(message.method_string());
    request.body = std::move(message.body());
    if (!parse_target(target, request)) {
        respond(plain(400, "malformed request target\n"), false);
        return;
    }
    respond(answer(request), message.keep_alive());
}

template <class Protocol>
void Session<Protocol>::failed_to_read(Error error) {
    const bool began = parser_->got_some() || buffer_.size() != 0;
    if (timed_out_ && began) {
        respond(plain(408, "the request took too long\n"), false);
    } else if (error == beast::http::error::body_limit) {
        respond(plain(413, "the body is too large\n"), false);
    } else if (error == beast::http::error::header_limit ||
               error == beast::http::error::buffer_overflow) {
        respond(plain(431, "the header is too large\n"), false);
    } else if (error.category() ==
                   beast::http::make_error_code(beast::http::error::bad_method).category() &&
               error != beast::http::error::end_of_stream &&
               error != beast::http::error::partial_message) {
        respond(plain(400, "malformed request: " + error.message() + "\n"), false);
    } else {
        close();
    }
}

template <class Protocol>
Response Session<Protocol>::answer(const Request& request) const {
    try {
        return sessions_->handler(request);
    } catch (const std::exception& failure) {
        return plain(500, std::string(failure.what()) + "\n");
    }
}

template <class Protocol>
void Session<Protocol>::respond(Response response, bool keep_alive) {
    if (response.follows && !start_following()) {
        write_whole(plain(503, "too many clients follow already\n"), keep_alive);
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

template class Session<asio::ip::tcp>;
template class Session<asio::local::stream_protocol>;

}  // namespace nsr::router::http
