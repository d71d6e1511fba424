// SPDX-License-Identifier: GPL-3.0-or-later
#include "update/refusal_explainer.hpp"

#include <algorithm>
#include <utility>

#include "dns/knot.hpp"

namespace sftdyn::update {
namespace {

using dns::DnsError;
using dns::Name;

constexpr base::Duration fence_answer_life = std::chrono::seconds(10);
constexpr base::Duration explaining_time = std::chrono::seconds(1);
constexpr std::size_t most_fence_answers = 1000;

bool has_underscore(const Name& name) { return name.bytes().find('_') != std::string::npos; }

bool has_underscore(const dns::UpdateContent& content) {
    if (const auto* message = std::get_if<dns::UpdateMessage>(&content))
        return std::any_of(message->updates.begin(), message->updates.end(),
                           [](const auto& record) { return has_underscore(record.owner); });
    const auto& changes = std::get<std::vector<dns::Change>>(content);
    return std::any_of(changes.begin(), changes.end(),
                       [](const auto& change) { return has_underscore(change.owner); });
}

/// `rcode` is the answer to an UPDATE that changes nothing.
std::string cause_of(const dns::UpdateContent& content, std::uint16_t failure,
                     std::uint16_t rcode) {
    if (failure == KNOT_RCODE_REFUSED && rcode == KNOT_RCODE_NOERROR) {
        std::string cause =
            "it takes other updates of the zone from this key: its policy does not allow this name "
            "or type (update-policy in BIND, acl in Knot, lua-dnsupdate-policy-script in PowerDNS)";
        if (has_underscore(content)) cause += ", or names that hold \"_\" (check-names in BIND)";
        return cause;
    }
    if (failure == KNOT_RCODE_REFUSED && rcode == KNOT_RCODE_REFUSED)
        return "it refuses every update of the zone, also one that changes nothing: the zone is "
               "frozen (rndc thaw, knotc zone-thaw), or this key may not update it (allow-update "
               "in BIND, acl in Knot, TSIG-ALLOW-DNSUPDATE and ALLOW-DNSUPDATE-FROM in PowerDNS)";
    if (failure == KNOT_RCODE_SERVFAIL && rcode == KNOT_RCODE_NOERROR)
        return "it takes updates of the zone, but could not write this one: the journal or its "
               "folder is not writable for it, AppArmor forbids it (on Debian keep dynamic zones "
               "in /var/lib/bind), the disk is full, or keys that sign the zone (DNSSEC) can't be "
               "read; its own log says which";
    if (failure == KNOT_RCODE_SERVFAIL && rcode == KNOT_RCODE_SERVFAIL)
        return "it carries out no update of the zone, also none that changes nothing: the zone is "
               "not loaded, or its journal is unusable; its own log says why";
    return {};
}

}  // namespace

bool RefusalExplainer::can_explain(const dns::UpdateContent& content, const DnsError& failure) {
    const auto* message = std::get_if<dns::UpdateMessage>(&content);
    const bool changes_nothing = message != nullptr && message->updates.empty();
    return !changes_nothing && failure.is_refusal() &&
           (failure.rcode == KNOT_RCODE_REFUSED || failure.rcode == KNOT_RCODE_SERVFAIL);
}

void RefusalExplainer::explain(const Name& zone, const dns::UpdateContent& content,
                               const DnsError& failure, dns::DnsServer& server,
                               std::shared_ptr<void> keep, base::TimePoint deadline, Told told) {
    const auto now = time_->now();
    const std::pair place(zone, server.name());
    const auto explained = [content, failure](std::uint16_t rcode) {
        DnsError out = failure;
        std::string cause = cause_of(content, failure.rcode, rcode);
        if (!cause.empty()) out.cause = std::move(cause);
        return out;
    };
    if (const auto known = fence_answers_.find(place);
        known != fence_answers_.end() && known->second.until > now)
        return told(explained(known->second.rcode));
    server.update(
        zone, dns::UpdateMessage{}, deadline, std::min(deadline, now + explaining_time),
        [this, place, failure, explained, keep = std::move(keep), told = std::move(told)](
            const dns::Reply& reply, dns::Delivery) {
            if (reply.has_error() && !reply.error().is_refusal()) return told(failure);
            const std::uint16_t rcode =
                reply.has_error() ? reply.error().rcode : std::uint16_t(KNOT_RCODE_NOERROR);
            if (fence_answers_.size() >= most_fence_answers) fence_answers_.clear();
            fence_answers_[place] = {time_->now() + fence_answer_life, rcode};
            told(explained(rcode));
        },
        [](const dns::Reply&, unsigned) {});
}

}  // namespace sftdyn::update
