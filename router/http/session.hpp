// One HTTP connection; see http.hpp. Only the server includes this.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "router/http/guard.hpp"
#include "router/http/http.hpp"

namespace nsr::router::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

inline constexpr auto kAcceptPause = std::chrono::milliseconds(100);

// What all sessions of a server share.
class SessionBase {
  public:
    virtual ~SessionBase() = default;
    virtual void wake() = 0;
    virtual void cut() = 0;
};

struct Sessions {
    struct Count {
        std::size_t clients = 0;
        std::size_t followers = 0;
    };
    Handler handler;
    Schedule schedule;
    Limits limits;
    Owners owners = Owners::of_this_process();
    std::set<SessionBase*> open;
    Count reserved;
    Count others;

    Count& count(bool is_tcp, const Caller& caller) {
        return !is_tcp && caller.owner ? reserved : others;
    }
};

template <class Protocol>
class Session : public SessionBase, public std::enable_shared_from_this<Session<Protocol>> {
  public:
    using Socket = typename Protocol::socket;

    // `caller`: as far as the connection tells.
    Session(Socket socket, std::shared_ptr<Sessions> sessions, Guard guard, Caller caller)
        : socket_(std::move(socket)),
          deadline_(socket_.get_executor()),
          sessions_(std::move(sessions)),
          guard_(std::move(guard)),
          caller_(caller),
          buffer_(sessions_->limits.header_bytes + sessions_->limits.body_bytes) {
        sessions_->open.insert(this);
        ++count().clients;
    }
    ~Session() override {
        stop_following();
        --count().clients;
        sessions_->open.erase(this);
    }

    void start();
    // One client too many.
    void refuse();
    void wake() override;
    void cut() override;

  private:
    using Error = boost::system::error_code;

    Sessions::Count& count() { return sessions_->count(guard_.tcp, caller_); }
    bool start_following();
    void stop_following();
    [[nodiscard]] std::string local_address() const;

    void read_header();
    void header_done(Error error);
    void read_body();
    // More than what its target takes.
    [[nodiscard]] bool too_large(std::uint64_t bytes) const;
    void body_done(Error error);
    void in_turn(std::function<void()> work);
    [[nodiscard]] Response answer_to(beast::http::request<beast::http::string_body>& message);
    void failed_to_read(Error error);
    Response answer(const Request& request) const;

    void respond_when_known(Response response, bool keep_alive);
    void respond(Response response, bool keep_alive);
    void write_whole(Response response, bool keep_alive);
    void write_header(const Response& response, bool keep_alive);
    void begin_stream(Response response, bool keep_alive);
    void next_piece();
    void make_piece();
    void end_stream();
    void wait_for_more();
    // `next`, or the end of the connection.
    void go_on(Error error, void (Session::*next)());
    void finished(Error error);
    void close();
    void arm(std::chrono::milliseconds limit);

    Socket socket_;
    asio::steady_timer deadline_;
    std::shared_ptr<Sessions> sessions_;
    Guard guard_;
    Caller caller_;
    beast::flat_buffer buffer_;
    std::optional<beast::http::request_parser<beast::http::string_body>> parser_;
    std::function<Piece(std::string&)> stream_;
    std::string trailer_;
    std::function<std::string()> trailer_value_;
    beast::http::fields trailer_fields_;
    std::string piece_;
    unsigned version_ = 11;
    bool head_ = false;  // only the header of the answer is wanted
    bool keep_alive_ = false;
    bool timed_out_ = false;
    bool waiting_ = false;
    bool last_ = false;
    bool follows_ = false;
};

}  // namespace nsr::router::http
