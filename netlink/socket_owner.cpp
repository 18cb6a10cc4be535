#include "netlink/socket_owner.hpp"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

#include "netlink/error.hpp"

namespace nsr::netlink {
namespace {

struct Question {
    nlmsghdr header{};
    inet_diag_req_v2 request{};
};

// In the order of the kernel's inet_diag_sockid: the socket asked for is the source.
Question question_about(const TcpEnd& from, const TcpEnd& to) {
    Question question;
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.header.nlmsg_flags = NLM_F_REQUEST;
    inet_diag_req_v2& request = question.request;
    request.sdiag_family = static_cast<std::uint8_t>(from.address.family);
    request.sdiag_protocol = IPPROTO_TCP;
    request.idiag_states = ~0u;
    request.id.idiag_sport = htons(from.port);
    request.id.idiag_dport = htons(to.port);
    std::array<std::uint8_t, 16> bytes{};
    from.address.to_wire(bytes.data());
    std::memcpy(request.id.idiag_src, bytes.data(), bytes.size());
    bytes = {};
    to.address.to_wire(bytes.data());
    std::memcpy(request.id.idiag_dst, bytes.data(), bytes.size());
    request.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return question;
}

// Only such a socket is connected and still has a process that holds it. kernel: inet_diag_find_one
// falls back to listeners; sock_i_ino is 0 for what was closed.
bool has_owner(const inet_diag_msg& socket) {
    switch (socket.idiag_state) {
        case TCP_ESTABLISHED:
        case TCP_FIN_WAIT1:
        case TCP_FIN_WAIT2:
        case TCP_CLOSE_WAIT:
            return socket.idiag_inode != 0;
        default:
            return false;
    }
}

}  // namespace

SocketOwners::SocketOwners()
    : socket_(check_call("connect to NETLINK_SOCK_DIAG",
                         ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG))) {
}

std::optional<uid_t> SocketOwners::owner_of(const TcpEnd& from, const TcpEnd& to) const {
    const Question question = question_about(from, to);
    if (::send(socket_.get(), &question, sizeof question, 0) !=
        static_cast<ssize_t>(sizeof question)) {
        return std::nullopt;
    }
    struct {
        nlmsghdr header;
        inet_diag_msg socket;
        std::array<char, 512> attributes;
    } answer{};
    const ssize_t size = ::recv(socket_.get(), &answer, sizeof answer, MSG_DONTWAIT);
    const ssize_t least = sizeof answer.header + sizeof answer.socket;
    const inet_diag_sockid& asked = question.request.id;
    if (size < least || answer.header.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        answer.socket.id.idiag_sport != asked.idiag_sport ||
        answer.socket.id.idiag_dport != asked.idiag_dport || !has_owner(answer.socket)) {
        return std::nullopt;
    }
    return answer.socket.idiag_uid;
}

}  // namespace nsr::netlink
