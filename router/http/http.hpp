// An HTTP/1.1 server on the router's event loop: connections, limits and framing; what a request
// means is the handler's business.
//
// Theory of operation
//   One Session per connection, on loopback TCP or a unix socket. A request is read whole (header
//   at most 8 KiB, body at most 1 MiB, the owner's files of rules 64 MiB, each within its deadline:
//   431, 413, 408), handed to the handler, and answered before the next one is read. An answer is a
//   text, or a stream: the server asks for a piece, writes it as a chunk, and asks again when the
//   peer has taken it, so that the event loop gets to the packets between two pieces however long
//   the file is. A stream may also have nothing to say yet; wake() asks it again. What takes long
//   elsewhere is answered later. The owner has room for 64 connections at the unix socket, all
//   others together for 64 at a time, each of the two for 100 streams without end beside: further
//   ones get 503.
//   A web page must not be able to drive the router: over TCP the Host header has to be loopback,
//   the address listened on or the one that the client reached, and an Origin has to be that of the
//   server itself. Who asks is found out once for each connection, when it begins (rights.hpp); a
//   connection of which that cannot be known must send the token.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/cow.hpp"
#include "router/http/rights.hpp"

namespace boost::asio {
class io_context;
}

namespace nsr::router::http {

struct Request {
    std::string method;                        // of HEAD: GET; the server leaves the body out
    std::string path;                          // decoded, begins with '/'
    std::map<std::string, std::string> query;  // decoded
    Cow<std::string> body;                     // may be large: whoever works on it later shares it
    Caller caller;
    bool accepts_json = false;  // Accept names it
    bool accepts_html = false;  // likewise
    std::string last_event_id;  // of a stream that is taken up again; empty: it is not said
};

// More: ask again at once, even if this piece is empty. NotYet: when somebody wakes the stream.
enum class Piece : std::uint8_t { More, Last, NotYet };

struct Response {
    unsigned status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::string allow;   // for 405
    std::string policy;  // of a page: what a browser may load for it
    // If set, `body` is ignored: appends the next piece.
    std::function<Piece(std::string& out)> stream;
    bool closes = false;   // the connection, whatever the client would like
    bool follows = false;  // a stream that only the client ends
    // A field behind the stream, its value known only then; HTTP/1.0 has no place for it.
    std::string trailer;  // its name; empty: none
    std::function<std::string()> trailer_value;
    // If set, all else is ignored: the response is known later. Called once; calls what it is given
    // once, on the loop, then or at any time.
    std::function<void(std::function<void(Response)>)> later;
};

Response plain(unsigned status, std::string text);

struct Limits {
    // For the owner at the unix socket, and for all others: whatever those do, the owner has room.
    std::size_t clients = 64;
    // Beside those, the ones that wait for what comes, such as `dmesg -w`.
    std::size_t followers = 100;
    std::uint32_t header_bytes = 8 * 1024;
    std::size_t body_bytes = std::size_t{1024} * 1024;
    // Of the owner, for what begins with one of these paths: files of rules and sets.
    std::size_t large_body_bytes = std::size_t{64} * 1024 * 1024;
    std::vector<std::string> large_paths = {"/rules", "/sets"};
    std::chrono::milliseconds header_time{10'000};
    std::chrono::milliseconds body_time{10'000};
    std::chrono::milliseconds write_time{30'000};  // for what one write gives
};

using Handler = std::function<Response(const Request&)>;
// Has a piece of work done on the loop, when there is a turn for it.
using Schedule = std::function<void(std::function<void()>)>;

class Server {
  public:
    // Handling a request and making a piece of an answer are scheduled; without `schedule` they are
    // done at once.
    Server(boost::asio::io_context& loop, Handler handler, Limits limits = {},
           Schedule schedule = {});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // In the network namespace of the calling thread. `token` empty: there is none. Throws
    // SystemError.
    void listen_tcp(const std::string& address, std::uint16_t port, const std::string& token);
    // Mode 0666, so that everybody may ask; a socket file that nobody serves any more is replaced,
    // anything else in its place is refused. Throws SystemError.
    void listen_unix(const std::string& path, const std::string& token);
    // Connections that are open.
    [[nodiscard]] std::size_t clients() const;
    // Streams that had nothing to say may have something now.
    void wake();
    // No new connections, and the socket file goes; those that are open stay.
    void stop_listening();
    // The same, and those that are open are cut.
    void close();

    struct State;

  private:
    std::shared_ptr<State> state_;
};

}  // namespace nsr::router::http
