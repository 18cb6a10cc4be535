// Namespaces that several routers may share: who made one, who uses it, and who removes it.
//
// Theory of operation
//   A router notes in its journal that it uses a namespace, before it does anything there.
//   /run/nsrouter/netns/COOKIE is about the namespace itself and outlives a single router: that a
//   router made it ("use"), or, of one that was there before, what the first of them changed in
//   it for all (lo up, forwarding). The last living router that leaves a namespace does what this
//   file says: it removes the namespace, or takes the changes back. A namespace with devices of
//   strangers in it is given up instead. Namespaces by path or process are never made or removed.
//   What a killed router noted counts as left. Everything here happens under RunLock.
#pragma once

#include <string>

#include "router/topology/journal.hpp"

namespace nsr::router {

// What was noted about namespaces that somebody else has removed.
void forget_dead_namespaces();

// Why a namespace that is not there cannot be made, in the words of a start and of `check`: it is
// given by a path or process, or something else has its name.
std::string no_such_namespace(const std::string& netns);
std::string name_without_namespace(const std::string& netns);

// The instance `name`, with its journal.
class NamespaceUser {
  public:
    NamespaceUser(std::string name, Journal& journal) : name_(std::move(name)), journal_(journal) {}

    // From here on it is used, and it is made if it has a name and is not there. The result is
    // what leave() wants. Throws SystemError.
    Undo use(const std::string& netns);
    // lo up with its address, unless the namespace is to go anyway: taken back by the last user.
    void bring_up_loopback(const Undo& use);
    void write_setting(const Undo& use, const Operation& setting);

    // What there is to tell about it: that it was removed, or that it stays, and why; empty: it was
    // not made by a router. Throws SystemError.
    struct Farewell {
        bool removed = false;
        std::string stays;  // why
    };
    Farewell leave(const Undo& use);

  private:
    [[nodiscard]] Farewell finish(const Undo& use) const;
    [[nodiscard]] std::string other_user(std::uint64_t cookie) const;

    std::string name_;
    Journal& journal_;
};

}  // namespace nsr::router
