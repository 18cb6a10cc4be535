// The thread beside the loop: order, destruction, its end, and standing still for a fork.
#include "router/base/worker.hpp"

#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace nsr::router {
namespace {

void await(Worker& worker) {
    std::promise<void> done;
    worker.run([&] { done.set_value(); });
    done.get_future().wait();
}

struct SaysWhereItDies {
    std::promise<std::thread::id>* where;
    explicit SaysWhereItDies(std::promise<std::thread::id>& told) : where(&told) {}
    ~SaysWhereItDies() { where->set_value(std::this_thread::get_id()); }
    SaysWhereItDies(const SaysWhereItDies&) = delete;
    SaysWhereItDies& operator=(const SaysWhereItDies&) = delete;
};

}  // namespace

TEST_CASE("worker: jobs run in another thread, in the order in which they came") {
    Worker worker;
    std::vector<int> order;
    std::thread::id where;
    for (int i = 0; i < 100; ++i) {
        worker.run([&, i] {
            order.push_back(i);
            where = std::this_thread::get_id();
        });
    }
    await(worker);
    REQUIRE(order.size() == 100);
    for (int i = 0; i < 100; ++i) {
        CHECK(order[static_cast<std::size_t>(i)] == i);
    }
    CHECK(where != std::this_thread::get_id());
}

TEST_CASE("worker: what is handed over, and what a job holds, dies in the thread") {
    Worker worker;
    std::promise<std::thread::id> value;
    std::promise<std::thread::id> held;
    worker.destroy(std::make_unique<SaysWhereItDies>(value));
    worker.run([kept = std::make_shared<SaysWhereItDies>(held)] { CHECK(kept != nullptr); });
    const std::thread::id here = std::this_thread::get_id();
    CHECK(value.get_future().get() != here);
    CHECK(held.get_future().get() != here);
}

TEST_CASE("worker: its end waits for the job at work, and drops those that have not begun") {
    std::promise<void> begun;
    bool finished = false;
    bool later = false;
    {
        Worker worker;
        worker.run([&] {
            begun.set_value();
            std::this_thread::yield();
            finished = true;
        });
        begun.get_future().wait();
        std::promise<void> never;
        worker.run([&later] { later = true; });
    }
    CHECK(finished);
    static_cast<void>(later);  // it may have begun before the end came
}

TEST_CASE("worker: while it is paused no job is at work") {
    Worker worker;
    std::promise<void> done;
    std::future<void> finished = done.get_future();
    {
        const Worker::Pause pause(worker);
        worker.run([&] { done.set_value(); });
        CHECK(finished.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
    }
    finished.wait();
}

}  // namespace nsr::router
