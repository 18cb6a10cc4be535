// Who may do what at the control port: the kernel's file modes, and who asks.
//
// Theory of operation
//   Every file and every endpoint has a mode. Whoever asks is its owner or is not: root and the
//   user who runs the router are, by the uid that the kernel gives for the connection (SO_PEERCRED
//   of a unix socket, sock_diag of one over loopback), and so is anybody who sends the token of
//   [control]. The owner has the first three bits of the mode, everybody else the last three: which
//   groups a process is in is not known of a TCP connection, so those of a group count for nobody.
//   Where there is no uid (another machine, a socket that is gone), only the token counts. In a
//   user namespace a user whom it does not know appears as the kernel's overflow uid; such a one is
//   nobody, even if the router runs under that number.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace nsr::router {

// Who sent a request.
struct Caller {
    std::optional<uid_t> uid;  // nothing: it cannot be known
    bool owner = false;
    bool token_helps = false;  // [control] has a token that would make an owner of this caller
};

// The users who own what a router shows.
class Owners {
  public:
    // `overflow`: the uid that stands for whom this process does not know, if there is any such.
    Owners(uid_t router, std::optional<uid_t> overflow);
    static Owners of_this_process();

    [[nodiscard]] bool include(std::optional<uid_t> uid) const;

  private:
    uid_t router_;
    bool router_counts_;
};

enum class Access : char { Read, Write };

bool may(Access access, unsigned mode, const Caller& caller);
// "EACCES: ..." with what is not allowed, to whom, and what would help. `what`: "GET /log".
std::string why_not(std::string_view what, unsigned mode, const Caller& caller);
// The same where nobody knows who asks, and there is no token.
std::string why_not_known();

}  // namespace nsr::router
