#include "hosts/guesses.hpp"

#include <algorithm>

namespace sftdyn::hosts {
namespace {

constexpr std::size_t most_clients = 1 << 16;

}  // namespace

Guesses::Verdict Guesses::failed(const boost::asio::ip::address& client, base::TimePoint now) {
    using Kind = Verdict::Kind;
    const std::lock_guard lock(mutex_);
    if (burst_ == 0) return {};
    if (clients_.size() >= most_clients) make_room(now);
    Entry& entry = clients_[base::client_network(client)];
    if (entry.full_at <= now) entry = {now, false};
    const base::TimePoint after = entry.full_at + refill_;
    const auto used = after - now;
    if (used <= burst_ * refill_) {
        entry.full_at = after;
        return {};
    }
    if (used <= 2 * burst_ * refill_) {
        entry.full_at = after;
        return {Kind::delay};
    }
    const auto wait = std::chrono::ceil<std::chrono::seconds>(used - 2 * burst_ * refill_);
    return {Kind::refuse, !std::exchange(entry.said, true), std::max(wait, std::chrono::seconds(1))};
}

void Guesses::make_room(base::TimePoint now) {
    boost::unordered::erase_if(clients_, [now](const auto& one) { return one.second.full_at <= now; });
    // So many at once are no one's guesses any more; whom to forget makes no difference.
    if (clients_.size() >= most_clients) clients_.clear();
}

void Guesses::set(unsigned burst, base::Duration refill) {
    const std::lock_guard lock(mutex_);
    if (burst == burst_ && refill == refill_) return;
    burst_ = burst;
    refill_ = refill;
    clients_.clear();
}

std::size_t Guesses::size() const {
    const std::lock_guard lock(mutex_);
    return clients_.size();
}

}  // namespace sftdyn::hosts
