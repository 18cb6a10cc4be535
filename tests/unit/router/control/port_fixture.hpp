// The control port of a router without devices; what is done beside packets is done at once.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

#include "router/control/port.hpp"

namespace nsr::router {

struct Asked {
    std::string body = {};
    std::string accept = {};
    Caller caller{0, true};
    std::map<std::string, std::string> query = {};
};

class PortFixture {
  public:
    // `others`: the other shards of a router that is the first of several.
    explicit PortFixture(OtherShards* others = nullptr) : others_(others) {
        log_.copy_to_stderr = false;
        REQUIRE(router_.set_tracking(TrackingMode::On, clock_.now()).ok());
    }

    // The whole answer, also when it comes later or in pieces.
    http::Response ask(const std::string& method, const std::string& path,
                       const Asked& asked = {}) {
        http::Request request;
        request.method = method;
        request.path = path;
        request.body = Cow<std::string>(asked.body);
        request.query = asked.query;
        request.accepts_json = asked.accept == "application/json";
        request.caller = asked.caller;
        request.query = asked.query;
        http::Response response = port_.handle(request);
        while (response.later) {
            const auto later = std::exchange(response.later, nullptr);
            later([&](http::Response known) { response = std::move(known); });
        }
        if (response.stream) {
            response.body.clear();
            // What another shard is asked for is there when it is asked again.
            auto piece = http::Piece::More;
            for (unsigned waits = 0; piece != http::Piece::Last && waits <= waits_;) {
                piece = response.stream(response.body);
                waits = piece == http::Piece::NotYet ? waits + 1 : 0;
            }
        }
        return response;
    }

    int reloads = 0;
    int stops = 0;
    Router& router() { return router_; }
    procfs::Tree& tree() { return tree_; }
    ControlPort& port() { return port_; }

  private:
    OtherShards* others_;
    unsigned waits_ = others_ == nullptr ? 0 : 2;
    SystemClock clock_;
    KernelLog log_{clock_};
    Router router_{Router::Options{}};
    Engine engine_{router_, clock_, log_};
    Hub hub_{router_};
    Config config_;
    procfs::Tree tree_{procfs::Context{router_, procfs::LineFormat::Article,
                                       [this] { return log_.text(); }, 1u << 30}};
    ControlPort port_{Controls{.router = router_,
                               .tree = tree_,
                               .log = log_,
                               .clock = clock_,
                               .engine = engine_,
                               .hub = hub_,
                               .config = config_,
                               .started = clock_.now(),
                               .memory_limit_bytes = 1u << 30,
                               .reload =
                                   [this](ReloadRequest, const Reloaded& done) {
                                       ++reloads;
                                       done({});
                                   },
                               .change_rules =
                                   [this](const MakeRules& make, const RulesChanged& done) {
                                       const auto made = make(router_.counted());
                                       done(made ? Result<Done, std::string>(Done{})
                                                 : made.error());
                                   },
                               .beside =
                                   [](const std::function<void()>& work,
                                      const std::function<void(const std::string&)>& done) {
                                       work();
                                       done({});
                                   },
                               .in_copy = [](const std::function<std::string()>& work,
                                             const auto& done) { done({}, work()); },
                               .stop = [this] { ++stops; },
                               .farewell = [] { return std::nullopt; },
                               .change_link = {},
                               .links_changed = {},
                               .wake = [] {},
                               .others = others_}};
};

}  // namespace nsr::router
