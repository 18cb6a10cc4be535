#include "router/http/session.hpp"

#include <algorithm>
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
    parser_->header_limit(sessions_->limits.header_bytes);
    // Where it leads to is known behind the header.
    parser_->body_limit(caller_.owner ? sessions_->limits.large_body_bytes
                                      : sessions_->limits.body_bytes);
    arm(sessions_->limits.header_time);
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
    if (too_large(parser_->content_length().value_or(0))) {
        respond(plain(413, "the body is too large\n"), false);
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
                          self->go_on(failure, &Session::read_body);
                      });
}

template <class Protocol>
bool Session<Protocol>::too_large(std::uint64_t bytes) const {
    const Limits& limits = sessions_->limits;
    const auto target = parser_->get().target();
    const std::string_view path(target.data(), target.size());
    return bytes > limits.body_bytes &&
           std::none_of(limits.large_paths.begin(), limits.large_paths.end(),
                        [&](const std::string& large) { return path.starts_with(large); });
}

template <class Protocol>
void Session<Protocol>::read_body() {
    arm(sessions_->limits.body_time);
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
    if (too_large(parser_->get().body().size())) {
        respond(plain(413, "the body is too large\n"), false);
        return;
    }
    using Message = beast::http::request<beast::http::string_body>;
    const auto message = std::make_shared<Message>(parser_->release());
    version_ = message->version();
    head_ = message->method() == beast::http::verb::head;
    deadline_.cancel();
    in_turn([self = this->shared_from_this(), message] {
        Response response = self->answer_to(*message);
        const bool keeps = message->keep_alive() && !response.closes;
        self->respond_when_known(std::move(response), keeps);
    });
}

template <class Protocol>
void Session<Protocol>::in_turn(std::function<void()> work) {
    if (sessions_->schedule) {
        sessions_->schedule(std::move(work));
    } else {
        work();
    }
}

template <class Protocol>
Response Session<Protocol>::answer_to(beast::http::request<beast::http::string_body>& message) {
    const auto refuse = [](unsigned status, const std::string& reason) {
        Response response = plain(status, reason + "\n");
        response.closes = true;
        return response;
    };
    const auto field = [&](beast::http::field name) {
        const auto value = message[name];
        return std::string_view(value.data(), value.size());
    };
    const std::string local = local_address();
    const std::string_view target(message.target().data(), message.target().size());
    const std::string_view authority = authority_of(target);
    const std::string_view host = authority.empty() ? field(beast::http::field::host) : authority;
    if (const auto refusal = guard_.check({host, field(beast::http::field::origin), local});
        refusal.status != 0) {
        return refuse(refusal.status, refusal.reason);
    }
    Request request;
    request.caller = caller_;
    if (const auto refusal =
            guard_.identify(field(beast::http::field::authorization), request.caller);
        refusal.status != 0) {
        return refuse(refusal.status, refusal.reason);
    }
    request.method = head_ ? "GET" : std::string(message.method_string());
    request.body = Cow<std::string>(std::move(message.body()));
    request.last_event_id = message["Last-Event-ID"];
    const std::string_view accept = field(beast::http::field::accept);
    request.accepts_json = accept.find("application/json") != std::string_view::npos;
    request.accepts_html = accept.find("text/html") != std::string_view::npos;
    if (!parse_target(target, request)) {
        return refuse(400, "malformed request target");
    }
    if (const std::string twice = repeated_parameter(target); !twice.empty()) {
        return refuse(400, "parameter \"" + twice.substr(0, 60) + "\" is given twice");
    }
    return answer(request);
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
void Session<Protocol>::go_on(Error error, void (Session::*next)()) {
    if (error) {
        close();
    } else {
        (this->*next)();
    }
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
void Session<Protocol>::arm(std::chrono::milliseconds limit) {
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
