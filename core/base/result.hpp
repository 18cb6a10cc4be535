// A value or the reason why there is none. The core's only way to report bad input; it never
// throws.
#pragma once

#include <utility>
#include <variant>

namespace nsr {

// The value of what succeeds without one: Result<Done, Failure>.
struct Done {};

template <class T, class E>
class [[nodiscard]] Result {
  public:
    // Both convert on purpose, so that a function returns a value or an error as it is.
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

    [[nodiscard]] bool ok() const { return state_.index() == 0; }
    explicit operator bool() const { return ok(); }

    // Precondition: ok().
    T& operator*() { return *std::get_if<0>(&state_); }
    const T& operator*() const { return *std::get_if<0>(&state_); }
    T* operator->() { return std::get_if<0>(&state_); }
    const T* operator->() const { return std::get_if<0>(&state_); }

    // Precondition: !ok().
    E& error() { return *std::get_if<1>(&state_); }
    const E& error() const { return *std::get_if<1>(&state_); }

  private:
    std::variant<T, E> state_;
};

}  // namespace nsr
