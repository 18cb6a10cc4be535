// Cow: a value whose copies are one value until one of them is changed (copy on write).
//
// A copy costs one reference count. change() makes a copy of its own first if others look at the
// value, in whatever thread they are; what is shared never changes.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace nsr {

template <class T>
class Cow {
  public:
    Cow() : value_(std::make_shared<T>()) {}
    explicit Cow(T value) : value_(std::make_shared<T>(std::move(value))) {}

    const T& operator*() const { return *value_; }
    const T* operator->() const { return value_.get(); }
    // Stays as it is as long as somebody keeps it.
    [[nodiscard]] std::shared_ptr<const T> share() const { return value_; }

    // Valid until the next copy is made of this.
    T& change() {
        if (value_.use_count() != 1) {
            value_ = std::make_shared<T>(*value_);
        }
        std::atomic_thread_fence(std::memory_order_acquire);  // the last other reader has finished
        return *value_;
    }

  private:
    std::shared_ptr<T> value_;
};

}  // namespace nsr
