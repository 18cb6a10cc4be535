#include "tests/support/conversation.hpp"

#include "core/procfs/nf_conntrack_expect.hpp"

namespace nsr::test {

Conversation::Conversation(World& world, End client, End server, Here here)
    : world_(world), client_(client), server_(server) {
    world.when(client.interface, tcp(client.own, client.peer).syn().seq(1000), here);
    world.expect(server.interface, tcp(server.peer, server.own).syn().seq(1000).ttl(63), here);
    world.when(server.interface, tcp(server.own, server.peer).syn().seq(5000).ack(1001), here);
    world.expect(client.interface, tcp(client.peer, client.own).syn().seq(5000).ack(1001).ttl(63),
                 here);
    this->client("", here);
}

void Conversation::client(std::string_view text, std::string_view arrives, Here here) {
    say(client_, server_, client_next_, server_next_, text, arrives, here);
}

void Conversation::server(std::string_view text, std::string_view arrives, Here here) {
    say(server_, client_, server_next_, client_next_, text, arrives, here);
}

void Conversation::client_in_vain(std::string_view text, Here here) {
    world_.when(
        client_.interface,
        tcp(client_.own, client_.peer).seq(client_next_.own).ack(server_next_.at_peer).data(text),
        here);
    world_.expect_nothing(here);
}

void Conversation::say(const End& from, const End& to, Next& sender, const Next& receiver,
                       std::string_view text, std::string_view arrives, Here here) {
    world_.when(from.interface,
                tcp(from.own, from.peer).seq(sender.own).ack(receiver.at_peer).data(text), here);
    world_.expect(to.interface,
                  tcp(to.peer, to.own).seq(sender.at_peer).ack(receiver.own).data(arrives).ttl(63),
                  here);
    sender.own += static_cast<std::uint32_t>(text.size());
    sender.at_peer += static_cast<std::uint32_t>(arrives.size());
}

Conversation plain_conversation(World& world, std::string_view client, std::string_view server,
                                Here here) {
    return {world, {"lan", client, server}, {"wan", server, client}, here};
}

std::string expectations(World& world) {
    return procfs::expect_snapshot(world.router().conntrack(), world.now());
}

}  // namespace nsr::test
