// For the making of threads, which inherit it.
#pragma once

#include <csignal>

namespace nsr::router {

// Signals are the first loop's, but for those that say that a thread did wrong.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t signals;
        ::sigfillset(&signals);
        for (const int fault : {SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT}) {
            ::sigdelset(&signals, fault);
        }
        ::pthread_sigmask(SIG_SETMASK, &signals, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

  private:
    sigset_t before_{};
};

}  // namespace nsr::router
