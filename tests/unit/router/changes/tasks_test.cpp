// Tasks: one after the other, with the loop in the hand of the test.
#include "router/changes/tasks.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <deque>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/rules/language/parse.hpp"
#include "core/sets/sets.hpp"
#include "core/wire/address.hpp"
#include "router/changes/rule_change.hpp"
#include "tests/support/log_lines.hpp"

namespace nsr::router {
namespace {

// Takes what is posted, and calls it when it is asked to.
class Loop {
  public:
    void post(std::function<void()> work) {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(work));
        changed_.notify_all();
    }
    void run_one() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !posted_.empty(); });
        const std::function<void()> work = std::move(posted_.front());
        posted_.pop_front();
        lock.unlock();
        work();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> posted_;
};

struct Story {
    std::vector<std::string> steps;
    std::mutex mutex;
    void tell(const std::string& step) {
        const std::lock_guard lock(mutex);
        steps.push_back(step);
    }
};

class Told : public Task {
  public:
    Told(Story& story, std::string name, int rounds = 1)
        : story_(story), name_(std::move(name)), rounds_(rounds) {}
    ~Told() override { story_.tell(name_ + " is gone"); }
    bool begin() override {
        story_.tell(name_ + " begins");
        return name_ != "slow" || ++begun_ == 3;
    }
    void work() override {
        story_.tell(name_ + " works");
        if (name_ == "bad") {
            throw std::runtime_error("no memory");
        }
    }
    Next finish(const std::string& failure) override {
        story_.tell(name_ + " ends" + (failure.empty() ? "" : ": " + failure));
        if (name_ == "worse") {
            throw std::runtime_error("a bug");
        }
        return --rounds_ == 0 ? Next::Over : Next::WorkAgain;
    }

  private:
    Story& story_;
    std::string name_;
    int rounds_;
    int begun_ = 0;
};

struct Bench {
    Story story;
    Loop loop;
    std::unique_ptr<Worker> worker = std::make_unique<Worker>();
    TaskQueue tasks{*worker, [this](std::function<void()> work) { loop.post(std::move(work)); }};
};

}  // namespace

TEST_CASE("tasks: the second one begins when the first one has ended") {
    Bench bench;
    bench.tasks.add(std::make_unique<Told>(bench.story, "one", 2));
    bench.tasks.add(std::make_unique<Told>(bench.story, "two"));
    for (int turn = 0; turn < 3; ++turn) {
        bench.loop.run_one();
    }
    const std::vector<std::string> expected = {
        "one begins",  "one works",  "one ends",  "one works", "one ends",
        "one is gone", "two begins", "two works", "two ends",  "two is gone"};
    CHECK(bench.story.steps == expected);
    CHECK(bench.tasks.size() == 0);
}

TEST_CASE("tasks: one that needs several turns to begin keeps its place") {
    Bench bench;
    bench.tasks.add(std::make_unique<Told>(bench.story, "slow"));
    bench.tasks.add(std::make_unique<Told>(bench.story, "next"));
    CHECK(bench.story.steps == std::vector<std::string>{"slow begins"});
    for (int turn = 0; turn < 4; ++turn) {
        bench.loop.run_one();
    }
    const std::vector<std::string> expected = {
        "slow begins",  "slow begins", "slow begins", "slow works", "slow ends",
        "slow is gone", "next begins", "next works",  "next ends",  "next is gone"};
    CHECK(bench.story.steps == expected);
}

TEST_CASE("tasks: whatever goes wrong in one, the next one has its turn") {
    Bench bench;
    bench.tasks.add(std::make_unique<Told>(bench.story, "bad"));
    bench.tasks.add(std::make_unique<Told>(bench.story, "worse"));
    bench.tasks.add(std::make_unique<Told>(bench.story, "good"));
    bench.loop.run_one();
    CHECK_THROWS_AS(bench.loop.run_one(), std::runtime_error);
    bench.loop.run_one();
    CHECK(bench.story.steps[2] == "bad ends: no memory");
    CHECK(bench.story.steps.back() == "good is gone");
}

TEST_CASE("tasks: a change of rules begins from what the one before it made") {
    Bench bench;
    test::LogLines log;
    SystemClock clock;
    Router router{Router::Options{}};
    Engine engine{router, clock, log};
    std::vector<std::string> answers;
    const auto change = [&](MakeRules make) {
        bench.tasks.add(std::make_unique<RuleChange>(
            RuleChange::Parts{router, engine, clock, *bench.worker}, std::move(make),
            [&](const Result<Done, std::string>& done) {
                answers.push_back(done ? "done" : done.error());
            }));
    };
    using Made = Result<rules::Ruleset, std::string>;
    change([](const rules::Counted& now) -> Made {
        rules::Ruleset rules = now.ruleset;
        rules.load(Family::Ipv4, rules::TableId::Filter);
        return rules;
    });
    change([](const rules::Counted& now) -> Made {
        const bool there = now.ruleset.table(Family::Ipv4, rules::TableId::Filter).loaded;
        return std::string(there ? "it is there already" : "it is not there");
    });
    change([](const rules::Counted& now) -> Made {
        rules::Ruleset rules = now.ruleset;
        rules.load(Family::Ipv4, rules::TableId::Nat);
        return rules;
    });
    CHECK_FALSE(router.tracking_active());
    for (int turn = 0; turn < 3; ++turn) {
        bench.loop.run_one();
    }
    CHECK(answers == std::vector<std::string>{"done", "it is there already", "done"});
    CHECK(router.ruleset().table(Family::Ipv4, rules::TableId::Filter).loaded);
    CHECK(router.tracking_active());  // a nat table needs it
    bench.worker.reset();
}

TEST_CASE("tasks: rules are refused if a set that they name goes while they are made") {
    Bench bench;
    test::LogLines log;
    SystemClock clock;
    Router router{Router::Options{}};
    Engine engine{router, clock, log};
    const sets::SetSpec spec{.type = sets::find_type("hash:ip"), .family = Family::Ipv4};
    router.sets().create("blocked", spec, false);
    std::string answer;
    const auto drop_blocked = [](const rules::Counted& now) -> Result<rules::Ruleset, std::string> {
        rules::Ruleset rules = now.ruleset;
        const ConfigErrors errors = rules::parse_save(
            "*filter\n-A FORWARD -m set --match-set blocked src -j DROP\nCOMMIT\n", "rules",
            Family::Ipv4, rules);
        CHECK(errors.empty());
        return rules;
    };
    const auto change = [&] {
        bench.tasks.add(std::make_unique<RuleChange>(
            RuleChange::Parts{router, engine, clock, *bench.worker}, drop_blocked,
            [&](const Result<Done, std::string>& done) { answer = done ? "done" : done.error(); }));
    };
    change();
    CHECK(router.sets().destroy("blocked", router.set_references()) == sets::Failure::None);
    bench.loop.run_one();
    CHECK(answer == "Set blocked doesn't exist");
    CHECK_FALSE(router.ruleset().table(Family::Ipv4, rules::TableId::Filter).loaded);
    router.sets().create("blocked", spec, false);
    change();
    bench.loop.run_one();
    CHECK(answer == "done");
    bench.worker.reset();
}

}  // namespace nsr::router
