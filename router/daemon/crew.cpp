#include "router/daemon/crew.hpp"

#include <algorithm>
#include <utility>

#include "core/base/add_counters.hpp"
#include "core/base/check.hpp"
#include "core/conntrack/record/home.hpp"
#include "core/pipeline/follow.hpp"
#include "core/rules/needs.hpp"
#include "netlink/error.hpp"
#include "netlink/steering.hpp"

namespace nsr::router {
namespace {

// Whoever shows it says which file it is.
std::string in_line(const ConfigError& error) {
    const std::string line = std::to_string(error.where.line);
    return (error.where.line == 0 ? "" : "line " + line + ": ") + error.message;
}

Config side_config(Config config) {
    config.ruleset = rules::from_zero(std::move(config.ruleset));
    return config;
}

netlink::SteeringHash steering_hash(const conntrack::ShardPlace& place) {
    using Hash = conntrack::HomeHash;
    return {.key = place.key,
            .shards = place.count,
            .port_factor = Hash::kPortFactor,
            .factor1 = Hash::kFactor1,
            .factor2 = Hash::kFactor2,
            .shift1 = Hash::kShift1,
            .shift2 = Hash::kShift2};
}

}  // namespace

Crew::Crew(const Parts& parts)
    : parts_(parts), followed_(parts.router.settings()), mode_(parts.router.tracking_mode()) {
    const Config config = side_config(parts.config);
    for (unsigned index = 1; index < parts_.links.size(); ++index) {
        shards_.push_back(
            std::make_unique<SideShard>(SideShard::Parts{config, parts_.clock, parts_.log,
                                                         parts_.engine, parts_.memory_limit_bytes},
                                        parts_.links, index));
    }
    ports_.resize(shards_.size());
    reports_.resize(parts_.links.size());
    parts_.engine.join(parts_.links.of(0));
    try {
        steering_ = netlink::load_steering(steering_hash(parts_.links.place_of(0)));
    } catch (const SystemError& error) {
        parts_.log.log(parts_.clock.now(), LogLevel::Warning,
                       std::string("nsrouter: the kernel does not steer packets to their shards, "
                                   "which hand them over: ") +
                           error.what());
    }
}

Crew::~Crew() {
    stop();
}

void Crew::start(Worker& worker) {
    for (const auto& shard : shards_) {
        shard->start(worker);
    }
}

// Nobody waits for anything any more.
void Crew::stop() {
    for (const auto& shard : shards_) {
        shard->stop();
    }
    awaited_.clear();
    changes_.clear();
}

// --- asking -------------------------------------------------------------------------------------

// Given at the end of what it is about, however that ends.
class Crew::Answer {
  public:
    Answer(Crew& crew, AwaitedId id) : crew_(crew), id_(id) {}
    ~Answer() { crew_.answer(id_); }
    Answer(const Answer&) = delete;
    Answer& operator=(const Answer&) = delete;

  private:
    Crew& crew_;
    AwaitedId id_;
};

Crew::AwaitedId Crew::await(std::size_t answers, std::function<void()> done) {
    const AwaitedId id = next_awaited_++;
    awaited_[id] = {answers, std::move(done)};
    return id;
}

void Crew::answer(AwaitedId id) {
    parts_.engine.post([this, id] { take_answer(id); });
}

void Crew::take_answer(AwaitedId id) {
    const auto found = awaited_.find(id);
    if (found != awaited_.end() && --found->second.answers == 0) {
        const std::function<void()> done = std::move(found->second.done);
        awaited_.erase(found);
        done();
    }
}

void Crew::ask(std::size_t index, std::function<void(const Asked&)> work,
               std::function<void()> done) {
    SideShard& shard = *shards_[index];
    shard.post([this, &shard, work = std::move(work), id = await(1, std::move(done))] {
        const Answer answering(*this, id);
        work({shard.router(), shard.tree()});
        shard.engine().deadlines_changed();
    });
}

// `done` comes when all are through.
void Crew::ask_all(const std::function<void(SideShard&, std::size_t index)>& work,
                   std::function<void()> done) {
    const AwaitedId id = await(shards_.size(), std::move(done));
    for (std::size_t index = 0; index < shards_.size(); ++index) {
        SideShard& shard = *shards_[index];
        shard.post([this, &shard, index, work, id] {
            const Answer answering(*this, id);
            work(shard, index);
        });
    }
}

Crew::Said Crew::said_by(SideShard& shard, const ShardLink& link) {
    Said said{shard.router().shard_duties().take_tally(), {}, link.counters()};
    for (const routing::Interface& interface : shard.router().interfaces().all()) {
        for (const Port* port : shard.engine().ports(interface.index)) {
            said.ports.emplace_back(interface.index, port->counters());
        }
    }
    return said;
}

void Crew::gather(std::function<void()> done) {
    const auto said = std::make_shared<std::vector<Said>>(shards_.size());
    ask_all(
        [this, said](SideShard& shard, std::size_t index) {
            (*said)[index] = said_by(shard, parts_.links.of(static_cast<unsigned>(index + 1)));
        },
        [this, said, done = std::move(done)] {
            take_in(*said);
            done();
        });
}

void Crew::take_in(const std::vector<Said>& said) {
    std::vector<Tally> tallies;
    for (std::size_t index = 0; index < said.size(); ++index) {
        tallies.push_back(said[index].tally);
        ports_[index] = said[index].ports;
        reports_[index + 1] = {said[index].tally.connections, said[index].link};
    }
    reports_[0] = {parts_.router.conntrack().table().size(), parts_.links.of(0).counters()};
    parts_.router.shard_duties().add(tallies);
}

Port::Counters Crew::port_counters(IfIndex interface) const {
    Port::Counters sum;
    for (const auto& ports : ports_) {
        for (const auto& [index, counters] : ports) {
            if (index == interface) {
                add_counters(sum, counters);
            }
        }
    }
    return sum;
}

// --- following ----------------------------------------------------------------------------------

void Crew::follow_settings(std::function<void()> done) {
    pipeline::Settings settings = parts_.router.settings();
    const TrackingMode mode = parts_.router.tracking_mode();
    if (settings == followed_ && mode == mode_) {
        return done();
    }
    followed_ = settings;
    mode_ = mode;
    const auto take_over = [this, settings, mode](SideShard& shard) {
        shard.router().configure(settings);
        if (const auto set = shard.router().set_tracking(mode, parts_.clock.now()); !set) {
            tell_apart(set.error());
        }
        shard.engine().deadlines_changed();
    };
    // Behind the rules that have been changed before: these say whether tracking can be off.
    const auto look = [](const rules::Counted&) { return rules_unchanged(); };
    const AwaitedId id = await(shards_.size(), std::move(done));
    for (const auto& shard : shards_) {
        shard->post([this, id, shard = shard.get(), look, take_over] {
            shard->change_rules(look,
                                [this, id, shard, take_over](const Result<Done, std::string>&) {
                                    const Answer answering(*this, id);
                                    take_over(*shard);
                                });
        });
    }
}

void Crew::follow_config(const Config& config) {
    for (const auto& shard : shards_) {
        shard->post([&engine = shard->engine(), &tree = shard->tree(), spin = config.spin,
                     coalesce = config.coalesce, ring = config.ring,
                     line_format = config.line_format] {
            tree.context().line_format = line_format;
            engine.set_spin(spin);
            engine.set_coalescing(coalesce);
            engine.ring().set(ring);
        });
    }
}

void Crew::follow_network() {
    const auto network =
        std::make_shared<const pipeline::Network>(parts_.router.shard_duties().network());
    for (const auto& shard : shards_) {
        shard->post([this, shard = shard.get(), network] {
            pipeline::follow(shard->router(), *network, parts_.clock.now());
            shard->engine().deadlines_changed();
        });
    }
}

void Crew::follow_rules(std::function<void()> done) {
    const auto ruleset = std::make_shared<const rules::Ruleset>(parts_.router.ruleset());
    change_all(
        [ruleset](std::size_t) -> MakeRules {
            return [ruleset](const rules::Counted&) {
                return Result<rules::Ruleset, std::string>(rules::from_zero(*ruleset));
            };
        },
        std::move(done));
}

void Crew::gather_rules(std::function<void(RuleCounts)> done) {
    const auto counts = std::make_shared<RuleCounts>(shards_.size());
    change_all(
        [counts](std::size_t index) -> MakeRules {
            return [counts, index](const rules::Counted& counted) {
                (*counts)[index] = std::make_shared<const rules::Counted>(counted);
                return rules_unchanged();
            };
        },
        [counts, done = std::move(done)] { done(std::move(*counts)); });
}

// What was possible in the first shard is so in the others.
void Crew::tell_apart(const std::string& refusal) {
    parts_.engine.post([this, refusal] {
        parts_.log.log(parts_.clock.now(), LogLevel::Error,
                       "nsrouter: a shard has other rules than the first one: " + refusal);
    });
}

void Crew::change_all(const std::function<MakeRules(std::size_t index)>& make,
                      std::function<void()> done) {
    const AwaitedId id = await(shards_.size(), std::move(done));
    for (std::size_t index = 0; index < shards_.size(); ++index) {
        SideShard& shard = *shards_[index];
        shard.post([this, &shard, change = make(index), id] {
            shard.change_rules(change, [this, id](const Result<Done, std::string>& changed) {
                if (!changed && !changed.error().empty()) {
                    tell_apart(changed.error());
                }
                answer(id);
            });
        });
    }
}

// What is made of the rules sees what all have counted. If it changed them, the others follow
// before anybody is told.
void Crew::change_rules(const ChangeRules& first, MakeRules make, RulesChanged done) {
    const auto over = [this, done = std::move(done)](const Result<Done, std::string>& changed) {
        const auto tell = [this, done, changed] {
            changes_.pop_front();
            begin_next_change();
            done(changed);
        };
        if (changed) {
            follow_rules(tell);
        } else {
            tell();
        }
    };
    changes_.push_back([this, first, make = std::move(make), over] {
        gather_rules([first, make, over](const RuleCounts& counts) {
            first(
                [make, counts](const rules::Counted& ours) -> Result<rules::Ruleset, std::string> {
                    rules::Counted all = ours;
                    for (const auto& more : counts) {
                        rules::add_counters(all, *more);
                    }
                    Result<rules::Ruleset, std::string> made = make(all);
                    if (made) {
                        if (const auto needs = rules::needs_one_shard(*made)) {
                            return in_line(*needs);
                        }
                    }
                    return made;
                },
                over);
        });
    });
    if (changes_.size() == 1) {
        begin_next_change();
    }
}

void Crew::begin_next_change() {
    if (!changes_.empty()) {
        changes_.front()();
    }
}

// --- queues -------------------------------------------------------------------------------------

// Without a program of its own a device that was there before loses what an earlier run gave it.
void Crew::steer(const netlink::Tun& device) {
    try {
        netlink::steer(device, steering_);
    } catch (const SystemError& error) {
        parts_.log.log(parts_.clock.now(), LogLevel::Warning,
                       std::string("nsrouter: ") + error.what() +
                           "; its shards hand packets over to each other");
    }
}

void Crew::hold_ports() {
    holds_ports_ = true;
}

void Crew::release_ports() {
    holds_ports_ = false;
    for (auto& ports : std::exchange(held_ports_, {})) {
        attach(std::move(ports));
    }
}

void Crew::attach(std::vector<std::unique_ptr<Port>> ports) {
    if (holds_ports_) {
        held_ports_.push_back(std::move(ports));
        return;
    }
    for (std::size_t index = 0; index < ports.size(); ++index) {
        const auto port = std::make_shared<std::unique_ptr<Port>>(std::move(ports[index]));
        shards_[index]->post(
            [shard = shards_[index].get(), port] { shard->engine().add_port(std::move(*port)); });
    }
}

void Crew::detach(IfIndex interface) {
    for (const auto& shard : shards_) {
        shard->post([shard = shard.get(), interface] { shard->engine().remove_ports(interface); });
    }
}

}  // namespace nsr::router
