#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <functional>
#include <utility>

#include "netlink/error.hpp"
#include "netlink/socket_owner.hpp"
#include "router/http/http.hpp"
#include "router/http/session.hpp"
#include "router/http/socket_file.hpp"

namespace nsr::router::http {

struct Server::State {
    explicit State(asio::io_context& io) : loop(io) {}

    asio::io_context& loop;
    std::shared_ptr<Sessions> sessions = std::make_shared<Sessions>();
    std::vector<std::function<void()>> close_acceptors;
    SocketFile unix_file;
    bool waking = false;
};

namespace {

// Whose connection it is. A unix socket knows, and needs nothing for it.
struct PeerOfUnix {
    static std::optional<uid_t> uid_of(asio::local::stream_protocol::socket& socket) {
        ucred peer{};
        socklen_t size = sizeof peer;
        if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
            return std::nullopt;
        }
        return peer.uid;
    }
};

// Over TCP only a socket of this machine has a user, and only loopback is sure to come from it.
struct PeerOfTcp {
    netlink::SocketOwners owners;

    [[nodiscard]] std::optional<uid_t> uid_of(asio::ip::tcp::socket& socket) const {
        boost::system::error_code error;
        const auto theirs = end_of(socket.remote_endpoint(error));
        if (error || !theirs.address.is_loopback()) {
            return std::nullopt;
        }
        const auto ours = end_of(socket.local_endpoint(error));
        return error ? std::nullopt : owners.owner_of(theirs, ours);
    }

    static netlink::TcpEnd end_of(const asio::ip::tcp::endpoint& endpoint) {
        asio::ip::address address = endpoint.address();
        if (address.is_v6() && address.to_v6().is_v4_mapped()) {
            address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
        }
        if (address.is_v4()) {
            return {IpAddress::v4(address.to_v4().to_uint()), endpoint.port()};
        }
        const auto bytes = address.to_v6().to_bytes();
        return {IpAddress::from_wire(Family::Ipv6, bytes.data()), endpoint.port()};
    }
};

template <class Protocol>
using Peer = std::conditional_t<std::is_same_v<Protocol, asio::ip::tcp>, PeerOfTcp, PeerOfUnix>;

template <class Protocol>
struct Listener : std::enable_shared_from_this<Listener<Protocol>> {
    typename Protocol::acceptor acceptor;
    std::shared_ptr<Sessions> sessions;
    Guard guard;
    Peer<Protocol> peer;
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
        acceptor.listen(static_cast<int>(sessions->limits.clients), error);
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
        Caller caller;
        caller.uid = peer.uid_of(socket);
        caller.owner = sessions->owners.include(caller.uid);
        const bool full = sessions->count(guard.tcp, caller).clients >= sessions->limits.clients;
        const auto session =
            std::make_shared<Session<Protocol>>(std::move(socket), sessions, guard, caller);
        if (full) {
            session->refuse();
        } else {
            session->start();
        }
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

Server::Server(asio::io_context& loop, Handler handler, Limits limits, Schedule schedule)
    : state_(std::make_shared<State>(loop)) {
    state_->sessions->schedule = std::move(schedule);
    state_->sessions->handler = std::move(handler);
    state_->sessions->limits = limits;
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

void Server::listen_unix(const std::string& path, const std::string& token) {
    const auto listener =
        make_listener<asio::local::stream_protocol>(*state_, Guard{false, {}, token});
    clear_socket_path(path);
    const mode_t before = ::umask(0111);
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

std::size_t Server::clients() const {
    return state_->sessions->open.size();
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
