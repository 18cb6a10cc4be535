// Many connections: who gets in, who is one too many, and who they are said to be.
#include <doctest/doctest.h>

#include <sys/stat.h>

#include <list>
#include <string>

#include "netlink/socket_owner.hpp"
#include "server_fixture.hpp"

namespace nsr::router::http {
namespace {

Response who(const Request& request) {
    const Caller& caller = request.caller;
    const std::string uid = caller.uid ? std::to_string(*caller.uid) : "unknown";
    return plain(200, "uid " + uid + (caller.owner ? " owner\n" : "\n"));
}

Response follow(const Request& request) {
    Response response = who(request);
    response.follows = true;
    response.stream = [](std::string&) { return Piece::NotYet; };
    return response;
}

Limits few() {
    Limits limits;
    limits.clients = 3;
    limits.followers = 2;
    return limits;
}

const std::string kClose = "Connection: close\r\n";

}  // namespace

TEST_CASE("http server: one client too many is told so, until there is room") {
    const Served served(who, few());
    std::list<Client> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back(served).send(request("GET /"));
        CHECK(clients.back().receive_until("owner\n").starts_with("HTTP/1.1 200"));
    }
    Client refused(served);
    CHECK(refused.receive_all().starts_with("HTTP/1.1 503 Service Unavailable"));
    clients.front().send(request("GET /", kClose));
    clients.front().receive_all();
    Client next(served);
    next.send(request("GET /", kClose));
    CHECK(next.receive_all().starts_with("HTTP/1.1 200"));
}

TEST_CASE("http server: those who follow leave room for those who ask") {
    const Served served(follow, few());
    Client first(served);
    Client second(served);
    Client third(served);
    for (Client* client : {&first, &second}) {
        client->send(request("GET /"));
        CHECK(client->receive_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
    }
    third.send(request("GET /", kClose));
    CHECK(third.receive_all().starts_with("HTTP/1.1 503"));
}

TEST_CASE("http server: the user of a unix socket is known, and everybody may connect") {
    const Served served(who);
    struct stat file {};
    REQUIRE(::stat(served.path().c_str(), &file) == 0);
    CHECK((file.st_mode & 0777) == 0666);
    Client client(served);
    client.send(request("GET /", kClose));
    CHECK(client.receive_all().find("uid " + std::to_string(::getuid()) + " owner\n") !=
          std::string::npos);
}

TEST_CASE("http server: what throws is a failed request, and no more") {
    const Served served([](const Request&) -> Response { throw std::runtime_error("a bug"); });
    Client client(served);
    client.send(request("GET /") + request("GET /", kClose));
    const std::string answers = client.receive_all();
    CHECK(answers.find("HTTP/1.1 500") != answers.rfind("HTTP/1.1 500"));
    CHECK(answers.find("a bug\n") != std::string::npos);
}

}  // namespace nsr::router::http
