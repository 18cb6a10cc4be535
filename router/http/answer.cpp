// How a connection answers: whole, or piece by piece.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "router/http/session.hpp"

namespace nsr::router::http {

template <class Protocol>
void Session<Protocol>::respond_when_known(Response response, bool keep_alive) {
    if (!response.later) {
        respond(std::move(response), keep_alive);
        return;
    }
    deadline_.cancel();
    response.later([self = this->shared_from_this(), keep_alive](Response known) {
        if (self->socket_.is_open()) {
            self->respond_when_known(std::move(known), keep_alive && !known.closes);
        }
    });
}

template <class Protocol>
void Session<Protocol>::respond(Response response, bool keep_alive) {
    if (head_) {
        write_header(response, keep_alive);
    } else if (response.follows && !start_following()) {
        write_whole(plain(503, "too many clients follow already\n"), keep_alive);
    } else if (response.stream) {
        begin_stream(std::move(response), keep_alive && version_ >= 11);
    } else {
        write_whole(std::move(response), keep_alive);
    }
}

template <class Protocol>
bool Session<Protocol>::start_following() {
    if (count().followers >= sessions_->limits.followers) {
        return false;
    }
    ++count().followers;
    --count().clients;
    follows_ = true;
    return true;
}

template <class Protocol>
void Session<Protocol>::stop_following() {
    if (std::exchange(follows_, false)) {
        --count().followers;
        ++count().clients;
    }
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
    if (!response.policy.empty()) {
        message->set("Content-Security-Policy", response.policy);
    }
    if (response.status == 401) {
        message->set(beast::http::field::www_authenticate, "Bearer");
    }
    message->keep_alive(keep_alive);
    message->prepare_payload();
    keep_alive_ = keep_alive;
    arm(sessions_->limits.write_time);
    beast::http::async_write(socket_, *message,
                             [self = this->shared_from_this(), message](Error error, std::size_t) {
                                 self->finished(error);
                             });
}

// As after GET, but for what comes behind it. The length of a stream is not known, and is not said.
template <class Protocol>
void Session<Protocol>::write_header(const Response& response, bool keep_alive) {
    using Message = beast::http::response<beast::http::empty_body>;
    const auto message =
        std::make_shared<Message>(static_cast<beast::http::status>(response.status), version_);
    message->set(beast::http::field::content_type, response.content_type);
    if (!response.allow.empty()) {
        message->set(beast::http::field::allow, response.allow);
    }
    if (!response.stream) {
        message->content_length(response.body.size());
    } else if (version_ >= 11) {
        message->chunked(true);
    }
    message->keep_alive(keep_alive && (!response.stream || version_ >= 11));
    keep_alive_ = message->keep_alive();
    const auto serializer =
        std::make_shared<beast::http::response_serializer<beast::http::empty_body>>(*message);
    arm(sessions_->limits.write_time);
    beast::http::async_write_header(socket_, *serializer,
                                    [self = this->shared_from_this(), message, serializer](
                                        Error error, std::size_t) { self->finished(error); });
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
    arm(sessions_->limits.write_time);
    beast::http::async_write_header(
        socket_, *serializer,
        [self = this->shared_from_this(), message, serializer](Error error, std::size_t) {
            self->go_on(error, &Session::next_piece);
        });
}

template <class Protocol>
void Session<Protocol>::next_piece() {
    if (last_) {
        end_stream();
        return;
    }
    in_turn([self = this->shared_from_this()] { self->make_piece(); });
}

template <class Protocol>
void Session<Protocol>::make_piece() {
    if (!stream_) {
        return;  // cut meanwhile
    }
    piece_.clear();
    const Piece kind = stream_(piece_);
    last_ = kind == Piece::Last;
    if (piece_.empty() && kind == Piece::More) {  // not yet: it looked at much and found nothing
        arm(sessions_->limits.write_time);
        asio::post(socket_.get_executor(),
                   [self = this->shared_from_this()] { self->next_piece(); });
        return;
    }
    if (piece_.empty()) {
        if (last_) {
            end_stream();
        } else {
            wait_for_more();
        }
        return;
    }
    const auto written = [self = this->shared_from_this()](Error error, std::size_t) {
        self->go_on(error, &Session::next_piece);
    };
    arm(sessions_->limits.write_time);
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

template class Session<asio::ip::tcp>;
template class Session<asio::local::stream_protocol>;

}  // namespace nsr::router::http
