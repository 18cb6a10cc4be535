#include "router/ports/repeating.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace nsr::router {

using Timer = boost::asio::steady_timer;

struct Repeating::Impl : std::enable_shared_from_this<Repeating::Impl> {
    Impl(boost::asio::io_context& loop, Timer::duration every, std::function<void()> what)
        : timer(loop), period(every), work(std::move(what)) {}

    Timer timer;
    Timer::duration period;
    std::function<void()> work;

    void wait() {
        timer.expires_after(period);
        // One that is on its way already may come when all this is gone.
        timer.async_wait([weak = weak_from_this()](boost::system::error_code error) {
            const auto self = weak.lock();
            if (!error && self) {
                self->work();
                self->wait();
            }
        });
    }
};

Repeating::Repeating(boost::asio::io_context& loop, Duration period, std::function<void()> work)
    : impl_(std::make_shared<Impl>(loop, std::chrono::duration_cast<Timer::duration>(period),
                                   std::move(work))) {
    impl_->wait();
}

Repeating::~Repeating() = default;

}  // namespace nsr::router
