#include "base/secret.hpp"

#include <openssl/crypto.h>

namespace sftdyn::base {

void wipe(std::string& text) noexcept {
    OPENSSL_cleanse(text.data(), text.size());
    text.clear();
}

void Secret::wipe() noexcept { base::wipe(value_); }

// A moved-from short string keeps its characters in place, so the source is wiped too.
Secret::Secret(Secret&& other) noexcept : value_(other.value_) { other.wipe(); }

Secret& Secret::operator=(const Secret& other) {
    if (this != &other) {
        wipe();
        value_ = other.value_;
    }
    return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe();
        value_ = other.value_;
        other.wipe();
    }
    return *this;
}

}  // namespace sftdyn::base
