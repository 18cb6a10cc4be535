// Conversation: a TCP connection through a World whose payloads may change on the way. Each end
// counts with its own numbers, so every segment shows that sequence numbers and acknowledgments
// are moved as far as they have to be.
//
//   Conversation talk(world, {"lan", "10.0.0.2:40000", "198.51.100.7:21"},
//                     {"wan", "198.51.100.7:21", "192.0.2.1:40000"});
//   talk.client("PORT 10,0,0,2,160,1\r\n", "PORT 192,0,2,1,160,1\r\n");
#pragma once

#include <cstdint>
#include <string_view>

#include "tests/support/world.hpp"

namespace nsr::test {

// One end: the interface behind which it is, itself, and whom it talks to.
struct End {
    std::string_view interface;
    std::string_view own;
    std::string_view peer;
};

class Conversation {
  public:
    Conversation(World& world, End client, End server, Here here = {});

    // What one end says, and what of it arrives at the other one.
    void client(std::string_view text, std::string_view arrives, Here here = {});
    void client(std::string_view text, Here here = {}) { client(text, text, here); }
    void server(std::string_view text, std::string_view arrives, Here here = {});
    void server(std::string_view text, Here here = {}) { server(text, text, here); }
    // It says this, and nothing arrives; neither end counts it.
    void client_in_vain(std::string_view text, Here here = {});

  private:
    // The next number of a sender, as both ends count.
    struct Next {
        std::uint32_t own;
        std::uint32_t at_peer;
    };
    void say(const End& from, const End& to, Next& sender, const Next& receiver,
             std::string_view text, std::string_view arrives, Here here);

    World& world_;
    End client_;
    End server_;
    Next client_next_{1001, 1001};
    Next server_next_{5001, 5001};
};

// Between a client of lan and a server behind wan, not translated.
Conversation plain_conversation(World& world, std::string_view client, std::string_view server,
                                Here here = {});

// The lines of /proc/net/nf_conntrack_expect, sorted, each behind "expect ".
std::string expectations(World& world);

}  // namespace nsr::test
