// Bytes as what a client sends to the control port, on a socket pair, with a live router behind
// it. Whatever they are: it answers in HTTP or hangs up, and nothing stays open once the client
// has left.
#include <sys/socket.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/check.hpp"
#include "router/control/port.hpp"
#include "router/http/session.hpp"
#include "tests/fuzz/support/connections.hpp"
#include "tests/fuzz/support/input.hpp"

namespace {

using namespace nsr;
namespace asio = boost::asio;
using Local = asio::local::stream_protocol;

// An instance without devices: all that the control port reaches.
struct Instance {
    Instance() { log.copy_to_stderr = false; }

    std::unique_ptr<Router> router = fuzz::live_router();
    router::SystemClock clock;
    router::KernelLog log{clock};
    procfs::Tree tree{{*router, procfs::LineFormat::Article, [this] { return log.text(); }, 0}};
    router::Engine engine{*router, clock, log};
    router::Hub hub{*router};
    router::Config config;
    router::ControlPort port{
        {.router = *router,
         .tree = tree,
         .log = log,
         .clock = clock,
         .engine = engine,
         .hub = hub,
         .config = config,
         .started = clock.now(),
         .reload =
             [](router::ReloadRequest, const router::Reloaded& done) {
                 done({true, "no file\n"});
             },
         .change_rules =
             [this](const router::MakeRules& make, const router::RulesChanged& done) {
                 auto made = make(router->counted());
                 if (!made) {
                     done(made.error());
                     return;
                 }
                 router->apply(std::move(*made), clock.now());
                 done(Done{});
             },
         .beside =
             [](const std::function<void()>& work,
                const std::function<void(const std::string&)>& done) {
                 work();
                 done({});
             },
         .in_copy = [](const std::function<std::string()>& work,
                       const auto& done) { done({}, work()); },
         .stop = [] {},
         .farewell = [] { return std::nullopt; },
         .change_link = {},
         .links_changed = [] {}}};
};

// All that comes back until the other side hangs up.
std::string converse(asio::io_context& loop, Local::socket& client,
                     std::span<const std::uint8_t> words, const router::http::Sessions& sessions) {
    constexpr int kMostTurns = 100000;
    std::string answer;
    client.non_blocking(true);
    for (int turn = 0; turn < kMostTurns && !sessions.open.empty(); ++turn) {
        boost::system::error_code error;
        words = words.subspan(client.write_some(asio::buffer(words.data(), words.size()), error));
        if (words.empty()) {
            client.shutdown(Local::socket::shutdown_send, error);
        }
        loop.restart();
        loop.poll();
        char piece[4096];
        const std::size_t count = client.read_some(asio::buffer(piece), error);
        answer.append(piece, count);
        if (error && error != asio::error::would_block) {
            client.close(error);
        }
    }
    return answer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input in(data, size);
    const bool tcp = (in.byte() & 1) != 0;  // its rules for Host and Origin, that is
    Instance instance;
    asio::io_context& loop = instance.engine.loop();
    const auto sessions = std::make_shared<router::http::Sessions>();
    sessions->handler = [&](const router::http::Request& request) {
        return instance.port.handle(request);
    };
    Local::socket client(loop);
    Local::socket server(loop);
    asio::local::connect_pair(client, server);
    std::make_shared<router::http::Session<Local>>(
        std::move(server), sessions, router::http::Guard{tcp, {}, {}}, router::Caller{})
        ->start();
    const auto words = in.bytes(size);
    const std::string answer = converse(loop, client, words, *sessions);
    NSR_CHECK(sessions->open.empty());
    NSR_CHECK(answer.empty() || answer.starts_with("HTTP/1."));
    return 0;
}
